/** Random policies, with roles by group and by address: `prove` and `diff` agree with the decisions about requests. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Offline } from '../../../src/cli/decide/offline.ts';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { type DecidingCaller, decide } from '../../../src/rules/decide/decide.ts';
import { match } from '../../../src/rules/decide/match.ts';
import { holds } from '../../harness/property.ts';
import { meshgate } from '../cli/fake.ts';

const NETWORKS = [['10.0.0.0/8'], ['10.1.0.0/16', '192.0.2.7/32'], ['2001:db8::/32'], ['128.0.0.0/1']];
const ADDRESSES = ['10.1.2.3', '10.2.0.1', '192.0.2.7', '192.0.2.8', '203.0.113.1', '2001:db8::1', '2001:db9::1'];
const GROUPS = ['staff', 'boss'];
const ROLES = ['r0', 'r1', 'r2'];
const AGENTS = ['pages', 'bot'];
const METHODS = ['GET', 'POST', 'PUT'];
const PLACES = ['wiki.example.com/*', 'wiki.example.com/a/*', 'wiki.example.com/a', '*.example.com/*'];
/** A host that only the wildcard matches. */
const OTHER_HOST = 'x.example.com';
const HOSTS = ['wiki.example.com', OTHER_HOST];
const PATHS = ['/', '/a', '/a/x', '/b'];

const leaf = fc.oneof(
  fc.record({ group: fc.constantFrom(...GROUPS) }),
  fc.record({ network: fc.constantFrom(...NETWORKS) }),
);

/** The fact of a role, which may include the roles before it. */
function factOf(role: string) {
  const before = ROLES.slice(0, ROLES.indexOf(role));
  const part = before.length === 0 ? leaf : fc.oneof({ weight: 3, arbitrary: leaf }, fc.constantFrom(...before));
  const parts = fc.uniqueArray(part, { minLength: 2, maxLength: 3, selector: (it) => JSON.stringify(it) });
  const none = fc.tuple(part, leaf).map(([one, other]) => ({ all: [one, { none: [other] }] }));
  return fc.oneof(
    leaf,
    parts.map((all) => ({ all })),
    parts.map((any) => ({ any })),
    none,
  );
}

const rule = fc
  .record({
    who: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...ROLES.map((role) => ({ role }))) },
      { weight: 1, arbitrary: fc.constantFrom(...['anyone', 'authenticated'].map((who) => ({ who }))) },
      { weight: 2, arbitrary: fc.constantFrom(...AGENTS.map((agent) => ({ agent }))) },
    ),
    methods: fc.option(fc.subarray(['GET', 'POST'], { minLength: 1 }), { nil: undefined }),
    service: fc.option(fc.constant('other'), { freq: 3, nil: undefined }),
  })
  .map(({ who, ...rest }) => ({ ...who, ...rest }));

const rules = fc.option(fc.array(rule, { minLength: 1, maxLength: 3 }), { nil: undefined });

/** A part of a policy on two sides, which are often the same. */
const pairOf = <T>(one: fc.Arbitrary<T>) =>
  fc.tuple(one, one, fc.nat(5)).map(([left, right, differs]) => [left, differs === 0 ? right : left] as const);

type Pairs<T> = Readonly<Record<string, readonly [T, T]>>;

const pairsOf = <T>(keys: readonly string[], one: (key: string) => fc.Arbitrary<T>): fc.Arbitrary<Pairs<T>> =>
  fc.record(Object.fromEntries(keys.map((key) => [key, pairOf(one(key))])));

function textOf(
  side: 0 | 1,
  roles: Pairs<unknown>,
  places: Pairs<readonly object[] | undefined>,
  actsFor: readonly [readonly string[], readonly string[]],
): string {
  // At this host, each role and service is used.
  const used = { '/*': { service: 'other', allow: Object.keys(roles) } };
  const hosts: Record<string, Record<string, unknown>> = { 'all.example.com': used };
  for (const [place, { [side]: allow }] of Object.entries(places)) {
    if (allow === undefined) continue;
    const [host, ...path] = place.split('/') as [string, ...string[]];
    // A route for agents alone needs a rule for people.
    const more = allow.every((it) => 'agent' in it) ? [{ role: 'r0' }] : [];
    hosts[host] = { ...hosts[host], [`/${path.join('/')}`]: { service: 'wiki', allow: [...allow, ...more] } };
  }
  return JSON.stringify({
    version: 1,
    gateway: { insecure_http: true },
    providers: { idp: { issuer: 'https://idp.example.com', audiences: ['wiki'] } },
    roles: Object.fromEntries(Object.entries(roles).map(([name, fact]) => [name, fact[side]])),
    agents: {
      pages: { match: { client_id: 'pages' }, acts_for: actsFor[side], bound: 'none' },
      bot: { match: { client_id: 'bot' }, alone: true, bound: 'none' },
    },
    services: { wiki: { insecure_url: 'http://wiki' }, other: { insecure_url: 'http://other' } },
    hosts,
  });
}

const actsFor = fc.subarray(ROLES, { minLength: 1 });

/** The texts of two valid policies. */
const policies = fc
  .tuple(
    pairsOf(ROLES, factOf),
    pairsOf<readonly object[] | undefined>(PLACES, () => rules),
    pairOf(actsFor),
  )
  .map((parts) => [textOf(0, ...parts), textOf(1, ...parts)] as const)
  .filter((texts) => texts.every((text) => parsePolicy(text, 'p.yaml').errors.length === 0));

/** Who sends a request: without groups, an anonymous caller. */
interface Sender {
  readonly network: string;
  readonly groups?: readonly string[] | undefined;
  readonly agent?: string | undefined;
}

interface Target {
  readonly method: string;
  readonly host: string;
  readonly path: string;
}

const request: fc.Arbitrary<Target & Sender> = fc.record({
  method: fc.constantFrom(...METHODS),
  host: fc.constantFrom(...HOSTS),
  path: fc.constantFrom(...PATHS),
  network: fc.constantFrom(...ADDRESSES),
  groups: fc.option(fc.subarray(GROUPS), { freq: 2, nil: undefined }),
  agent: fc.option(fc.constantFrom(...AGENTS), { freq: 2, nil: undefined }),
});

/** The decisions of a policy. */
function decisionsOf(text: string) {
  const { policy } = parsePolicy(text, 'p.yaml') as { readonly policy: Policy };
  const [offline, compiled] = [new Offline(policy, 1_800_000_000), compile(policy)];
  return {
    callerOf({ network, groups, agent }: Sender): DecidingCaller {
      if (groups === undefined) return offline.ofNobody({ network }).caller;
      const claims = {
        groups,
        ...(agent !== undefined && { client_id: agent }),
        ...(agent === 'bot' && { sub: agent }),
      };
      const caller = offline.ofClaims('idp', claims, ['idp'], undefined, { network });
      if (!caller.ok) throw new Error(caller.detail);
      return caller.value.caller;
    },
    /** The rule that allows the request of a caller; undefined if it is refused. */
    allowedBy({ method, host, path }: Target, caller: DecidingCaller | null) {
      const at = match(policy.hosts, host, path);
      if ('reason' in at) return undefined;
      const decision = decide(compiled, caller, { route: at.route.name, method });
      return decision.allow ? decision.rule : undefined;
    },
  };
}

/** A change of access in the answer of `diff`. */
interface Change {
  readonly kind: 'gained' | 'lost' | 'changed';
  readonly who: 'anyone' | 'nobody' | 'authenticated' | 'roles' | 'alone';
  readonly roles?: readonly string[];
  readonly agent?: string;
  readonly host: string;
  readonly paths: readonly { readonly path: string; readonly except: readonly string[] }[];
  readonly methods: 'all' | { readonly only: readonly string[] } | { readonly except: readonly string[] };
}

const isPath = (pattern: string, path: string): boolean =>
  pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) || path === pattern.slice(0, -2) : path === pattern;

/** Whether a change is about this request. `callers` are its callers by both policies. */
function isAbout(change: Change, { host, path, method }: Target, callers: readonly DecidingCaller[]): boolean {
  const { methods, roles = [], who } = change;
  const { agent, alone = false, nobody = false } = callers[0] as DecidingCaller;
  return (
    change.host === (host === OTHER_HOST ? '*.example.com' : host) &&
    change.paths.some((it) => isPath(it.path, path) && !it.except.some((inner) => isPath(inner, path))) &&
    (methods === 'all' || ('only' in methods ? methods.only.includes(method) : !methods.except.includes(method))) &&
    change.agent === agent &&
    (who === 'alone') === alone &&
    (who === 'nobody' ? nobody : who !== 'authenticated' || !nobody) &&
    callers.some((caller) => roles.every((role) => caller.roles.includes(role)))
  );
}

async function report(command: string, [before, after]: readonly [string, string]) {
  const files = { 'a.yaml': before, 'b.yaml': after };
  return JSON.parse((await meshgate([command, '--format', 'json', 'a.yaml', 'b.yaml'], { files })).out);
}

test('prove and diff of random policies agree with the decisions about random requests', async () => {
  const seen = { differs: 0, same: 0, witnesses: 0, listed: 0 };
  await holds(
    fc.asyncProperty(policies, fc.array(request, { minLength: 40, maxLength: 40 }), async (texts, requests) => {
      const [left, right] = [decisionsOf(texts[0]), decisionsOf(texts[1])];
      const [proof, difference] = [await report('prove', texts), await report('diff', texts)];
      const changes: readonly Change[] = difference.changes;
      for (const one of requests) {
        const callers = [left.callerOf(one), right.callerOf(one)] as const;
        const [before, after] = [left.allowedBy(one, callers[0]), right.allowedBy(one, callers[1])];
        if (before?.service === after?.service) continue;
        seen.differs += 1;
        expect(proof.same).toBe(false);
        expect(difference.changed).toBe(true);
        // If a role or agent changed, `diff` lists this, and access only of anonymous callers, by their address.
        if (difference.definitions.length > 0 && one.groups !== undefined) continue;
        seen.listed += 1;
        expect(proof.witness).toBeDefined();
        // If one role loses what another role gains, `diff` does not list a caller who has both.
        const about = new Set(changes.flatMap((change) => (isAbout(change, one, callers) ? [change.kind] : [])));
        const kinds = before && after ? ['gained', 'lost'] : [before ? 'lost' : 'gained'];
        const isListed =
          kinds.every((kind) => about.has(kind as Change['kind'])) || (before && after && about.has('changed'));
        expect(isListed).toBe(true);
      }
      if (proof.same) seen.same += 1;
      expect(changes.length > 0).toBe(proof.witness !== undefined);
      if (proof.witness === undefined) return;
      seen.witnesses += 1;
      const { method, url, caller, a, b } = proof.witness;
      const { host, pathname: path } = new URL(url);
      const sides = [[left, a, caller.left ?? caller.roles] as const, [right, b, caller.roles] as const];
      for (const [side, found, roles] of sides) {
        if (caller.address !== undefined) expect(side.callerOf({ network: caller.address }).roles).toEqual(roles);
        const own = caller.kind === 'nobody' ? null : { ...caller, roles };
        expect(side.allowedBy({ method, host, path }, own)?.id).toBe(found.rule);
      }
    }),
    100,
  );
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(10);
});
