import { createHmac } from 'node:crypto';
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { newSigningKeys } from '../../../../src/assertion/rotate.ts';
import type { Client } from '../../../../src/policy/checked/types.ts';
import {
  assertionAudience,
  readClientKey,
  shownSecrets,
  signClientAssertion,
} from '../../../../src/session/flow/client-assertion.ts';
import { clientCall, readSecrets, secretsIn } from '../../../../src/session/flow/client-auth.ts';
import { readTokenAnswer } from '../../../../src/session/flow/token-answer.ts';
import { type KeyName, privateJwk, publicJwk } from '../../token/maker.ts';

const params = [
  ['grant_type', 'authorization_code'],
  ['code', 'a b'],
] as const;

const client = (kind: Client['auth']['kind'], id = 'wiki'): Client =>
  ({ id, auth: { kind, secretFile: '/s', keysFile: '/k', certFile: '/c', keyFile: '/k' } }) as unknown as Client;

describe('secretsIn', () => {
  const secret = 'S3/CRET+x==é ~';
  const code = '4/0Ab+Cd e';
  const sent = [
    ['grant_type', 'authorization_code'],
    ['code', code],
    ['redirect_uri', 'https://wiki.example.com/.meshgate/callback'],
  ] as const;
  /** The description as it is logged. */
  const logged = (kind: Client['auth']['kind'], description: string): string => {
    const secrets = secretsIn(client(kind), sent, [{ secret }, { secret: 'older' }]);
    const answer = readTokenAnswer(
      400,
      JSON.stringify({ error: 'invalid_request', error_description: description }),
      secrets,
    );
    return answer.kind === 'refused' ? answer.text : '';
  };

  it('finds secrets in a body that the provider repeats, as sent and in other encodings', () => {
    const { body } = clientCall(client('client_secret_post'), sent, { secret });
    const bodies = [
      body,
      body.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
      `code=${encodeURIComponent(code)}&client_secret=${encodeURIComponent(secret)}`,
      `code=${code}&client_secret=${secret}`,
    ];
    for (const one of bodies) {
      const line = logged('client_secret_post', `cannot parse: ${one}`);
      expect(line).toContain('code=\\u2026&');
      expect(line).not.toMatch(/0Ab|CRET|Cd/);
    }
  });

  it('finds Basic credentials, of each secret that is tried', () => {
    for (const one of [secret, 'older']) {
      const { authorization = '' } = clientCall(client('client_secret_basic'), sent, { secret: one });
      const line = logged('client_secret_basic', `bad header: ${authorization}`);
      expect(line).toBe('the token endpoint refused: invalid_request, "bad header: Basic \\u2026"');
    }
  });
});

describe('clientCall', () => {
  it('encodes Basic credentials as a form before it joins them', () => {
    // RFC 6749 section 2.3.1, appendix B.
    const { authorization, body } = clientCall(client('client_secret_basic', 'wiki:é x'), params, {
      secret: '%+: /é&~',
    });
    const [id, secret] = Buffer.from(authorization!.slice('Basic '.length), 'base64').toString().split(':');
    expect(id).toBe('wiki%3A%C3%A9+x');
    expect(secret).toBe('%25%2B%3A+%2F%C3%A9%26%7E');
    expect(body).toBe('grant_type=authorization_code&code=a+b');
  });

  it('sends a secret in the body, an assertion, or only its id', () => {
    const post = clientCall(client('client_secret_post'), params, { secret: 'se&cret' });
    expect(post.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(post.body))).toMatchObject({
      client_id: 'wiki',
      client_secret: 'se&cret',
    });
    const jwt = clientCall(client('private_key_jwt'), params, { assertion: 'a.b.c' });
    expect(Object.fromEntries(new URLSearchParams(jwt.body))).toEqual({
      grant_type: 'authorization_code',
      code: 'a b',
      client_id: 'wiki',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'a.b.c',
    });
    for (const kind of ['none', 'tls_client_auth'] as const) {
      const bare = clientCall(client(kind), params, undefined);
      expect(bare).toEqual({ body: 'grant_type=authorization_code&code=a+b&client_id=wiki' });
    }
  });

  it('makes no call without its credential', () => {
    expect(() => clientCall(client('client_secret_basic'), params, undefined)).toThrow('no client secret');
    expect(() => clientCall(client('private_key_jwt'), params, undefined)).toThrow('no client assertion');
  });
});

describe('readSecrets', () => {
  it('returns the newest first, and a limited number', () => {
    expect(readSecrets('new\n', 4)).toEqual(['new']);
    expect(readSecrets('  new secret \r\n\nold\n', 4)).toEqual(['new secret', 'old']);
    expect(readSecrets('a\nb\nc', 2)).toEqual(['a', 'b']);
    expect(readSecrets('\n \n', 4)).toEqual([]);
  });
});

describe('shownSecrets', () => {
  const long = 'a secret of 32 bytes, exactly.. ';
  const older = 'é'.repeat(16);
  const shown = (kind: Client['auth']['kind'], text: string) =>
    shownSecrets(client(kind), text, 'https://issuer.example.com', 1_790_000_000.7);

  it('returns the secrets themselves, the newest first', async () => {
    expect(await shown('client_secret_basic', 'new\nold\n')).toEqual([{ secret: 'new' }, { secret: 'old' }]);
    expect(await shown('client_secret_post', 'new')).toEqual([{ secret: 'new' }]);
  });

  it('signs an assertion with each secret by HS256, and shows no secret', async () => {
    const text = `${long.trim()}+\n${older}\n`;
    const both = (await shown('client_secret_jwt', text)) as readonly { readonly assertion: string }[];
    expect(both.length).toBe(2);
    for (const [i, secret] of [`${long.trim()}+`, older].entries()) {
      const [header, claims, signature] = both[i]!.assertion.split('.');
      const hmac = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url');
      expect(signature).toBe(hmac);
      expect(decodeProtectedHeader(both[i]!.assertion)).toEqual({ alg: 'HS256', typ: 'JWT' });
      expect(JSON.parse(Buffer.from(claims!, 'base64url').toString())).toEqual({
        iss: 'wiki',
        sub: 'wiki',
        aud: 'https://issuer.example.com',
        jti: expect.stringMatching(/^[\w-]{22}$/),
        iat: 1_790_000_000,
        exp: 1_790_000_060,
      });
    }
  });

  it('counts the bytes of a secret, not its characters', async () => {
    expect(await shown('client_secret_jwt', older)).toEqual([{ assertion: expect.any(String) }]);
    expect(await shown('client_secret_jwt', older.slice(1))).toMatch(/shorter than 32 bytes/);
  });

  it('says what is wrong with a file, without any part of a secret', async () => {
    expect(await shown('client_secret_basic', '\n')).toBe('the file contains no secret');
    const short = await shown('client_secret_jwt', `${'x'.repeat(32)}\nhunter2`);
    expect(short).toBe(
      'a secret in the file is shorter than 32 bytes, the minimum for auth: secret_jwt (HS256); use a longer secret, or auth: basic',
    );
  });
});

describe('client assertions', () => {
  const file = (name: KeyName, more: Record<string, unknown> = {}) =>
    JSON.stringify({ keys: [{ ...privateJwk(name), ...more }, privateJwk('p384')] });

  it.each([
    ['p256', {}, 'ES256'],
    ['p384', {}, 'ES384'],
    ['rsa', {}, 'RS256'],
    ['rsa', { alg: 'PS256' }, 'PS256'],
    ['rsa3072', { alg: 'RS512' }, 'RS512'],
  ] as const)('are signed with %s %j by %s', async (name, more, alg) => {
    const key = await readClientKey(file(name, { ...more, 'x5t#S256': 'thumb' }));
    if (typeof key === 'string') throw new Error(key);
    const text = await signClientAssertion(key, 'wiki', 'https://issuer.example.com', 1_790_000_000.7);
    const { payload, protectedHeader } = await compactVerify(text, await importJWK(publicJwk(name), alg));
    expect(protectedHeader).toEqual({ alg, kid: name, typ: 'JWT', 'x5t#S256': 'thumb' });
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({
      iss: 'wiki',
      sub: 'wiki',
      aud: 'https://issuer.example.com',
      jti: expect.stringMatching(/^[\w-]{22}$/),
      iat: 1_790_000_000,
      exp: 1_790_000_060,
    });
  });

  it('are signed with the first key of a file that "meshgate keys new" made', async () => {
    const text = await newSigningKeys(1_790_000_000);
    const key = await readClientKey(text);
    expect(key).toMatchObject({ alg: 'ES256', kid: JSON.parse(text).keys[0].kid });
  });

  it('are never the same twice', async () => {
    const key = await readClientKey(file('p256'));
    if (typeof key === 'string') throw new Error(key);
    const sign = () => signClientAssertion(key, 'wiki', 'x', 1);
    expect(await sign()).not.toBe(await sign());
  });

  it.each([
    ['', 'the file is not JSON'],
    ['{}', 'the file has no list "keys" with a key in it'],
    ['{"keys":[]}', 'the file has no list "keys" with a key in it'],
    [JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }), expect.stringMatching(/^the first key is not for/)],
    [file('p256', { alg: 'RS256' }), expect.stringMatching(/^the first key is not for/)],
    [file('p256', { alg: 'none' }), expect.stringMatching(/^the first key is not for/)],
    [JSON.stringify({ keys: [publicJwk('p256')] }), 'the first key has no private half'],
    [file('p256', { x: 'AAAA' }), 'the first key is not a private key'],
  ])('are not signed with invalid keys: %.50s', async (text, why) => {
    expect(await readClientKey(text)).toEqual(why);
  });

  it('have the audience that the kind of provider requires', () => {
    const to = (kind: string) => assertionAudience(kind, 'ISSUER', 'TOKEN');
    expect([to('okta'), to('entra'), to('keycloak'), to('generic')]).toEqual(['TOKEN', 'TOKEN', 'ISSUER', 'ISSUER']);
  });
});
