import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Table } from '../../../src/rules/types.ts';
import { createCa } from '../../harness/pki.ts';
import { hiding } from '../caller/hidden-tokens.ts';
import { adas, adasToken, Context, publishKeys, sealed, table, wiki, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/* A route that passes a service's own credential on: it is no caller, and it never hides a credential of the gateway. */

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);

const rule = (id: string, who: Table['routes'][string]['rules'][number]['who'], service = 'wiki') => ({
  id,
  who,
  service,
  as: 'default',
});
const staff = { kind: 'role', role: 'staff' } as const;
const anyone = { kind: 'anyone' } as const;

const route = {
  ...table.routes[`${wiki}/*`]!,
  accept: ['bearer', 'session', 'certificate'],
  serviceCredential: { schemes: ['basic', 'token'], bearer: ['glsa_'], services: ['wiki'] },
} as const;

const of: Table = {
  ...table,
  certificates: true,
  credentialHeader: 'X-Gateway-Authorization',
  routes: {
    ...table.routes,
    [`${wiki}/staff/*`]: { ...route, rules: [rule('staff', staff)] },
    [`${wiki}/open/*`]: { ...route, rules: [rule('staff', staff), rule('open', anyone)] },
    [`${wiki}/canary/*`]: { ...route, rules: [rule('canary', staff, 'canary'), rule('open', anyone)] },
    [`${wiki}/known/*`]: { ...route, rules: [rule('known', { kind: 'authenticated' })] },
    [`${wiki}/pages/*`]: { ...route, accept: ['session'], rules: [rule('staff', staff), rule('open', anyone)] },
  },
};

const basic = 'Basic YWRhOnNlY3JldA==';
const cookie = async () => ({ Cookie: `__Host-Http-meshgate=${await sealed(adas(start))}` });
const token = () => adasToken(start);
const bad = () => token().replace(/.{6}$/, 'AAAAAA');

let certificate: string;
let context: Context;

beforeAll(async () => {
  const life = { notBefore: new Date((start - 3600) * 1000), notAfter: new Date((start + 86_400) * 1000) };
  certificate = encodeURIComponent((await (await createCa()).client('spiffe://example.org/ci', life)).cert);
});

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  writeRing(['k1', 1]);
  await publishKeys(start);
  context = new Context(of);
});

/** What the check says: rule or reason, caller, and the scheme that passes. */
async function reported(headers: Readonly<Record<string, string>>, path: string): Promise<string> {
  const { status, headers: out } = await context.check(headers, `${path}/*`);
  const passed = out['X-Meshgate-Service-Credential'];
  const what = status === 204 ? out['X-Meshgate-Rule'] : out['X-Meshgate-Reason'];
  return [what, out['X-Meshgate-User'] ?? '-', passed ?? '-'].join(' ');
}

describe('a page of another origin', () => {
  const evil = { 'X-Meshgate-Origin': 'https://evil.example' };

  it.each(['open', 'pages', 'staff'])('sends no Basic of the browser to /%s', async (path) => {
    expect(await reported({ Authorization: basic, ...evil }, path)).toBe('origin_refused - -');
  });

  it('sends a token of its own script, which no browser adds', async () => {
    expect(await reported({ Authorization: 'Bearer glsa_abc', ...evil }, 'open')).toBe('open - bearer');
    expect(await reported({ Authorization: 'token abc', ...evil }, 'open')).toBe('open - token');
  });

  it('sends Basic of the host’s own page, or of a program', async () => {
    expect(await reported({ Authorization: basic, 'X-Meshgate-Origin': `https://${wiki}:8443` }, 'open')).toBe(
      'open - basic',
    );
    expect(await reported({ Authorization: basic }, 'open')).toBe('open - basic');
  });
});

describe('the credential of a service', () => {
  it.each([basic, 'token abc', 'Bearer glsa_abc'])(
    '%s passes alone where anyone may pass, and is no caller',
    async (it) => {
      const scheme = it.split(' ')[0]!.toLowerCase();
      expect(await reported({ Authorization: it }, 'open')).toBe(`open - ${scheme}`);
      expect(await reported({ Authorization: it }, 'staff')).toBe('credential_missing - -');
      expect(await reported({ Authorization: it }, 'known')).toBe('credential_missing - -');
    },
  );

  it('passes beside a session', async () => {
    const both = { Authorization: basic, ...(await cookie()) };
    for (const path of ['staff', 'open']) expect(await reported(both, path)).toBe('staff o-ada basic');
    expect(await reported(both, 'known')).toBe('known o-ada basic');
    expect(await reported(both, 'pages')).toBe('staff o-ada basic');
  });

  it('passes beside a certificate', async () => {
    const both = { Authorization: basic, 'SSL-Client-Cert': certificate };
    expect(await reported(both, 'known')).toBe('known spiffe://example.org/ci basic');
    expect(await reported(both, 'staff')).toBe('role_missing spiffe://example.org/ci -');
  });

  it('passes beside a token in the header of the policy', async () => {
    const both = { Authorization: basic, 'X-Meshgate-Credential': `Bearer ${token()}` };
    expect(await reported(both, 'staff')).toBe('staff o-ada basic');
    // Known tokens and stored answers take other ways through the check.
    for (let i = 0; i < 3; i++) expect(await reported(both, 'staff')).toBe('staff o-ada basic');
    expect(await reported({ Authorization: `Bearer ${token()}` }, 'staff')).toBe('staff o-ada -');
    expect(await reported({ ...both, Authorization: 'token x' }, 'staff')).toBe('staff o-ada token');
  });

  it('does not follow a rule to another service', async () => {
    expect(await reported({ Authorization: basic }, 'canary')).toBe('open - basic');
    expect(await reported({ Authorization: basic, ...(await cookie()) }, 'canary')).toBe('canary o-ada -');
  });

  it('is not accepted on other routes', async () => {
    const { headers } = await context.check({ Authorization: basic });
    expect(headers['X-Meshgate-Reason']).toBe('credential_unsupported');
    expect(headers).not.toHaveProperty('X-Meshgate-Service-Credential');
  });

  it('does not switch off the check of the origin', async () => {
    const foreign = { 'X-Meshgate-Method': 'POST', 'X-Meshgate-Origin': 'https://evil.example.com' };
    expect(await reported({ ...foreign, Authorization: 'token abc', ...(await cookie()) }, 'open')).toBe(
      'origin_refused o-ada -',
    );
    const certified = { ...foreign, Authorization: 'token abc', 'SSL-Client-Cert': certificate };
    expect(await reported(certified, 'open')).toBe('origin_refused spiffe://example.org/ci -');
  });

  it('gives no caller to whoami', async () => {
    const { status, body } = await context.whoami({ Authorization: basic });
    expect([status, JSON.parse(body).reason]).toEqual([401, 'credential_unsupported']);
  });
});

describe('a credential of the gateway', () => {
  it('that is bad never falls through, wherever it is', async () => {
    const more = await cookie();
    expect(await reported({ Authorization: `Bearer ${bad()}`, ...more }, 'open')).toBe('signature_invalid - -');
    const beside = { Authorization: basic, 'X-Meshgate-Credential': `Bearer ${bad()}`, ...more };
    expect(await reported(beside, 'open')).toBe('signature_invalid - -');
    const expired = adasToken(start - 10_000);
    expect(await reported({ Authorization: `Bearer ${expired}`, ...more }, 'open')).toBe('token_expired - -');
  });

  it('decides before the header of the policy', async () => {
    const both = { Authorization: `Bearer ${bad()}`, 'X-Meshgate-Credential': `Bearer ${token()}` };
    expect(await reported(both, 'open')).toBe('signature_invalid - -');
  });

  it.each(['Basic eA==', 'token x', 'Bearer x', 'abc', 'Bearer'])(
    'in the header of the policy is a token: %s',
    async (it) => {
      const beside = { Authorization: basic, 'X-Meshgate-Credential': it };
      expect(await reported(beside, 'open')).toMatch(/^(credential_unsupported|token_malformed) - -$/);
    },
  );

  it('in the header of the policy is sent once', async () => {
    const twice = { Authorization: basic, 'X-Meshgate-Credential': `Bearer ${token()}, Bearer ${token()}` };
    const { status, headers } = await context.check(twice, 'open/*');
    expect([status, headers['X-Meshgate-Status'], headers['X-Meshgate-Reason']]).toEqual([
      401,
      '400',
      'credential_duplicate',
    ]);
  });

  it('in the header of the policy is refused if the route accepts no tokens', async () => {
    const beside = { Authorization: basic, 'X-Meshgate-Credential': `Bearer ${token()}` };
    expect(await reported(beside, 'pages')).toBe('credential_unsupported - -');
  });

  it('in the header of the policy is not read on other routes', async () => {
    const { headers } = await context.check({ 'X-Meshgate-Credential': `Bearer ${token()}` });
    expect(headers['X-Meshgate-Reason']).toBe('credential_missing');
  });

  it.each(hiding)('is rejected if it is hidden %s', async (_, form) => {
    for (const one of [token(), bad()]) {
      const hidden = { Authorization: form(one), ...(await cookie()) };
      expect(await reported(hidden, 'open')).toMatch(/^(credential_unsupported|token_malformed) - -$/);
    }
  });
});

it('a refusal says that the header has no form of the service', async () => {
  const { headers } = await context.check({ Authorization: 'Digest x' }, 'open/*');
  expect(headers['X-Meshgate-Detail']).toContain('has no form that this route passes on');
});

it('a refusal says where the token for the gateway belongs', async () => {
  const { headers } = await context.check({ Authorization: basic }, 'staff/*');
  expect(headers['X-Meshgate-Detail']).toContain('X-Gateway-Authorization: Bearer TOKEN if Authorization belongs to');
  const other = await context.check({});
  expect(other.headers['X-Meshgate-Detail']).not.toContain('X-Gateway');
});
