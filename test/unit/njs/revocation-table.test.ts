import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { assertionClaims } from '../../../src/assertion/claims.ts';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import { signAssertion } from '../../../src/assertion/sign.ts';
import { readSigningKeys } from '../../../src/assertion/signing-keys.ts';
import { hopHandler } from '../../../src/njs/check/hop.ts';
import { AssertionSigner } from '../../../src/njs/keys/signer.ts';
import { REVOCATIONS_READ } from '../../../src/njs/shared/dicts.ts';
import { awaitRevocations } from '../../../src/njs/shared/revocation-reader.ts';
import { noteRead } from '../../../src/njs/shared/revocations-read.ts';
import { keepRevoked } from '../../../src/njs/shared/revoked.ts';
import { renewHandler } from '../../../src/njs/signin/renew/renew-session.ts';
import type { Table } from '../../../src/rules/types.ts';
import { REVOCATIONS_READ_S } from '../../../src/session/limits.ts';
import { revocation, revocationsOf } from '../../../src/session/revocation/new-revocation.ts';
import { identifyingClaims, meantBy, ofAny, ofIssuer } from '../../../src/session/revocation/revocation.ts';
import type { Revocation } from '../../../src/session/revocation/store.ts';
import type { SessionClaims } from '../../../src/session/types.ts';
import { thumbprintOf } from '../../../src/token/escaped-certificate.ts';
import { createCa } from '../../harness/pki.ts';
import { adas, adasToken, Context, okta, publishKeys, run, sealed, table, wiki, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';
import { HOST, ISSUER, Lab, type LabOptions } from './signin-lab.ts';

/*
 * Each cell of the table in docs/sessions.md: the path is walked with a credential that passes, then again after a
 * revocation of the kind. The walk comes to what the cell says.
 */

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);
const SERVICE = 'spiffe://example.org/ns/wiki/sa/wiki';

/** The properties of a credential that a revocation may name. */
interface Named {
  readonly sub?: readonly [provider: string, subject: string];
  readonly sid?: string;
  readonly psid?: string;
  readonly kid?: string;
  readonly jti?: string;
}

/** A credential that is ready for one use. */
interface Ready extends Named {
  readonly passes: () => Promise<boolean>;
}

type Prepare = () => Promise<Ready>;

const thumbprint = (pem: string) => thumbprintOf(new X509Certificate(pem).raw);

let ci: string;
let service: string;
let signingKeys: string;
beforeAll(async () => {
  const ca = await createCa();
  const life = { notBefore: new Date((start - 3600) * 1000), notAfter: new Date((start + 86_400) * 1000) };
  ci = (await ca.issue({ dns: ['ci.test'], ...life })).cert;
  service = (await ca.client(SERVICE, life)).cert;
  signingKeys = join(mkdtempSync(join(tmpdir(), 'meshgate-signing-')), 'keys.jwks');
  writeFileSync(signingKeys, await newSigningKeys(start));
});

beforeEach(async () => {
  policy = table;
  for (const zone of Object.values(fake.zones)) zone.clear();
  fake.fetch = async () => new Response(null, { status: 204 });
  writeRing(['k1', 1]);
  await publishKeys(start);
});

/** The policy of the gateway. */
let policy: Table = table;

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const cookie = (text: string) => ({ Cookie: `__Host-Http-meshgate=${text}` });
const ada = ['okta', 'o-ada'] as const;
const passed = async (answer: Promise<{ readonly status: number }>) => (await answer).status === 204;

const token =
  (known: boolean): Prepare =>
  async () => {
    const text = adasToken(start, { jti: 'j1', sid: 'op-1' });
    const context = new Context(policy);
    // The first lookup finds it in no memory, the second in the shared one.
    for (let i = 0; known && i < 3; i++) expect(await passed(context.check(bearer(text)))).toBe(true);
    const named: Named = { sub: ada, jti: 'j1', kid: 'p256', psid: 'op-1' };
    return { ...named, passes: () => passed((known ? context : new Context(policy)).check(bearer(text))) };
  };

const opaque: Prepare = async () => {
  const okta = { ...table.providers.okta!, introspection: { cache: 60, negative: 10, stale: 0 } };
  const of = { ...policy, asking: '/run/check.sock', providers: { ...table.providers, okta } } as Table;
  const reported = {
    active: true,
    token_type: 'Bearer',
    iss: okta.issuer,
    aud: 'api://wiki',
    sub: 'ada-sub',
    uid: 'ada',
  };
  const claims = { ...reported, groups: ['staff'], iat: start, exp: start + 600, jti: 'j1' };
  fake.fetch = async () => new Response(JSON.stringify(claims), { status: 200 });
  // It reaches a context that has received no request before.
  return { sub: ada, jti: 'j1', passes: () => passed(new Context(of).check(bearer('opaque-token'))) };
};

const ofAda: Named = { sub: ada, sid: 'AAECAwQFBgcICQoLDA0ODw', psid: 'op-1', kid: 'k1' };

const session =
  (known: boolean): Prepare =>
  async () => {
    const text = await sealed(adas(start));
    const context = new Context(policy);
    for (let i = 0; known && i < 2; i++) expect(await passed(context.check(cookie(text)))).toBe(true);
    return { ...ofAda, passes: () => passed((known ? context : new Context(policy)).check(cookie(text))) };
  };

/** It is sealed by the earlier key; its renewed cookie is sealed by the current key. */
const otherPolicy: Prepare = async () => {
  const text = await sealed(adas(start, { selection: 'before' }));
  writeRing(['k2', 2], ['k1', 1]);
  const renewed = await sealed(adas(start, { gen: 2 }), { key: ['k2', 2] });
  fake.fetch = async () => new Response(renewed, { status: 200 });
  return { ...ofAda, passes: () => passed(new Context(policy).check(cookie(text))) };
};

const whoami: Prepare = async () => {
  const text = await sealed(adas(start));
  return { ...ofAda, passes: async () => (await new Context(policy).whoami(cookie(text))).status === 200 };
};

/** A sign-in by the policy of the gateway. */
function labOf(options: LabOptions = {}): Lab {
  const shared = policy.session?.shared === true;
  const lab = new Lab({ ...options, shared });
  if (shared) noteRead(start);
  return lab;
}

const renewal: Prepare = async () => {
  const { context: renderContext } = labOf();
  const claims = { sub: 'ada' };
  const of: SessionClaims = { ...adas(start, { claims, issuer: ISSUER }), selection: 'SELECTION' };
  const text = (await renderContext.keyring.sealSession(HOST, { ...of, selection: 'BEFORE' }, start)) as string;
  await renderContext.store.put({ session: of, host: HOST, claims }, 600);
  const headers = { 'X-Meshgate-Host': HOST, 'X-Meshgate-Session': text, 'X-Meshgate-Wait': '1' };
  const named: Named = { ...ofAda, sub: ['okta', 'ada'] };
  return {
    ...named,
    passes: async () => (await run(renewHandler(renderContext), '/.meshgate/renew', headers)).status === 200,
  };
};

/** A browser is at the provider, and returns. */
const answered: Prepare = async () => {
  const lab = labOf();
  const browser = lab.browser();
  // Within one second it is unknown which was first.
  vi.setSystemTime((start - 1) * 1000);
  const back = lab.provider.authorize(await browser.begin());
  vi.setSystemTime(start * 1000);
  const named: Named = { sub: ['okta', 'ada'], psid: 'op-session', kid: 'k1' };
  return {
    ...named,
    passes: async () => {
      vi.setSystemTime((start + 2) * 1000);
      await browser.get(back);
      return browser.jar().has('__Host-Http-meshgate');
    },
  };
};

const ticket: Prepare = async () => {
  const lab = labOf({ signinHost: 'auth.example.com' });
  const browser = lab.browser();
  const to = await browser.get((await browser.begin('/page')).href);
  const back = await browser.get(lab.provider.authorize(new URL(to.location!)));
  const text = new URL(back.location!).searchParams.get('ticket')!;
  const plain = await lab.context.keyring.openFor('ticket', HOST, text, start);
  const { sid } = JSON.parse(plain!).session;
  const passes = async () => {
    await browser.get(back.location!);
    return browser.jar().has('__Host-Http-meshgate');
  };
  return { sub: ['okta', 'ada'], sid, psid: 'op-session', kid: 'k1', passes };
};

/** A policy with roles and rules for clients with certificates. */
const withCertificates: Table = {
  ...table,
  certificates: true,
  request: { networks: [], certificates: ['ci.test'] },
  roles: [['staff', { op: 'certificate', value: 'ci.test', at: { file: '', line: 1, column: 1 } }]],
  routes: { [`${wiki}/*`]: { ...table.routes[`${wiki}/*`]!, accept: ['bearer', 'certificate'] } },
};
const shown = () => ({ 'SSL-Client-Cert': encodeURIComponent(ci) });
const ofCi = (): Named => ({ sub: ['certificate', 'dns:ci.test'], kid: thumbprint(ci) });

const certificate: Prepare = async () => {
  const context = new Context({ ...withCertificates, session: policy.session! });
  for (let i = 0; i < 2; i++) expect(await passed(context.check(shown()))).toBe(true);
  return { ...ofCi(), passes: () => passed(context.check(shown())) };
};

const fact: Prepare = async () => {
  const context = new Context({ ...withCertificates, session: policy.session! });
  const requested = { ...bearer(adasToken(start, { groups: [] })), ...shown() };
  for (let i = 0; i < 2; i++) expect(await passed(context.check(requested))).toBe(true);
  return { ...ofCi(), passes: () => passed(context.check(requested)) };
};

const binding: Prepare = async () => {
  const context = new Context(policy);
  const requested = { ...bearer(adasToken(start, { cnf: { 'x5t#S256': thumbprint(ci) } })), ...shown() };
  for (let i = 0; i < 2; i++) expect(await passed(context.check(requested))).toBe(true);
  return { ...ofCi(), passes: () => passed(context.check(requested)) };
};

/** A request at the inner listener, with the assertion of Ada's request. */
const inner =
  (named: (kid: string) => Named, at = start): Prepare =>
  async () => {
    const assertion = { issuer: 'https://gateway.test', keysFile: signingKeys, lifetime: 60 };
    const hop = {
      selection: 'hop',
      agents: { [SERVICE]: { name: 'bot', service: 'wiki', actsFor: ['staff'], hops: 2 } },
    };
    const route = table.routes[`${wiki}/*`]!;
    const who = { kind: 'agent', agent: 'bot', actsFor: ['staff'] } as const;
    const rules = [...route.rules, { id: `${wiki}/*#2`, who, service: 'board', as: '' }];
    const routes = { [`${wiki}/*`]: { ...route, rules } };
    const keys = await readSigningKeys(readFileSync(signingKeys, 'utf8'));
    if (typeof keys === 'string') throw new Error(keys);
    const person = { provider: 'okta', subject: 'o-ada', roles: ['staff'] };
    const signed = await signAssertion(keys, assertionClaims(assertion, { service: 'wiki', as: '' }, person, at));
    if (!signed.ok) throw new Error(signed.reason);
    const handler = hopHandler({ ...policy, assertion, hop, routes }, hop, new AssertionSigner(assertion));
    const headers = {
      'X-Meshgate-Method': 'GET',
      'X-Meshgate-Assertion': signed.value,
      'SSL-Client-Cert': encodeURIComponent(service),
    };
    const ask = () => passed(run(handler, `/.meshgate/hop/${wiki}/*`, headers));
    for (let i = 0; i < 2; i++) expect(await ask()).toBe(true);
    return { ...named(keys.kid), passes: ask };
  };

const paths: Readonly<Record<string, Prepare>> = {
  'bearer token, new': token(false),
  'bearer token, known': token(true),
  'opaque token': opaque,
  'session cookie, new': session(false),
  'session cookie, known': session(true),
  'session cookie of another policy': otherPolicy,
  whoami,
  'renewal of a session': renewal,
  'the provider\u2019s answer to a sign-in that has begun': answered,
  'ticket of the sign-in\u2019s host': ticket,
  'certificate as credential': certificate,
  'certificate as a fact beside a token': fact,
  'certificate that a token is bound to': binding,
  'assertion at the inner listener': inner((kid) => ({ sub: ada, sid: ofAda.sid!, psid: 'op-1', kid, jti: 'j1' })),
  'assertion at the inner listener, by what only the credential had: a `sub` that is not the policy\u2019s subject, the provider\u2019s key, a certificate':
    inner(() => ({ sub: ['okta', 'ada-sub'], sid: ofAda.sid!, psid: 'op-1', kid: 'p256', jti: 'j1' })),
  'service\u2019s certificate at the inner listener': inner(() => ({
    sub: ['certificate', SERVICE],
    kid: thumbprint(service),
  })),
};

const COLUMNS = ['sub', 'sid', 'psid', 'kid', 'jti'] as const;

/** The issuers of the provider `okta`: in the checks, and in the sign-ins of the lab. */
const ISSUERS = [okta.issuer, ISSUER];

/** Revokes a property of a credential, or that of another credential if it lacks the property. */
function revoke(
  kind: (typeof COLUMNS)[number],
  { sub = ada, sid = 's', psid = 'p', kid = 'k', jti = 'j' }: Named,
): void {
  if (kind === 'sub') {
    revokePerson(sub, revocation('sub', '', start));
    return;
  }
  const value = { sid: ofAny(sid), kid: ofAny(kid), jti: ofAny(jti) };
  const values = kind === 'psid' ? ISSUERS.map((issuer) => ofIssuer(issuer, psid)) : [value[kind]];
  keepRevoked(values.map((one) => revocation(kind, one, start)));
}

/** Revokes a person as an operator types the subject. */
function revokePerson([provider, subject]: readonly [string, string], reported: Revocation): void {
  const of = identifyingClaims(table.providers, provider);
  if (of === undefined) throw new Error(`no provider ${provider}`);
  const { issuers, names } = meantBy(of, subject);
  keepRevoked(revocationsOf({ issuers: provider === 'okta' ? ISSUERS : issuers, names }, reported));
}

/** Rows of the table, by path: the cells of each column. */
function tableOfDocs(): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(new URL('../../../docs/sessions.md', import.meta.url), 'utf8');
  const from = text.indexOf('| path | `--subject`');
  const [, , ...rows] = text.slice(from, text.indexOf('\n\n', from)).split('\n');
  return new Map(
    rows.map((row) => {
      const [path = '', ...cells] = row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [path.replaceAll("'", '\u2019'), cells];
    }),
  );
}

const documented = tableOfDocs();

it('the documented table has each path, and no empty cell', () => {
  expect([...documented.keys()].sort()).toEqual(Object.keys(paths).sort());
  for (const cells of documented.values()) {
    expect(cells).toHaveLength(COLUMNS.length);
    for (const cell of cells) expect(['rejected', 'not in it', 'until it expires']).toContain(cell);
  }
});

describe.each([...documented])('%s', (path, cells) => {
  it.each(COLUMNS.map((kind, i) => [kind, cells[i] as string] as const))(
    'a revocation by %s: %s',
    async (kind, cell) => {
      const prepare = paths[path]!;
      expect(await (await prepare()).passes()).toBe(true);
      for (const zone of Object.values(fake.zones)) if (zone !== fake.zones.keys) zone.clear();
      vi.setSystemTime(start * 1000);
      writeRing(['k1', 1]);
      await publishKeys(start);
      const ready = await prepare();
      revoke(kind, ready);
      expect(await ready.passes()).toBe(cell !== 'rejected');
    },
  );

  it('a revocation of earlier credentials leaves it alone', async () => {
    const ready = await paths[path]!();
    revokePerson(ready.sub ?? ada, { ...revocation('sub', '', start), before: start - 7200 });
    expect(await ready.passes()).toBe(true);
  });
});

describe('by a clock that is 25 seconds ahead', () => {
  it('a token that was issued before is revoked with its subject, known or not', async () => {
    const text = adasToken(start + 25);
    const context = new Context(policy);
    for (let i = 0; i < 3; i++) expect(await passed(context.check(bearer(text)))).toBe(true);
    revokePerson(ada, revocation('sub', '', start + 3));
    for (const of of [context, new Context(policy)]) expect(await passed(of.check(bearer(text)))).toBe(false);
  });

  it('an assertion that was signed before is revoked with its subject', async () => {
    const { passes } = await inner(() => ({ sub: ada }), start + 25)();
    revokePerson(ada, revocation('sub', '', start + 3));
    expect(await passes()).toBe(false);
  });
});

it('a session that is sealed under a revoked key is rejected whatever its time, without any clock skew', async () => {
  keepRevoked([revocation('kid', ofAny('k1'), start)]);
  const strict = { ...table, clockSkew: 0 };
  const latest = 253402300799;
  for (const since of [start, latest - 1, latest]) {
    const text = await sealed(adas(start, { since, cut: latest }));
    expect([since, (await new Context(strict).check(cookie(text))).status]).toEqual([since, 401]);
  }
});

it('revocations are looked up if no epoch is known', async () => {
  const [text, token] = [await sealed(adas(start)), adasToken(start)];
  revokePerson(ada, revocation('sub', '', start));
  fake.zones.keys.delete('epoch');
  for (const headers of [cookie(text), bearer(token)])
    expect(await passed(new Context(policy).check(headers))).toBe(false);
});

describe('if replicas share revocations', () => {
  const shared: Table = { ...table, session: { ...table.session!, shared: true } };
  const unread = () => {
    for (const zone of [fake.zones.revoked, fake.zones.locks]) zone.clear();
    awaitRevocations(shared);
  };
  // A session is known in the context that opened it, after the revocations were read.
  const others = Object.entries(paths).filter(([path]) => path !== 'session cookie, known');

  it.each(others)('%s: rejected until revocations were read once', async (_, prepare) => {
    policy = shared;
    noteRead(start);
    const { passes } = await prepare();
    unread();
    expect(await passes()).toBe(false);
    noteRead(start);
    expect(await passes()).toBe(true);
  });

  it.each(['bearer token, known', 'session cookie, known', 'session cookie, new', 'certificate as credential'])(
    '%s: after a restart earlier reads count for an hour, also for credentials that came within it',
    async (path) => {
      policy = shared;
      noteRead(start - REVOCATIONS_READ_S + 60);
      fake.zones.locks.clear();
      awaitRevocations(shared);
      const { passes } = await paths[path]!();
      expect(await passes()).toBe(true);
      vi.setSystemTime((start + 61) * 1000);
      expect(await passes()).toBe(false);
      noteRead(start + 61);
      expect(await passes()).toBe(true);
    },
  );

  it.each<[string, string, boolean]>([
    ['two hours ago', String(start - 7200), false],
    ['ten minutes ago', String(start - 600), true],
    ['by a build that does not say when', '', false],
  ])('after a restart without etcd, an earlier read %s counts or not', async (_, mark, passes) => {
    policy = shared;
    fake.zones.revoked.set(REVOCATIONS_READ, mark);
    expect((await new Context(policy).check(bearer(adasToken(start)))).status === 204).toBe(passes);
  });
});

it('a token whose id is a number is revoked by its digits', async () => {
  const text = adasToken(start, { jti: 123 });
  const context = new Context(policy);
  for (let i = 0; i < 3; i++) expect(await passed(context.check(bearer(text)))).toBe(true);
  keepRevoked([revocation('jti', ofAny('123'), start)]);
  for (const of of [context, new Context(policy)]) expect(await passed(of.check(bearer(text)))).toBe(false);
});
