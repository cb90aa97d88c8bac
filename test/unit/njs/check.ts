import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sessionText } from '../../../src/caller/ready.ts';
import { checkHandler } from '../../../src/njs/check/check.ts';
import { gatewayOf } from '../../../src/njs/check/gateway.ts';
import { whoamiHandler } from '../../../src/njs/check/whoami.ts';
import { keysDict, keysName } from '../../../src/njs/shared/dicts.ts';
import type { Table } from '../../../src/rules/types.ts';
import { claimsText } from '../../../src/session/cookie-claims.ts';
import { seal } from '../../../src/session/keys/seal.ts';
import type { SessionClaims } from '../../../src/session/types.ts';
import { readKeySet } from '../../../src/token/keys/jwks.ts';
import { fetched, noKeys } from '../../../src/token/keys/key-refresh.ts';
import { ringKey, ringOf } from '../session/rings.ts';
import { jwks, makeToken, publicJwk, type TokenParts } from '../token/maker.ts';
import { usualProvider } from '../token/specs/spec.ts';

/** A gateway's check with sessions, in Node: two hosts, a wildcard and a provider. */

export const wiki = 'wiki.example.com';

/** The file of the session keys. */
export const ringPath = join(mkdtempSync(join(tmpdir(), 'meshgate-check-')), 'session.jwks');

/** @param keys names and numbers, see {@link ringOf} */
export const writeRing = (...keys: readonly (readonly [string, number])[]) =>
  writeFileSync(ringPath, JSON.stringify({ keys: keys.map(([kid, seed]) => ringKey(kid, seed)) }));

export const okta = {
  ...usualProvider,
  name: 'okta',
  issuer: 'https://okta.example.com',
  subject: { claim: 'uid', prefix: 'o-' },
};
const other = { ...usualProvider, name: 'other', issuer: 'https://other.example.com' };

const rule = (name: string, who: Table['routes'][string]['rules'][number]['who']) => ({
  id: `${name}#1`,
  who,
  service: 'wiki',
  as: 'default',
});
const at = { file: '', line: 1, column: 1 };
const staff = { kind: 'role', role: 'staff' } as const;
const both = ['bearer', 'session'] as const;

const route = (name: string, more: Partial<Table['routes'][string]> = {}): Table['routes'] => ({
  [name]: {
    providers: ['okta'],
    rules: [rule(name, staff)],
    headers: { 'X-User': 'subject', 'X-Email': 'email' },
    accept: both,
    ...more,
  },
});

export const table: Table = {
  selection: 'sel-1',
  clockSkew: 30,
  tokenCache: 300,
  keys: { refresh: 300, stale: 86400, coolDown: 10 },
  providers: { okta, other },
  roles: [
    ['staff', { op: 'group', value: 'staff', at }],
    [
      'recent',
      {
        op: 'all',
        facts: [
          { op: 'role', value: 'staff', at },
          { op: 'max_age', value: 900, at },
        ],
        at,
      },
    ],
  ],
  claims: [],
  sends: { email: true, name: false, groups: false },
  headerNames: ['X-User', 'X-Email'],
  routes: {
    ...route(`${wiki}/*`),
    ...route(`${wiki}/public/*`, { rules: [rule('public', { kind: 'anyone' })] }),
    ...route(`${wiki}/api/*`, { accept: ['bearer'] }),
    ...route(`${wiki}/pages/*`, { accept: ['session'] }),
    ...route(`${wiki}/shared/*`, { origins: ['https://app.example.com'] }),
    ...route(`${wiki}/admin/*`, { rules: [rule('admin', { kind: 'role', role: 'recent' })] }),
    ...route(`${wiki}/other/*`, { providers: ['other'] }),
    ...route('board.example.com/*'),
    ...route('*.apps.example.com/*'),
  },
  answerRoom: 4096,
  egress: '/run/egress.sock',
  publicPort: 8443,
  session: {
    keysFile: ringPath,
    idle: 28800,
    absolute: 86400,
    fresh: 600,
    keep: { paths: {}, elements: {} },
    socket: '/run/check.sock',
  },
  stepUps: { recent: { acrValues: ['phr', 'mfa'], maxAge: 900 } },
};

/** Puts the keys of the provider `okta` into shared memory, as its job stores them there. */
export async function publishKeys(now: number): Promise<void> {
  const set = await readKeySet(jwks(publicJwk('rsa'), publicJwk('p256')));
  if (!set.ok) throw new Error(set.error);
  keysDict().set(keysName(okta), JSON.stringify(fetched(noKeys, set.keys, now)));
}

/** A token of Ada's, signed by the provider `okta` at `now`. */
export const adasToken = (now: number, claims: Record<string, unknown> = {}, parts: Partial<TokenParts> = {}): string =>
  makeToken({
    alg: 'ES256',
    key: 'p256',
    ...parts,
    claims: {
      iss: okta.issuer,
      aud: 'api://wiki',
      sub: 'ada-sub',
      uid: 'ada',
      groups: ['staff'],
      iat: Math.floor(now),
      exp: Math.floor(now) + 3600,
      ...claims,
    },
  });

/** The result of a request. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Handler = (r: NginxHTTPRequest) => unknown;

/** Returns the headers and the body that nginx sends to the check: `Authorization`, and the cookies in the second line. */
export function forCheck({ Authorization = '', Cookie = '', ...headersIn }: Readonly<Record<string, string>>) {
  return { headersIn, requestText: `${Authorization}\n${Cookie}` };
}

export async function run(handler: Handler, uri: string, sent: Readonly<Record<string, string>>): Promise<Answer> {
  const headers: Record<string, string> = {};
  let answered: Answer | undefined;
  await handler({
    uri,
    method: 'GET',
    ...(uri.startsWith('/.meshgate/check/') ? forCheck(sent) : { headersIn: sent }),
    headersOut: headers,
    return(status: number, body = '') {
      if (answered !== undefined) throw new Error('answered twice');
      answered = { status, headers, body };
    },
  } as unknown as NginxHTTPRequest);
  if (answered === undefined) throw new Error('not answered');
  return answered;
}

/** `X-Meshgate-Caller` as headers of its fields, those of identity headers by their number; empty fields are left
 * out. */
function apart({ 'X-Meshgate-Caller': caller, ...headers }: Answer['headers']): Answer['headers'] {
  const [, rule, as, user, provider, roles, agent, actors, alone, claims, pseudonym, ...identity] =
    caller?.split('\t').slice(0, -1) ?? [];
  const fields = { Rule: rule, As: as, User: user, Provider: provider, Roles: roles, Agent: agent, Actors: actors };
  const more = { Alone: alone, Claims: claims, Pseudonym: pseudonym };
  const all = [...Object.entries({ ...fields, ...more }), ...identity.map((value, i) => [`H${i}`, value] as const)];
  const reported = all.flatMap(([name, value]) => (value ? [[`X-Meshgate-${name}`, value]] : []));
  return { ...headers, ...Object.fromEntries(reported) };
}

/** One context of a gateway with its memory. */
export class Context {
  readonly #check: Handler;
  readonly #whoami: Handler;

  constructor(of: Table = table) {
    const gateway = gatewayOf(of);
    this.#check = checkHandler(gateway);
    this.#whoami = whoamiHandler(gateway);
  }

  /** @param path of the route, `*` by default */
  async check(headers: Readonly<Record<string, string>> = {}, path = '*', host = wiki): Promise<Answer> {
    const answer = await run(this.#check, `/.meshgate/check/${host}/${path}`, {
      'X-Meshgate-Method': 'GET',
      ...headers,
    });
    return { ...answer, headers: apart(answer.headers) };
  }

  whoami(headers: Readonly<Record<string, string>> = {}, host = wiki): Promise<Answer> {
    return run(this.#whoami, '/.meshgate/whoami', { 'X-Meshgate-Host': host, ...headers });
  }
}

/** A session of Ada's that began, and was sealed, so many seconds before `now`. */
export function adas(now: number, changes: Partial<SessionClaims> = {}): SessionClaims {
  const at = Math.floor(now);
  return {
    sid: 'AAECAwQFBgcICQoLDA0ODw',
    provider: 'okta',
    issuer: okta.issuer,
    psid: 'op-1',
    selection: table.selection,
    gen: 1,
    since: at,
    authTime: at - 60,
    sealed: at,
    fresh: at + 600,
    end: at + 86400,
    claims: { sub: 'ada-sub', uid: 'ada', groups: ['staff'], email: 'ada@example.com', email_verified: true },
    ...changes,
  };
}

/** The value of a cookie with a text in it. */
export async function sealedText(
  text: string,
  now: number,
  { host = wiki, key = ['k1', 1] as readonly [string, number] } = {},
): Promise<string> {
  return seal(await ringOf(key), 'session', host, text, now);
}

/** The value of a session cookie from whose claims the caller is made. */
export const sealed = (
  session: SessionClaims,
  { host = wiki, key = ['k1', 1] as readonly [string, number], now = session.sealed } = {},
): Promise<string> => sealedText(claimsText(session), now, { host, key });

/** The value of a session cookie as it is sealed by a policy. */
export const sealedReady = (session: SessionClaims, of: Table): Promise<string> =>
  sealedText(sessionText(session, of, { ...of.session! }, session.sealed), session.sealed);
