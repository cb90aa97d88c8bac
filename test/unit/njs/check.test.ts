import { rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readyHead } from '../../../src/caller/ready.ts';
import { askRenewal } from '../../../src/njs/callers/ask-renewal.ts';
import { REVOCATIONS_READ } from '../../../src/njs/shared/dicts.ts';
import { EPOCH, newEpoch } from '../../../src/njs/shared/epoch.ts';
import type { Table } from '../../../src/rules/types.ts';
import { ofAny, ofIssuer, ofPerson, revocationKey } from '../../../src/session/revocation/revocation.ts';
import type { Revocation } from '../../../src/session/revocation/store.ts';
import type { SessionClaims } from '../../../src/session/types.ts';
import { adas, Context, okta, ringPath, sealed, sealedReady, sealedText, table, wiki, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);
const gone = '__Host-Http-meshgate=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax';

let context: Context;
/** The requests to the sign-in's side. */
let requested: { wait: string | undefined; session: string | undefined; host: string | undefined }[];

/** The answer of the sign-in's side. */
function renewing(status: number, body: string | (() => Promise<string>) = ''): void {
  fake.fetch = async (url, options) => {
    expect(url).toBe('http://unix:/run/check.sock:/.meshgate/renew');
    const headers = options?.headers ?? {};
    requested.push({
      wait: headers['X-Meshgate-Wait'],
      session: headers['X-Meshgate-Session'],
      host: headers['X-Meshgate-Host'],
    });
    const text = typeof body === 'string' ? body : await body();
    return new Response(status === 204 ? null : text, { status });
  };
}

/** Moves the clock to this many seconds after the start. */
function at(seconds: number): void {
  vi.setSystemTime((start + seconds) * 1000);
  fake.clock = (start + seconds) * 1000;
}

beforeEach(() => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  fake.logged.length = 0;
  requested = [];
  renewing(204);
  writeRing(['k1', 1]);
  context = new Context();
});

const cookie = (text: string, more = '') => ({ Cookie: `${more}__Host-Http-meshgate=${text}` });
const ada = (changes: Partial<SessionClaims> = {}) => sealed(adas(start, changes));
const page = { 'X-Meshgate-Navigation': 'get' };
const form = { 'X-Meshgate-Navigation': 'post', 'X-Meshgate-Method': 'POST' };

/** The policy with a fresh time of a day. */
const slow: Table = { ...table, session: { ...table.session!, fresh: 86_400 } };

describe('a session', () => {
  it('passes with its caller’s headers, the first time and again', async () => {
    const text = await ada();
    for (let i = 0; i < 4; i++) {
      const { status, headers } = await context.check(cookie(text));
      expect(status).toBe(204);
      expect(headers).toEqual({
        'X-Meshgate-User': 'o-ada',
        'X-Meshgate-Provider': 'okta',
        'X-Meshgate-Rule': `${wiki}/*#1`,
        'X-Meshgate-Roles': 'staff,recent',
        'X-Meshgate-As': 'default',
        'X-Meshgate-H1': 'ada@example.com',
      });
    }
  });

  it('is found beside attempts to sign in', async () => {
    const text = await ada();
    for (let i = 0; i < 3; i++) {
      expect((await context.check({ Cookie: `__Host-Http-meshgate-a-x=y; __Host-Http-meshgate=${text}` })).status).toBe(
        204,
      );
      expect((await context.check({ Cookie: `__Host-Http-meshgate=${text}; __Host-Http-meshgate-a-x=y` })).status).toBe(
        204,
      );
    }
  });

  it('is found with spaces behind its cookie, and does not count beside a token', async () => {
    const text = await ada();
    for (let i = 0; i < 3; i++) {
      expect((await context.check({ Cookie: `__Host-Http-meshgate=${text}  ` })).status).toBe(204);
      const refused = await context.check({ ...cookie(text), Authorization: 'Bearer x' });
      expect(refused.headers['X-Meshgate-Reason']).not.toBe('credential_missing');
      expect(refused.status).toBe(401);
    }
  });

  it('is refused without the role', async () => {
    const { status, headers } = await context.check(cookie(await ada({ claims: { sub: 's', uid: 'u', groups: [] } })));
    expect(status).toBe(401);
    expect(headers).toMatchObject({ 'X-Meshgate-Status': '403', 'X-Meshgate-Reason': 'role_missing' });
    expect(headers['X-Meshgate-User']).toBe('o-u');
    expect(headers).not.toHaveProperty('X-Meshgate-Signin');
  });

  it('is told which claim the sign-in lacks, if it is refused for its roles', async () => {
    const help = { okta: [['resource_access.wiki.roles', 'at Keycloak: the mapper'] as const] };
    const helping = new Context({ ...table, session: { ...table.session!, help } });
    const detailOf = async (claims: Record<string, unknown>, headers = {}) => {
      const text = await ada({ claims: { sub: 's', uid: 'u', ...claims } });
      const answer = await helping.check({ ...cookie(text), ...headers });
      expect(answer.headers['X-Meshgate-Reason']).toBe('role_missing');
      return answer.headers['X-Meshgate-Detail'];
    };
    expect(await detailOf({})).toBe(
      'You are signed in, but none of your roles may do this here. Your sign-in returned no \\"resource_access.wiki.roles\\", which roles here require. If you should have one, tell the owner of the route: at Keycloak: the mapper',
    );
    const usual = 'You are signed in, but none of your roles may do this here. Ask the owner of the route.';
    expect(await detailOf({ 'resource_access.wiki.roles': ['reader'] })).toBe(usual);
  });

  it('sends its headers on a public route, and none for an anonymous caller', async () => {
    expect((await context.check(cookie(await ada()), 'public/*')).headers['X-Meshgate-User']).toBe('o-ada');
    const anonymous = await context.check(page, 'public/*');
    expect(anonymous.status).toBe(204);
    expect(Object.keys(anonymous.headers)).toEqual(['X-Meshgate-Rule', 'X-Meshgate-As']);
    const broken = await context.check({ ...cookie('k1.1.x'), ...page }, 'public/*');
    expect(broken.status).toBe(204);
    expect(Object.keys(broken.headers)).toEqual(['X-Meshgate-Rule', 'X-Meshgate-As']);
  });

  it('is ignored on a route that accepts only tokens', async () => {
    const { headers } = await context.check({ ...cookie(await ada()), ...page }, 'api/*');
    expect(headers['X-Meshgate-Reason']).toBe('credential_missing');
    expect(headers).not.toHaveProperty('X-Meshgate-Signin');
  });

  it('is ignored beside a token, valid or not', async () => {
    const text = await ada();
    await context.check(cookie(text));
    const bad = { ...cookie(text), Authorization: `Bearer ${text}` };
    const { headers } = await context.check(bad);
    expect(headers['X-Meshgate-Reason']).toBe('token_malformed');
    expect((await context.check({ ...bad, Authorization: 'Basic eA==' })).headers['X-Meshgate-Reason']).toBe(
      'credential_unsupported',
    );
  });

  it('says so if a route accepts no tokens', async () => {
    const { headers } = await context.check({ Authorization: 'Bearer a.b.c' }, 'pages/*');
    expect(headers).toMatchObject({ 'X-Meshgate-Reason': 'credential_unsupported', 'X-Meshgate-Status': '401' });
  });

  it('is refused if the cookie is sent twice', async () => {
    const text = await ada();
    const { headers } = await context.check({ Cookie: `__Host-Http-meshgate=${text}; __Host-Http-meshgate=${text}` });
    expect(headers).toMatchObject({ 'X-Meshgate-Reason': 'credential_duplicate', 'X-Meshgate-Status': '400' });
  });

  it('leads a page to the sign-in if the cookie is sent twice, so that the browser has one again', async () => {
    const Cookie = `__Host-Http-meshgate=${await ada()}; __Host-Http-meshgate=x`;
    const { headers } = await context.check({ Cookie, 'X-Meshgate-Navigation': 'get' });
    expect(headers).toMatchObject({ 'X-Meshgate-Reason': 'credential_duplicate', 'X-Meshgate-Signin': 'in' });
  });

  it.each<[string, () => Promise<string>]>([
    ['is altered', async () => `${await ada()}A`],
    ['is another host’s', () => sealed(adas(start), { host: 'board.example.com' })],
    ['is of an unknown key', () => sealed(adas(start), { key: ['k9', 9] })],
    ['is of another key by the same name', () => sealed(adas(start), { key: ['k1', 9] })],
    ['is empty', async () => ''],
    ['is of a provider that the host does not take', () => sealed(adas(start, { provider: 'other' }))],
  ])('counts as absent if it %s, and the page loses its cookie', async (_, make) => {
    const text = await make();
    for (let i = 0; i < 3; i++) {
      const script = await context.check(cookie(text));
      expect(script.headers).toMatchObject({
        'X-Meshgate-Status': '401',
        'X-Meshgate-Reason': 'credential_missing',
        'X-Meshgate-Signin': 'in',
      });
      expect(script.headers).not.toHaveProperty('X-Meshgate-Set-Cookie');
      expect((await context.check({ ...cookie(text), ...page })).headers['X-Meshgate-Set-Cookie']).toBe(gone);
    }
  });

  it('is valid for one host only, also as a known session', async () => {
    const text = await ada();
    await context.check(cookie(text));
    await context.check(cookie(text));
    const { headers } = await context.check(cookie(text), '*', 'board.example.com');
    expect(headers['X-Meshgate-Reason']).toBe('credential_missing');
  });

  it('is bound to the requested host if the policy has a wildcard', async () => {
    const text = await sealed(adas(start), { host: 'a.apps.example.com' });
    const ask = (host: string) =>
      context.check({ ...cookie(text), 'X-Meshgate-Host': host }, '*', '*.apps.example.com');
    expect((await ask('a.apps.example.com')).status).toBe(204);
    expect((await ask('b.apps.example.com')).headers['X-Meshgate-Reason']).toBe('credential_missing');
  });

  it('becomes too old for a role that needs a recent sign-in', async () => {
    const text = await ada({ fresh: start + 80000, authTime: start - 600 });
    for (let i = 0; i < 3; i++) expect((await context.check(cookie(text), 'admin/*')).status).toBe(204);
    at(299);
    expect((await context.check(cookie(text), 'admin/*')).status).toBe(204);
    at(300);
    for (let i = 0; i < 3; i++) {
      const { headers } = await context.check(cookie(text), 'admin/*');
      expect(headers).toMatchObject({
        'X-Meshgate-Reason': 'step_up_required',
        'X-Meshgate-Status': '401',
        'X-Meshgate-Signin': 'step&role=recent',
        'X-Meshgate-Roles': 'staff',
        'WWW-Authenticate': expect.stringMatching(
          /^Bearer realm="wiki\.example\.com", resource_metadata="[^"]+\/admin", error="insufficient_user_authentication", .*, acr_values="phr mfa", max_age="900"$/,
        ),
      });
      expect((await context.check(cookie(text))).status).toBe(204);
    }
  });

  it('has an unknown sign-in time if the provider did not send one, and so no recent sign-in', async () => {
    const text = await ada({ fresh: start + 80000, authTime: 0 });
    const { headers } = await context.check(cookie(text), 'admin/*');
    expect(headers).toMatchObject({ 'X-Meshgate-Signin': 'step&role=recent' });
  });

  it('ends when it is idle, at its end, and with a shorter policy', async () => {
    const text = await ada();
    at(28799);
    expect((await context.check(cookie(text))).status).toBe(204);
    for (const seconds of [28800, 28801, 90000]) {
      at(seconds);
      const { headers } = await context.check({ ...cookie(text), ...page });
      expect(headers).toMatchObject({ 'X-Meshgate-Reason': 'session_expired', 'X-Meshgate-Signin': 'in' });
      expect(headers).not.toHaveProperty('X-Meshgate-Set-Cookie');
    }
    at(3600);
    const shorter = new Context({ ...table, session: { ...table.session!, absolute: 1800 } });
    expect((await shorter.check(cookie(text))).headers['X-Meshgate-Reason']).toBe('session_expired');
    expect((await context.check(cookie(await ada({ end: start + 3600 })))).headers['X-Meshgate-Reason']).toBe(
      'session_expired',
    );
  });
});

describe('a session with its caller ready-made', () => {
  /** Without the role that keeps every caller from being ready-made. */
  const plain: Table = { ...table, roles: table.roles.slice(0, 1) };
  const ready = (changes: Partial<SessionClaims> = {}, of = plain) => sealedReady(adas(start, changes), of);
  const people = [{}, { claims: { uid: 'ada', groups: ['staff'] } }, { claims: { uid: 'ada', groups: [] } }];

  it('has the same responses as with its claims', async () => {
    const more = people.map((changes) => ({ ...changes, sid: 'b' }));
    for (const changes of [...people, ...more, { claims: {} }, { provider: 'other' }, { selection: 'x' }]) {
      const of = new Context(plain);
      for (const path of ['*', '*', 'public/*', 'admin/*', 'other/*']) {
        const expected = await of.check({ ...cookie(await ada(changes)), ...page }, path);
        expect(await of.check({ ...cookie(await ready(changes)), ...page }, path)).toEqual(expected);
      }
      expect(await of.whoami(cookie(await ready(changes)))).toEqual(await of.whoami(cookie(await ada(changes))));
    }
  });

  it('is used without its claims', async () => {
    const [first, second] = [await ready(), await ready({ sid: 'b' })];
    const of = new Context(plain);
    newEpoch();
    // It reads the session keys.
    expect((await of.check(cookie(first))).status).toBe(204);
    const parse = vi.spyOn(JSON, 'parse');
    expect((await of.check(cookie(second))).status).toBe(204);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it('ends when it is idle, and with a policy that was made shorter', async () => {
    const text = await ready();
    const shorter = new Context({ ...plain, session: { ...plain.session!, absolute: 1800 } });
    const idler = new Context({ ...plain, session: { ...plain.session!, idle: 1800 } });
    at(1799);
    for (const of of [shorter, idler]) expect((await of.check(cookie(text))).status).toBe(204);
    at(1800);
    for (const of of [shorter, idler]) {
      expect((await of.check(cookie(text))).headers['X-Meshgate-Reason']).toBe('session_expired');
    }
    at(28800);
    expect((await new Context(plain).check(cookie(text))).headers['X-Meshgate-Reason']).toBe('session_expired');
  });

  it('is not accepted by another policy', async () => {
    const { headers } = await new Context({ ...plain, selection: 'sel-2' }).check(cookie(await ready()));
    expect(headers['X-Meshgate-Reason']).toBe('session_expired');
  });

  it('is revoked as others are', async () => {
    const of = new Context(plain);
    const text = await ready();
    expect((await of.check(cookie(text))).status).toBe(204);
    fake.zones.revoked.set(revocationKey('sub', ofPerson(okta.issuer, ['sub', 'ada-sub'])), String(start + 1));
    newEpoch();
    for (const it of [of, new Context(plain)]) {
      expect((await it.check(cookie(text))).headers['X-Meshgate-Reason']).toBe('session_expired');
    }
  });

  it('is not accepted without its times', async () => {
    const head = readyHead(plain, plain.session!);
    for (const lines of [[], ['okta', '', '', ''], ['okta', 'x', '1', '1', 'o-ada', 'staff', '', '', '[]']]) {
      const text = await sealedText([head, ...lines].join('\n'), start);
      const { status, headers } = await new Context(plain).check(cookie(text));
      expect([status, headers['X-Meshgate-Reason']]).toEqual([401, 'credential_missing']);
    }
  });
});

describe('a page of another origin', () => {
  const post = (origin?: string) => ({
    'X-Meshgate-Method': 'POST',
    ...(origin !== undefined && { 'X-Meshgate-Origin': origin }),
  });

  it.each<[string | undefined, string, boolean]>([
    [undefined, '*', true],
    [`https://${wiki}:8443`, '*', true],
    [`https://${wiki}`, '*', false],
    [`http://${wiki}:8443`, '*', false],
    [`https://${wiki}:8443.evil.example`, '*', false],
    ['https://board.example.com:8443', '*', false],
    ['null', '*', false],
    ['https://app.example.com', '*', false],
    ['https://app.example.com', 'shared/*', true],
    ['null', 'shared/*', false],
    ['https://evil.example', 'public/*', false],
  ])('%s may send to %s: %s', async (origin, path, may) => {
    const text = await ada();
    for (let i = 0; i < 3; i++) {
      const { status, headers } = await context.check({ ...cookie(text), ...post(origin) }, path);
      expect(status).toBe(may ? 204 : 401);
      if (!may) {
        expect(headers).toMatchObject({ 'X-Meshgate-Status': '403', 'X-Meshgate-Reason': 'origin_refused' });
        expect(headers).not.toHaveProperty('X-Meshgate-Signin');
      }
    }
  });

  it('without a session is not checked', async () => {
    expect((await context.check(post('https://evil.example'), 'public/*')).status).toBe(204);
  });
});

describe('the ring', () => {
  it('rotates while sessions are open', async () => {
    const text = await ada();
    expect((await context.check(cookie(text))).status).toBe(204);
    writeRing(['k2', 2], ['k1', 1]);
    at(6);
    expect((await context.check(cookie(text))).status).toBe(204);
    expect((await context.check(cookie(await sealed(adas(start), { key: ['k2', 2] })))).status).toBe(204);
    writeRing(['k2', 2]);
    at(12);
    expect((await context.check(cookie(text))).headers['X-Meshgate-Reason']).toBe('credential_missing');
  });

  it('is read again for a key that another replica already has', async () => {
    expect((await context.check(cookie(await ada()))).status).toBe(204);
    writeRing(['k2', 2], ['k1', 1]);
    at(2);
    expect((await context.check(cookie(await sealed(adas(start), { key: ['k2', 2] })))).status).toBe(204);
  });

  it('that is missing opens nothing, ends nothing, and is logged once', async () => {
    const text = await ada();
    expect((await context.check(cookie(text))).status).toBe(204);
    for (const break_ of [() => rmSync(ringPath), () => writeFileSync(ringPath, '{}')]) {
      break_();
      at(6);
      const { headers } = await context.check({ ...cookie(text), ...page });
      expect(headers).toMatchObject({ 'X-Meshgate-Status': '503', 'X-Meshgate-Reason': 'check_unavailable' });
      expect(headers).not.toHaveProperty('X-Meshgate-Set-Cookie');
      expect(headers).not.toHaveProperty('X-Meshgate-Signin');
    }
    expect(fake.logged).toHaveLength(1);
    expect(fake.logged[0]).toContain('no session is opened or sealed');
    writeRing(['k1', 1]);
    at(8);
    expect((await context.check(cookie(text))).status).toBe(204);
  });
});

describe('renewal', () => {
  const newer = () => sealed(adas(start, { gen: 2, sealed: start + 550, fresh: start + 1150 }));

  it('happens early, by one request, which has the new cookie from then on', async () => {
    const text = await ada();
    at(479);
    await context.check(cookie(text));
    expect(requested).toEqual([]);
    at(481);
    renewing(202);
    const contexts = [context, new Context(), new Context()];
    for (let i = 0; i < 3; i++) {
      for (const one of contexts) expect((await one.check(cookie(text))).status).toBe(204);
    }
    expect(requested).toEqual([{ wait: '0', session: text, host: wiki }]);
    at(550);
    const renewed = await newer();
    renewing(200, renewed);
    const { status, headers } = await context.check(cookie(text));
    expect(status).toBe(204);
    expect(headers['X-Meshgate-Set-Cookie']).toBe(
      `__Host-Http-meshgate=${renewed}; Path=/; Secure; HttpOnly; SameSite=Lax`,
    );
    // The requests of the other tabs, still with the old cookie.
    renewing(204);
    expect((await context.check(cookie(text))).headers['X-Meshgate-Set-Cookie']).toContain(renewed);
    expect(requested).toHaveLength(2);
    expect((await context.check(cookie(renewed))).headers).not.toHaveProperty('X-Meshgate-Set-Cookie');
  });

  it.each([
    ['new to a context', false],
    ['known in a context', true],
  ])('follows at once if the clock that sealed the session was a day ahead: %s', async (_, isKnown) => {
    const day = 86_400;
    const text = await sealed(adas(start + day));
    if (isKnown) {
      at(day);
      expect((await context.check(cookie(text))).status).toBe(204);
      at(0);
    }
    renewing(200, await sealed(adas(start, { gen: 2 })));
    expect((await context.check(cookie(text))).headers['X-Meshgate-Set-Cookie']).toBeDefined();
    expect(requested).toEqual([{ wait: '1', session: text, host: wiki }]);
  });

  it('that a clock ahead by the skew has sealed is not renewed', async () => {
    const text = await sealed(adas(start + 30));
    expect((await context.check(cookie(text))).status).toBe(204);
    expect(requested).toEqual([]);
  });

  it('does not pass with a newer session either that a clock a day ahead has sealed', async () => {
    const day = 86_400;
    const text = await sealed(adas(start + day));
    at(day + 601);
    const newer = await sealed(adas(start + day, { gen: 2, sealed: start + day + 601, fresh: start + day + 1201 }));
    renewing(200, newer);
    expect((await context.check(cookie(text))).headers['X-Meshgate-Set-Cookie']).toContain(newer);
    at(0);
    const renewed = await sealed(adas(start, { gen: 3 }));
    renewing(200, renewed);
    expect((await context.check(cookie(text))).headers['X-Meshgate-Set-Cookie']).toContain(renewed);
  });

  it('seals again after a quarter of the idle time', async () => {
    const text = await ada({ fresh: start + 80000 });
    const calm = new Context(slow);
    at(7201);
    await calm.check(cookie(text));
    expect(requested).toEqual([{ wait: '0', session: text, host: wiki }]);
  });

  it('is requested again when the time is over, even shortly after an early request', async () => {
    const text = await ada();
    at(598);
    renewing(202);
    expect((await context.check(cookie(text))).status).toBe(204);
    at(601);
    const renewed = await newer();
    renewing(200, renewed);
    const { status, headers } = await context.check(cookie(text));
    expect([status, headers['X-Meshgate-Set-Cookie']]).toEqual([204, expect.stringContaining(renewed)]);
    expect(requested.map(({ wait }) => wait)).toEqual(['0', '1']);
  });

  it('is awaited if it is late', async () => {
    const text = await ada();
    at(700);
    const renewed = await sealed(adas(start + 700, { gen: 2 }));
    renewing(200, renewed);
    const { status, headers } = await context.check(cookie(text));
    expect(status).toBe(204);
    expect(headers['X-Meshgate-Set-Cookie']).toContain(renewed);
    expect(requested).toEqual([{ wait: '1', session: text, host: wiki }]);
  });

  it.each<[string, () => void]>([
    ['there is no record', () => renewing(204)],
    ['the sign-in’s side fails', () => renewing(500)],
    [
      'it does not answer',
      () => {
        fake.fetch = async () => {
          requested.push({ wait: '1', session: undefined, host: undefined });
          throw new Error('timed out');
        };
      },
    ],
    ['its answer is no cookie', () => renewing(200, 'x'.repeat(5000))],
  ])('uses the provider for a page if %s; other requests pass until the hard end', async (_, answer) => {
    const text = await ada();
    at(700);
    answer();
    for (let i = 0; i < 3; i++) {
      expect((await context.check(cookie(text))).status).toBe(204);
      expect((await context.check({ ...cookie(text), ...form })).status).toBe(204);
      const { headers } = await context.check({ ...cookie(text), ...page });
      expect(headers).toMatchObject({ 'X-Meshgate-Reason': 'session_expired', 'X-Meshgate-Signin': 'renew' });
      expect(headers).not.toHaveProperty('X-Meshgate-Set-Cookie');
    }
    expect(requested).toHaveLength(1);
    at(706);
    expect((await context.check(cookie(text))).status).toBe(204);
    expect(requested).toHaveLength(2);
  });

  it('uses the provider for a page if the claims are not confirmed in time; other requests are refused', async () => {
    const text = await ada();
    at(700);
    renewing(409);
    for (let i = 0; i < 3; i++) {
      for (const more of [{}, form]) {
        const { status, headers } = await context.check({ ...cookie(text), ...more });
        expect([status, headers['X-Meshgate-Reason']]).toEqual([401, 'session_expired']);
      }
      const { headers } = await context.check({ ...cookie(text), ...page });
      expect(headers).toMatchObject({ 'X-Meshgate-Reason': 'session_expired', 'X-Meshgate-Signin': 'renew' });
      expect(headers).not.toHaveProperty('X-Meshgate-Set-Cookie');
    }
    expect(requested).toHaveLength(1);
    at(706);
    renewing(204);
    expect((await context.check(cookie(text))).status).toBe(204);
  });

  it('ends a session that the provider ended', async () => {
    const text = await ada();
    at(700);
    renewing(401);
    for (let i = 0; i < 2; i++) {
      const { headers } = await context.check({ ...cookie(text), ...page });
      expect(headers).toMatchObject({
        'X-Meshgate-Reason': 'session_expired',
        'X-Meshgate-Signin': 'in',
        'X-Meshgate-Set-Cookie': gone,
      });
    }
    expect((await context.check(cookie(text))).headers).not.toHaveProperty('X-Meshgate-Set-Cookie');
    expect(requested).toHaveLength(1);
  });

  it('selects the claims again for another policy, and without a record the session is not accepted', async () => {
    const text = await ada({ selection: 'before' });
    renewing(200, await ada({ gen: 2 }));
    const { status, headers } = await context.check(cookie(text));
    expect(status).toBe(204);
    expect(headers['X-Meshgate-Set-Cookie']).toBeDefined();
    renewing(204);
    const script = await context.check(cookie(text));
    expect(script.headers).toMatchObject({ 'X-Meshgate-Reason': 'session_expired', 'X-Meshgate-Signin': 'renew' });
    renewing(401);
    expect((await context.check({ ...cookie(text), ...page })).headers['X-Meshgate-Set-Cookie']).toBe(gone);
    // A session of another policy never passes, however often it is sent.
    renewing(200, text);
    expect((await context.check(cookie(text))).headers['X-Meshgate-Reason']).toBe('session_expired');
  });

  it('is not requested by a page of another origin', async () => {
    at(700);
    await context.check({ ...cookie(await ada()), 'X-Meshgate-Origin': 'https://evil.example' });
    await context.check({ ...cookie(await ada({ selection: 'x' })), 'X-Meshgate-Origin': 'https://evil.example' });
    expect(requested).toEqual([]);
  });

  it('lets only a limited number of requests wait', async () => {
    at(700);
    fake.fetch = () => new Promise(() => {});
    for (let i = 0; i < 128; i++)
      void askRenewal('/run/check.sock', { provider: 'okta', host: wiki, text: 'text' }, true);
    renewing(200, await newer());
    const { status, headers } = await context.check(cookie(await ada()));
    expect([status, headers['X-Meshgate-Set-Cookie']]).toEqual([204, undefined]);
    expect(requested).toEqual([]);
  });
});

describe('a revocation', () => {
  function revoke(kind: Revocation['kind'], value: string, before = start + 1): void {
    fake.zones.revoked.set(revocationKey(kind, value), String(before));
    newEpoch();
  }

  it.each<[Revocation['kind'], string]>([
    ['sid', ofAny('AAECAwQFBgcICQoLDA0ODw')],
    ['psid', ofIssuer(okta.issuer, 'op-1')],
    ['sub', ofPerson(okta.issuer, ['sub', 'ada-sub'])],
    ['sub', ofPerson(okta.issuer, ['uid', 'ada'])],
    ['kid', ofAny('k1')],
  ])('of %s %s ends a known session, and an unknown one', async (kind, value) => {
    const text = await ada();
    for (let i = 0; i < 2; i++) expect((await context.check(cookie(text))).status).toBe(204);
    revoke(kind, value);
    for (const one of [context, new Context()]) {
      const { headers } = await one.check({ ...cookie(text), ...page });
      expect(headers).toMatchObject({
        'X-Meshgate-Reason': 'session_expired',
        'X-Meshgate-Signin': 'in',
        'X-Meshgate-Set-Cookie': gone,
      });
    }
  });

  it('of another session changes nothing, and needs no lookup until the next revocation', async () => {
    const text = await ada();
    await context.check(cookie(text));
    const look = vi.spyOn(fake.zones.revoked, 'get');
    await context.check(cookie(text));
    expect(look).not.toHaveBeenCalled();
    revoke('sub', ofPerson(okta.issuer, ['sub', 'bob']));
    revoke('sub', ofPerson(okta.issuer, ['sub', 'ada-sub']), start - table.clockSkew);
    for (let i = 0; i < 3; i++) expect((await context.check(cookie(text))).status).toBe(204);
    expect(look.mock.calls.length).toBeLessThan(10);
    look.mockRestore();
  });

  it('stays in force for a renewed session', async () => {
    const text = await ada();
    await context.check(cookie(text));
    at(700);
    renewing(200, async () => {
      revoke('sid', ofAny('AAECAwQFBgcICQoLDA0ODw'));
      return sealed(adas(start, { gen: 2, fresh: start + 1300 }));
    });
    expect((await context.check(cookie(text))).headers['X-Meshgate-Reason']).toBe('session_expired');
  });
});

describe('a replica that shares revocations with others', () => {
  const shared = { ...table, session: { ...table.session!, shared: true } as const };

  it('accepts no session before it has read them once', async () => {
    const text = await ada();
    const of = new Context(shared);
    for (let i = 0; i < 2; i++) {
      const { headers } = await of.check({ ...cookie(text), ...page });
      expect(headers).toMatchObject({ 'X-Meshgate-Status': '503', 'X-Meshgate-Reason': 'check_unavailable' });
      expect(headers).not.toHaveProperty('X-Meshgate-Set-Cookie');
      expect(headers).not.toHaveProperty('X-Meshgate-Signin');
      expect((await of.whoami(cookie(text))).status).toBe(503);
    }
    fake.zones.revoked.set(REVOCATIONS_READ, String(start));
    newEpoch();
    expect((await of.check(cookie(text))).status).toBe(204);
  });

  it('looks nothing up if nothing that it read is revoked', () => {
    fake.zones.revoked.set(REVOCATIONS_READ, String(start));
    newEpoch();
    expect(fake.zones.keys.get(EPOCH)).not.toMatch(/!$/);
  });
});

describe('whoami', () => {
  it('describes a session', async () => {
    const { status, headers, body } = await context.whoami(
      cookie(await ada({ claims: { ...adas(0).claims, acr: 'phr' } })),
    );
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    expect(JSON.parse(body)).toEqual({
      subject: 'o-ada',
      provider: 'okta',
      roles: ['staff', 'recent'],
      email: 'ada@example.com',
      credential: 'session',
      expires: start + 28800,
      fresh_until: start + 600,
      auth_time: start - 60,
      acr: 'phr',
    });
  });

  it.each<[string, () => Promise<Record<string, string>>, string, number, string]>([
    ['an anonymous caller', async () => ({}), wiki, 401, 'credential_missing'],
    ['another host’s session', async () => cookie(await ada()), 'board.example.com', 401, 'credential_missing'],
    ['an unknown host', async () => cookie(await ada()), 'x.example.com', 421, 'host_unknown'],
    ['an old policy’s session', async () => cookie(await ada({ selection: 'x' })), wiki, 401, 'session_expired'],
    ['a bad token', async () => ({ ...cookie(await ada()), Authorization: 'Bearer x' }), wiki, 401, 'token_malformed'],
    ['two cookies', async () => cookie('x', '__Host-Http-meshgate=y; '), wiki, 400, 'credential_duplicate'],
  ])('refuses %s', async (_, make, host, wanted, reason) => {
    const { status, headers, body } = await context.whoami({ ...(await make()), 'X-Meshgate-Request-Id': 'r1' }, host);
    expect(status).toBe(wanted);
    expect(headers['Content-Type']).toBe('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status: wanted, reason, request_id: 'r1' });
  });
});
