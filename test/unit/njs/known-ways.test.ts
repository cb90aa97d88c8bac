/** The short way of a known token against the long way: equal random requests must get equal answers, and equal counts. */
import { expect, test, vi } from 'vitest';
import { TokenCache } from '../../../src/njs/callers/tokens.ts';
import { checkHandler } from '../../../src/njs/check/check.ts';
import { gatewayOf } from '../../../src/njs/check/gateway.ts';
import { countsDict, keysDict } from '../../../src/njs/shared/dicts.ts';
import { EPOCH, newEpoch } from '../../../src/njs/shared/epoch.ts';
import { keepRevoked } from '../../../src/njs/shared/revoked.ts';
import type { Table } from '../../../src/rules/types.ts';
import { ofPerson } from '../../../src/session/revocation/revocation.ts';
import { type Answer, adas, adasToken, okta, publishKeys, run, sealed, table, wiki, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);

/** Returns the same numbers from 0 to 1 for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const token = (claims: Record<string, unknown>) => adasToken(start, claims);
const tokens = [
  token({}),
  token({ uid: 'eve', groups: [] }),
  token({ jti: 'j1', exp: start + 600 }),
  token({ exp: start + 40 }),
  token({ cnf: { jkt: 'A'.repeat(43) } }),
  token({ cnf: { 'x5t#S256': 'A'.repeat(43) } }),
  token({ aud: 'api://other' }),
  token({ aud: ['api://wiki', 'api://r2'] }),
  adasToken(start, {}, { alg: 'RS256', key: 'rsa' }),
];

const otherEnd = (of: string) => of.slice(0, -1) + (of.endsWith('A') ? 'B' : 'A');
const withClaims = (of: string) => of.replace(/\..*\./, `.${tokens[1]?.split('.')[1]}.`);

/** Headers that are similar to the usual one. */
const SIMILAR: readonly ((of: string) => string)[] = [
  ...[
    'bearer ',
    'BEARER ',
    'Bearer  ',
    'Bearer\t',
    'Bearer \t',
    ' Bearer ',
    'Bearer',
    'xBearer ',
    'DPoP ',
    'Bearer x',
    '',
  ].map((before) => (of: string) => before + of),
  ...[' ', '\t', ',', '=', '\u00e9', '\ufffd'].map((after) => (of: string) => `Bearer ${of}${after}`),
  (of) => `Bearer ${of}, Bearer ${of}`,
  (of) => `Bearer ${of.slice(1)}`,
  (of) => `Bearer ${of.slice(0, -1)}`,
  (of) => `Bearer ${otherEnd(of)}`,
  (of) => `Bearer ${withClaims(of)}`,
  // Parts of the header whose last characters are the key of the token.
  (of) => of.slice(-32),
  (of) => `Bearer ${of.slice(-32)}`,
  (of) => `Bearer ${of.slice(-25)}`,
  (of) => `Bearer ${'a'.repeat(9000)}${of}`,
  ...['query', 'Bearer ', 'Basic YTpi'].map((all) => () => all),
];

const api = table.routes[`${wiki}/api/*`] as Table['routes'][string];
const routes: Table['routes'] = { ...table.routes, [`${wiki}/r2/*`]: { ...api, audiences: ['api://r2'] } };
const PATHS = [...Object.keys(routes), 'none.example.com/*', `${wiki}/__proto__`];

const near = TokenCache.prototype.near;

/** Answers the requests of a seed.
 * @param isShort whether known tokens may take the short way */
async function answersOf(seed: number, isShort: boolean) {
  let taken = 0;
  vi.spyOn(TokenCache.prototype, 'near').mockImplementation(function (this: TokenCache, ...args) {
    const known = isShort ? near.apply(this, args) : undefined;
    if (known !== undefined) taken++;
    return known;
  });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  for (const zone of Object.values(fake.zones)) zone.clear();
  let now = start;
  vi.setSystemTime(now * 1000);
  writeRing(['k1', 1]);
  const cookie = `__Host-Http-meshgate=${await sealed(adas(start))}`;
  await publishKeys(start);
  newEpoch();

  const random = randomOf(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const session = table.session as NonNullable<Table['session']>;
  const own: Table = { ...table, routes, session: { ...session, ...(seed % 7 === 0 && { shared: true }) } };
  const workers = () => [checkHandler(gatewayOf(own)), checkHandler(gatewayOf(own))];
  let of = workers();
  const usual = pick(tokens);
  const answers: (readonly [path: string, authorization: string, answer: Answer])[] = [];

  const changes: readonly (() => unknown)[] = [
    () => {
      now += pick([1, 20, 60, 290, 700, 4000]);
      vi.setSystemTime(now * 1000);
    },
    () => {
      const value = ofPerson(okta.issuer, ['uid', pick(['ada', 'eve'])]);
      keepRevoked([{ kind: 'sub', value, before: now + pick([-100, 0, 1]), until: now + 9000, made: now }]);
    },
    () => publishKeys(now).then(newEpoch),
    () => {
      keysDict().clear();
      keysDict().set(EPOCH, `without keys ${now}`);
    },
    // A reload: the new workers know nothing.
    () => {
      of = workers();
    },
  ];
  for (let i = 0; i < 120; i++) {
    if (random() < 0.05) await pick(changes)();
    const shown = random() < 0.6 ? usual : pick(tokens);
    const authorization = random() < 0.5 ? `Bearer ${shown}` : pick(SIMILAR)(shown);
    const path = random() < 0.5 ? `${wiki}/*` : pick(PATHS);
    const answer = await run(pick(of), `/.meshgate/check/${path}`, {
      'X-Meshgate-Method': pick(['GET', 'GET', 'GET', 'POST', 'get', 'X'.repeat(40)]),
      Authorization: authorization,
      ...(random() < 0.2 && { Cookie: cookie }),
      ...(random() < 0.1 && { 'X-Meshgate-Origin': 'https://evil.example.com' }),
      ...(random() < 0.1 && { DPoP: 'x.y.z' }),
    });
    answers.push([path, authorization, answer]);
  }
  vi.restoreAllMocks();
  return { taken, answers, counts: countsDict().items() };
}

test('random requests get the same answers and counts on both ways', async () => {
  let taken = 0;
  let allowed = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const long = await answersOf(seed, false);
    const short = await answersOf(seed, true);
    for (const [i, answer] of short.answers.entries()) expect([seed, i, answer]).toEqual([seed, i, long.answers[i]]);
    expect(short.counts).toEqual(long.counts);
    expect(long.taken).toBe(0);
    taken += short.taken;
    allowed += short.answers.filter(([, , { status }]) => status === 204).length;
  }
  // Else the test would compare nothing.
  expect(taken).toBeGreaterThan(50);
  expect(allowed).toBeGreaterThan(taken);
});
