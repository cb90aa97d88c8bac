/** The work of the check for a known request: each operation costs every request time. No clock: the test counts. */
import { Session } from 'node:inspector/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { checkHandler } from '../../../src/njs/check/check.ts';
import { gatewayOf } from '../../../src/njs/check/gateway.ts';
import { keysDict } from '../../../src/njs/shared/dicts.ts';
import { EPOCH, newEpoch } from '../../../src/njs/shared/epoch.ts';
import { keepRevoked } from '../../../src/njs/shared/revoked.ts';
import type { Table } from '../../../src/rules/types.ts';
import { ofPerson } from '../../../src/session/revocation/revocation.ts';
import { adas, adasToken, forCheck, okta, publishKeys, sealed, table, wiki, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);

const METHODS = ['get', 'has', 'set', 'add', 'incr', 'delete', 'keys', 'items', 'size'] as const;

/** The operations on shared dictionaries since the last request, such as `counts.incr`. */
const operations: string[] = [];
let depth = 0;
for (const [zone, dict] of Object.entries(fake.zones)) {
  for (const method of METHODS) {
    const real = (dict[method] as (...args: unknown[]) => unknown).bind(dict);
    Object.assign(dict, {
      [method]: (...args: unknown[]) => {
        if (depth === 0) operations.push(`${zone}.${method}`);
        depth++;
        try {
          return real(...args);
        } finally {
          depth--;
        }
      },
    });
  }
}

/** What a request did. */
interface Done {
  readonly status: number;
  readonly operations: readonly string[];
  /** The headers of the request that were read, each as often as it was read. */
  readonly read: readonly string[];
  readonly answered: Readonly<Record<string, string>>;
  /** The members of njs's request object that were used. */
  readonly used: readonly string[];
}

let check: ReturnType<typeof checkHandler>;
const open = (of: Table = table) => {
  check = checkHandler(gatewayOf(of));
};

async function ask(headers: Readonly<Record<string, string>>, path = '*'): Promise<Done> {
  operations.length = 0;
  const read: string[] = [];
  const used: string[] = [];
  const answered: Record<string, string> = {};
  let status = 0;
  const sent = forCheck({ 'X-Meshgate-Method': 'GET', ...headers });
  const headersIn = new Proxy<Readonly<Record<string, string>>>(sent.headersIn, {
    get(of, name: string) {
      read.push(name);
      return of[name];
    },
  });
  const members: Record<string, unknown> = {
    uri: `/.meshgate/check/${wiki}/${path}`,
    headersIn,
    requestText: sent.requestText,
    headersOut: answered,
    return: (with_: number) => {
      status = with_;
    },
  };
  const r = new Proxy(members, {
    get(of, name: string) {
      used.push(name);
      return of[name];
    },
  });
  await check(r as unknown as NginxHTTPRequest);
  return { status, operations: [...operations], read, answered, used };
}

/** The last of four equal requests. The answer of a new credential is not stored, and the second context reads it from
 * shared memory. */
async function known(headers: Readonly<Record<string, string>>, path?: string): Promise<Done> {
  open();
  await ask(headers, path);
  open();
  await ask(headers, path);
  await ask(headers, path);
  return ask(headers, path);
}

const bearer = (token = adasToken(start)) => ({ Authorization: `Bearer ${token}` });

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  fake.logged.length = 0;
  vi.setSystemTime(start * 1000);
  writeRing(['k1', 1]);
  await publishKeys(start);
  newEpoch();
  open();
});

const USED = ['uri', 'headersIn', 'requestText', 'headersOut', 'return'];

describe('a known request', () => {
  it('with a token reads the epoch, adds to one counter, reads the body and one header, and writes one and its list', async () => {
    const { status, operations, read, answered, used } = await known(bearer());
    expect(status).toBe(204);
    expect(operations).toEqual(['keys.get', 'counts.incr']);
    expect(read).toEqual(['X-Meshgate-Method']);
    expect(Object.keys(answered)).toEqual(['X-Meshgate-Caller']);
    expect([...used].sort()).toEqual([...USED].sort());
  });

  it('with a session reads the epoch and adds to one counter', async () => {
    const { status, operations, read, used } = await known({
      Cookie: `__Host-Http-meshgate=${await sealed(adas(start))}`,
    });
    expect(status).toBe(204);
    expect(operations).toEqual(['keys.get', 'counts.incr']);
    expect([...read].sort()).toEqual(['X-Meshgate-Method', 'X-Meshgate-Origin']);
    expect([...used].sort()).toEqual([...USED, 'headersIn'].sort());
  });

  it('without a credential adds to one counter where anyone may pass', async () => {
    const { status, operations, answered, used } = await known({}, 'public/*');
    expect(status).toBe(204);
    expect(operations).toEqual(['counts.incr']);
    expect(answered).toEqual({ 'X-Meshgate-Caller': '.\tpublic#1\tdefault\t\t\t\t\t\t\t\t\t.' });
    expect([...used].sort()).toEqual([...USED].sort());
  });
});

function unpublish(): void {
  keysDict().clear();
  keysDict().set(EPOCH, 'later');
}

/** Runs a function; returns the functions of `src/` that it calls, by name, each as often as it is called. */
async function callsOf(act: () => Promise<unknown>): Promise<readonly string[]> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await session.post('Profiler.takePreciseCoverage');
  await act();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const called = result
    .filter(({ url }) => /\/src\/[^?]*\.ts/.test(url))
    .flatMap(({ functions }) =>
      functions.map(({ functionName, ranges }) => [functionName, ranges[0]?.count ?? 0] as const),
    );
  return called
    .filter(([name]) => name !== '')
    .flatMap(([name, count]) => Array.from({ length: count }, () => name))
    .sort();
}

describe('the functions that run', () => {
  // In nginx's QuickJS a call costs about 500 instructions, and nothing inlines a function.
  it('with a name are six for a known token, besides the handler', async () => {
    const headers = bearer();
    await known(headers);
    const calls = await callsOf(() => ask(headers));
    expect(calls).toEqual(['increment', 'isStillVerified', 'near', 'replayCached', 'send', 'withCaller']);
  });

  it('with a name are at most 18 for a known session', async () => {
    const headers = { Cookie: `__Host-Http-meshgate=${await sealed(adas(start))}` };
    await known(headers);
    const calls = await callsOf(() => ask(headers));
    expect(calls).toContain('replayCached');
    expect(calls.length, calls.join(' ')).toBeLessThanOrEqual(18);
  });
});

/** The same token in a header that takes the long way: the scheme of RFC 6750 in lower case. */
const longWay = (token: string) => ({ Authorization: `bearer ${token}` });

describe('a known token is answered by the short way as by the long one', () => {
  const token = adasToken(start);
  const changes: readonly (readonly [string, number, (() => void | Promise<void>)?])[] = [
    ['while it is valid', 204],
    ['after it has expired', 401, () => void vi.setSystemTime((start + 4000) * 1000)],
    [
      'after its person was signed out',
      401,
      () =>
        keepRevoked([
          {
            kind: 'sub',
            value: ofPerson(okta.issuer, ['uid', 'ada']),
            before: start + 1,
            until: start + 9000,
            made: start,
          },
        ]),
    ],
    ['after its key is no longer published', 401, unpublish],
  ];
  for (const [when, status, change] of changes) {
    it(when, async () => {
      for (let i = 0; i < 3; i++) {
        expect((await ask(bearer(token))).status).toBe(204);
        expect((await ask(longWay(token))).status).toBe(204);
      }
      await change?.();
      const { answered, status: given } = await ask(bearer(token));
      expect(given).toBe(status);
      expect(await ask(longWay(token))).toMatchObject({ answered, status });
    });
  }

  for (const [where, path] of [
    ['on a route that accepts other providers', 'other/*'],
    ['on a route that accepts only sessions', 'pages/*'],
  ] as const) {
    it(where, async () => {
      for (let i = 0; i < 4; i++) expect((await ask(bearer(token))).status).toBe(204);
      const { answered, status } = await ask(bearer(token), path);
      expect(status).toBe(401);
      expect(await ask(longWay(token), path)).toMatchObject({ answered, status });
    });
  }

  it('if another token has the same signature', async () => {
    const [head, claims, signature] = token.split('.') as [string, string, string];
    const other = adasToken(start, { uid: 'eve' }).split('.')[1] as string;
    for (const forged of [
      `${head}.${other}.${signature}`,
      `${head.slice(0, -1)}A.${claims}.${signature}`,
      `x${token}`,
    ]) {
      for (let i = 0; i < 3; i++) expect((await ask(bearer(token))).status).toBe(204);
      const { answered, status } = await ask(bearer(forged));
      expect(status).toBe(401);
      expect(await ask(longWay(forged))).toMatchObject({ answered, status });
    }
  });

  it('if it is bound to a key', async () => {
    const bound = adasToken(start, { cnf: { jkt: 'A'.repeat(43) } });
    for (let i = 0; i < 4; i++) {
      open();
      for (const headers of [bearer(bound), longWay(bound), bearer(bound)]) {
        expect((await ask(headers)).answered).toMatchObject({ 'X-Meshgate-Reason': 'proof_missing' });
      }
    }
  });
});
