import { describe, expect, it } from 'vitest';
import { newAttempt, type Wish } from '../../../../src/session/flow/attempt.ts';
import {
  authorizationParams,
  isPushed,
  mayRequirePush,
  signinRequirements,
} from '../../../../src/session/flow/authorize.ts';
import type { SigninMetadata } from '../../../../src/session/flow/provider-metadata.ts';
import { sha256 } from '../../../../src/session/flow/random.ts';
import type { SigninProvider } from '../../../../src/session/signin-table.ts';

const provider = (signin: Partial<SigninProvider['signin']> = {}): SigninProvider => ({
  name: 'okta',
  kind: 'okta',
  issuer: 'https://example.okta.com',
  client: { id: 'wiki', auth: { kind: 'none' } },
  signin: { scopes: ['openid', 'email'], domains: [], userinfo: false, label: 'Okta', ...signin },
});

const stepUps = { admin: { acrValues: ['phr', 'phrh'], maxAge: 900 }, recent: { maxAge: 60 } };

function ask(wish: Partial<Wish>, of: SigninProvider, more: { hint?: string } = {}) {
  const { attempt } = newAttempt({ mode: 'in', to: '/', ...wish }, of, 1_790_000_000);
  const requested = signinRequirements(attempt, of, stepUps);
  const redirect = 'https://wiki.example.com/.meshgate/callback';
  const params = authorizationParams(attempt, of, requested, { redirect, state: 'STATE', ...more });
  return { attempt, params: Object.fromEntries(params), names: params.map(([name]) => name) };
}

describe('authorizationParams', () => {
  it('always has PKCE with S256, state and nonce', () => {
    const { attempt, params, names } = ask({}, provider());
    expect(params).toEqual({
      response_type: 'code',
      client_id: 'wiki',
      redirect_uri: 'https://wiki.example.com/.meshgate/callback',
      scope: 'openid email',
      state: 'STATE',
      nonce: attempt.nonce,
      code_challenge: sha256(attempt.verifier),
      code_challenge_method: 'S256',
    });
    expect(new Set(names).size).toBe(names.length);
    expect(JSON.stringify(params)).not.toContain(attempt.verifier);
  });

  it('makes the challenge of RFC 7636, appendix B', () => {
    expect(sha256('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  });

  it('requests what the policy says', () => {
    const of = provider({ prompt: 'login', maxAge: 28800, acrValues: ['phr', 'mfa'] });
    expect(ask({}, of, { hint: 'ada@example.com' }).params).toMatchObject({
      prompt: 'login',
      max_age: '28800',
      acr_values: 'phr mfa',
      login_hint: 'ada@example.com',
    });
  });

  it('has the parameters of the policy, and no parameter twice', () => {
    const { params, names } = ask({}, provider({ parameters: { kc_idp_hint: 'partners', ui_locales: 'de fr' } }));
    expect(params).toMatchObject({ response_type: 'code', kc_idp_hint: 'partners', ui_locales: 'de fr' });
    expect(new Set(names).size).toBe(names.length);
  });

  it('is silent if a session is renewed, whatever the prompt of the policy', () => {
    expect(ask({ mode: 'renew' }, provider({ prompt: 'login' })).params.prompt).toBe('none');
  });

  it('requests what a role needs, in a step up', () => {
    const step = ask({ mode: 'step', role: 'admin' }, provider({ maxAge: 28800, acrValues: ['mfa'] })).params;
    expect(step).toMatchObject({ max_age: '900', acr_values: 'phr phrh' });
    expect(ask({ mode: 'step', role: 'recent' }, provider({ maxAge: 30 })).params).toMatchObject({ max_age: '30' });
    expect(ask({ mode: 'step', role: 'toString' }, provider()).params.max_age).toBeUndefined();
    expect(ask({ mode: 'in', role: 'admin' }, provider()).params.max_age).toBeUndefined();
  });
});

describe('askedBy', () => {
  it('makes the policy a wish of acr_values, and a role a demand', () => {
    expect(signinRequirements({ mode: 'in' }, provider({ acrValues: ['mfa'], maxAge: 100 }), stepUps)).toEqual({
      maxAge: 100,
    });
    expect(signinRequirements({ mode: 'step', role: 'admin' }, provider(), stepUps)).toEqual({
      maxAge: 900,
      acrValues: ['phr', 'phrh'],
    });
  });
});

describe('isPushed', () => {
  const metadata = { parRequired: false, par: 'https://example.okta.com/par' } as SigninMetadata;
  const pushed = (of: SigninProvider, more: Partial<SigninMetadata> = {}, learned = false) =>
    isPushed(of, { ...metadata, ...more }, learned);

  it('follows the policy, or else the discovery document, or else what the provider has shown', () => {
    expect(pushed(provider())).toBe(false);
    expect(pushed(provider({ par: true }))).toBe(true);
    expect(pushed(provider(), { parRequired: true })).toBe(true);
    expect(pushed(provider({ par: false }), { parRequired: true }, true)).toBe(false);
    expect(pushed(provider(), {}, true)).toBe(true);
  });

  it('is false without an endpoint, unless it is required', () => {
    const { par: _, ...without } = metadata;
    expect(isPushed(provider(), without as SigninMetadata, true)).toBe(false);
  });
});

describe('mayRequirePush', () => {
  const metadata = { parRequired: false, par: 'https://example.okta.com/par' } as SigninMetadata;
  const { attempt } = newAttempt(
    { mode: 'in', to: '/' },
    { name: 'okta', issuer: 'https://okta.example.com' },
    1_790_000_000,
  );

  it('is true for invalid_request alone, at a provider with an endpoint, if nothing says whether to push', () => {
    expect(mayRequirePush('invalid_request', attempt, provider(), metadata)).toBe(true);
    expect(mayRequirePush('access_denied', attempt, provider(), metadata)).toBe(false);
    expect(mayRequirePush('invalid_request', { ...attempt, pushed: true }, provider(), metadata)).toBe(false);
    expect(mayRequirePush('invalid_request', attempt, provider({ par: false }), metadata)).toBe(false);
    expect(mayRequirePush('invalid_request', attempt, provider(), { ...metadata, parRequired: true })).toBe(false);
    expect(mayRequirePush('invalid_request', attempt, provider(), { parRequired: false } as SigninMetadata)).toBe(
      false,
    );
  });
});
