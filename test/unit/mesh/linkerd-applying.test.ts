/** The steps of docs/linkerd.md, in the model of Linkerd: while objects are applied and deleted, and while Linkerd
 * accepts the routes one by one, no request passes that neither the old nor the new policy allows. During an update, no
 * request is denied that both policies allow. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { linkerd } from '../../../src/targets/linkerd/index.ts';
import { takenIn } from '../../mesh/linkerd/admission.ts';
import { type Cluster, clusterOf, type Requested, verdictOf } from '../../mesh/linkerd/evaluate.ts';
import type { LinkerdObject } from '../../mesh/linkerd/objects.ts';

const GOLDEN = new URL('../targets/linkerd/golden/', import.meta.url);

/** The objects of a policy, or the copies for an update.
 * @param created a later time for objects that are created later */
function objectsIn(text: string, created = '1', forUpdate = false): readonly LinkerdObject[] {
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
  const { files } = linkerd.emit(policy, compile(policy), { forUpdate });
  return parseAllDocuments(String(files['linkerd.yaml'])).map((it) => takenIn(it.toJS(), created));
}

const textOf = (name: string): string => readFileSync(new URL(`${name}/policy.yaml`, GOLDEN), 'utf8');

/** The subsets of a list: all of a short one, and of a longer one a fixed selection. */
function subsets<T>(items: readonly T[]): readonly (readonly T[])[] {
  const all = 2 ** items.length;
  const masks =
    items.length <= 7
      ? [...Array(all).keys()]
      : [0, all - 1, ...Array.from({ length: 100 }, (_, i) => ((i + 1) * 2654435761) % all)];
  return masks.map((mask) => items.filter((_, i) => Math.floor(mask / 2 ** i) % 2 === 1));
}

/** A list without its items, then with one item more each time. */
const oneByOne = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  [...items, undefined].map((_, i) => items.slice(0, i));

const ofKind = (objects: readonly LinkerdObject[], ...kinds: readonly string[]) =>
  objects.filter(({ kind }) => kinds.includes(kind));
const without = (objects: readonly LinkerdObject[], ...kinds: readonly string[]) =>
  objects.filter(({ kind }) => !kinds.includes(kind));

const [SERVER, ROUTE, POLICY] = ['Server', 'HTTPRoute', 'AuthorizationPolicy'] as const;

type Objects = readonly LinkerdObject[];
/** The parts of some objects that are there while Linkerd accepts, or someone deletes, one after the other. */
type Parts = (items: Objects) => readonly Objects[];

/** Routes, Servers and identities are applied, routes are accepted one by one, and authorizations follow. */
function* applying(there: Objects, added: Objects, parts: Parts = subsets) {
  const names = new Set(added.map(nameOf));
  const others = [...there.filter((it) => !names.has(nameOf(it))), ...without(added, ROUTE, POLICY)];
  for (const accepted of parts(ofKind(added, ROUTE))) yield [...others, ...accepted];
  for (const applied of parts(ofKind(added, POLICY))) yield [...others, ...ofKind(added, ROUTE), ...applied];
}

function* deleting(there: Objects, deleted: Objects, parts: Parts = subsets) {
  for (const left of parts(deleted)) yield [...there.filter((it) => !deleted.includes(it)), ...left];
}

/** Authorizations are deleted, and then routes. */
function* pruning(there: Objects, pruned: Objects, parts: Parts = subsets) {
  yield* deleting(there, ofKind(pruned, POLICY), parts);
  const left = there.filter((it) => !ofKind(pruned, POLICY).includes(it));
  yield* deleting(left, ofKind(pruned, ROUTE), parts);
}

const isCopy = ({ name }: LinkerdObject): boolean => name.startsWith('update.');

interface Steps {
  /** The Servers that step 2 deletes besides those of the policy. */
  readonly named?: readonly string[];
  readonly parts?: Parts;
}

/** Every state of an update, in the order of the steps. */
function* updating(before: Objects, copies: Objects, after: Objects, { named = [], parts = subsets }: Steps = {}) {
  const leftovers = before.filter(isCopy);
  yield* pruning(before, leftovers, parts);
  const cleared = before.filter((it) => !isCopy(it) || (it.kind !== ROUTE && it.kind !== POLICY));
  // Step 1: the copies beside the old objects. A Server that is there keeps its age.
  const old = new Map(cleared.map((it) => [nameOf(it), it.created]));
  const added = copies.map((it) => ({ ...it, created: old.get(nameOf(it)) ?? it.created }));
  yield* applying(cleared, added, parts);
  const names = new Set(added.map(nameOf));
  const both = [...cleared.filter((it) => !names.has(nameOf(it))), ...added];
  // Step 2: the Servers of the policy.
  const own = new Set([...ofKind(after, SERVER).map(nameOf), ...named]);
  const replaced = both.filter((it) => own.has(nameOf(it)));
  yield* deleting(both, replaced, parts);
  const switched = both.filter((it) => !replaced.includes(it));
  // Step 3: the new objects instead of the old ones.
  const stale = switched.filter((it) => !isCopy(it));
  yield* pruning(switched, stale, parts);
  const emptied = switched.filter((it) => isCopy(it) || (it.kind !== ROUTE && it.kind !== POLICY));
  yield* applying(emptied, after, parts);
  const kept = new Set(after.map(nameOf));
  const entire = [...emptied.filter((it) => !kept.has(nameOf(it))), ...after];
  // Step 4: the Servers of the copies, and then the rest of the copies.
  yield* deleting(entire, ofKind(added, SERVER), parts);
  const again = entire.filter((it) => !ofKind(added, SERVER).includes(it));
  yield* pruning(again, added, parts);
}

/** One request of each kind that the objects distinguish. */
function requestsFor(objects: readonly LinkerdObject[]): readonly Requested[] {
  const { servers, routes, authentications } = clusterOf(objects);
  const hosts = routes.flatMap(({ hostnames }) => hostnames.map((it) => it.replace('*', 'other')));
  const values = routes.flatMap(({ rules }) =>
    rules.flat().flatMap(({ type, value }) => (type === 'RegularExpression' ? [] : value)),
  );
  const paths = [...new Set(['/', ...values.flatMap((it) => [it, `${it.replace(/\/$/, '')}/q`])])];
  const clients = [...new Set([...authentications.values()].flatMap(({ identities }) => identities))];
  return servers.flatMap(({ namespace, pods: { labels }, port }) =>
    [...new Set(hosts)].flatMap((authority) =>
      paths.flatMap((path) =>
        ['GET', 'POST'].flatMap((method) =>
          [undefined, ...clients].map((client) => ({
            pod: { namespace, labels, port: Number(port) },
            ...{ authority, path, method },
            ...(client !== undefined && { client }),
          })),
        ),
      ),
    ),
  );
}

const passes = (cluster: Cluster, requested: Requested): boolean => verdictOf(cluster, requested) === 'allowed';

/** The requests that neither policy allows and that pass in some state, and those that both allow and that some state
 * denies. */
function compared(before: Objects, after: Objects, all: Iterable<Objects>) {
  const [old, own] = [clusterOf(before), clusterOf(after)];
  const requested = requestsFor([...after, ...before.filter((it) => !after.some((other) => isSame(it, other)))]);
  // At a port without a Server, Linkerd's default decides, whatever is applied.
  const denied = requested.filter((it) => !passes(old, it) && !passes(own, it));
  const allowed = requested.filter((it) => passes(old, it) && passes(own, it));
  const clusters = [...all].map((objects) => clusterOf(objects));
  return {
    count: { denied: denied.length, allowed: allowed.length, states: clusters.length },
    wider: denied.filter((it) => clusters.some((one) => passes(one, it))),
    narrower: allowed.filter((it) => clusters.some((one) => !passes(one, it))),
  };
}

const nameOf = ({ kind, namespace, name }: LinkerdObject): string => `${kind} ${namespace}/${name}`;
const isSame = (a: LinkerdObject, b: LinkerdObject): boolean => nameOf(a) === nameOf(b);

/** A narrower version of the policy: readers lose a method, a path gets its own rule, and one exact path is gone. */
const changed = (text: string): string =>
  text
    .replace('/a: { service: wiki, allow: [{ role: editor, as: writer }] }', '/a: { service: wiki, allow: [reader] }')
    .replace(
      '/a/*: { service: wiki, allow: [reader] }',
      '/a/*: { service: wiki, allow: [{ role: editor, as: writer }] }',
    )
    .replace('/x/*: { service: short, allow: [reader] }', '/y/*: { service: short, allow: [reader] }');

const OLD = textOf('identities');
const NEW = changed(OLD);
/** A policy without one of the services. */
const LESS = OLD.replace(/^ {2}short.*\n/m, '').replace(/^ {2}short\.example\.com:[\s\S]*/m, '');

test('the two policies differ in each of the three changes', () => {
  const all = NEW.split('\n');
  expect(OLD.split('\n').filter((line) => !all.includes(line))).toHaveLength(3);
});

describe('a first apply', () => {
  const first = objectsIn(OLD);
  // There is a Server before, so that the port is not open by default.
  const servers = ofKind(first, SERVER);

  test('in two steps allows no request that the policy does not allow', () => {
    const { wider, count } = compared(servers, first, applying(servers, first));
    expect(wider).toEqual([]);
    expect(count.denied).toBeGreaterThan(50);
    expect(count.states).toBeGreaterThan(100);
  });

  test('at once allows such requests, so that the steps matter', () => {
    const atOnce = subsets(ofKind(first, ROUTE)).map((accepted) => [...without(first, ROUTE), ...accepted]);
    expect(compared(servers, first, atOnce).wider).not.toEqual([]);
  });
});

describe('an update', () => {
  const objects = (text: string) => [objectsIn(text, '2', true), objectsIn(text, '3')] as const;

  test.each([
    ['that changes rules', OLD, NEW],
    ['that changes them back', NEW, OLD],
    ['that adds a service', LESS, OLD],
    ['that removes a service', OLD, LESS],
    ['without a change', OLD, OLD],
  ])('%s is wider than neither policy, and no request that both allow is denied', (_, from, to) => {
    const before = objectsIn(from);
    const [copies, after] = objects(to);
    // The Server of a new service is there, so that its port is not open by default; that of an old service stays.
    const guards = [...ofKind(objectsIn(OLD), SERVER)];
    const guarded = [...before, ...guards.filter((it) => !before.some((other) => isSame(it, other)))];
    const kept = [...after, ...guards.filter((it) => !after.some((other) => isSame(it, other)))];
    const { wider, narrower, count } = compared(guarded, kept, updating(guarded, copies, after));
    expect(wider).toEqual([]);
    expect(narrower).toEqual([]);
    expect(count.denied).toBeGreaterThan(50);
    expect(count.allowed).toBeGreaterThan(10);
    expect(count.states).toBeGreaterThan(200);
  });

  test('after one that stopped is not wider, wherever that one stopped', () => {
    const stopped = [...updating(objectsIn(OLD), objectsIn(NEW, '2', true), objectsIn(NEW, '3'))];
    const [copies, after] = [objectsIn(LESS, '4', true), objectsIn(LESS, '5')];
    for (const before of stopped.filter((_, i) => i % 293 === 0)) {
      const kept = [...after, ...ofKind(objectsIn(OLD), SERVER).filter((it) => !after.some((own) => isSame(it, own)))];
      const { wider } = compared(before, kept, updating(before, copies, after));
      expect(wider).toEqual([]);
    }
  });

  test('that deletes the old Servers before all routes of the copies are accepted would be wider', () => {
    const [before, copies] = [objectsIn(OLD), objectsIn(NEW, '2', true)];
    const others = [...without(before, SERVER), ...without(copies, ROUTE)];
    const early = subsets(ofKind(copies, ROUTE)).map((accepted) => [...others, ...accepted]);
    expect(compared(before, objectsIn(NEW), early).wider).not.toEqual([]);
  });

  test('in place denies requests that both policies allow, so that the copies matter', () => {
    const before = objectsIn(OLD);
    expect(compared(before, objectsIn(NEW), pruning(before, before)).narrower).not.toEqual([]);
  });
});

describe('an update of services that share pods', () => {
  /** The pods of each service. The pods of `z` are its own. */
  const PODS = { a: 'web', b: 'web', c: 'web', z: 'other' } as const;
  type Name = keyof typeof PODS;
  type Names = readonly Name[];
  const RULES: Readonly<Record<Name, string>> = {
    a: '{ /*: { service: a, allow: [reader] }, /x: { service: a, allow: [{ role: editor, as: writer }] } }',
    b: '{ /*: { service: b, allow: [{ role: editor, as: writer }] } }',
    c: '{ /x: { service: c, allow: [reader] } }',
    z: '{ /*: { service: z, allow: [reader] }, /x: { service: z, allow: [{ role: editor, as: writer }] } }',
  };
  const head = textOf('shared').split('\nservices:\n')[0];

  /** A policy with these services in this order. */
  function policyOf(names: Names): string {
    const services = names.map(
      (it) =>
        `  ${it}: { authority: ${it}.apps, namespace: apps, service_account: wiki, labels: { app: ${PODS[it]} }, port: 8080 }`,
    );
    const hosts = names.map((it) => `  ${it}.example.com: ${RULES[it]}`);
    return [head, 'services:', ...services, 'hosts:', ...hosts, ''].join('\n');
  }

  /** Every subset of the names in every order. */
  const orders = (names: Names): readonly Names[] => [
    [],
    ...names.flatMap((first) => orders(names.filter((it) => it !== first)).map((rest) => [first, ...rest])),
  ];
  const all: readonly Names[] = orders(['a', 'b', 'c']).map((it) => [...it, 'z' as const]);
  const aged = (objects: Objects, created: string): Objects => objects.map((it) => ({ ...it, created }));
  const rendered = new Map(
    all.map((it) => [it, [objectsIn(policyOf(it)), objectsIn(policyOf(it), '2', true)]] as const),
  );
  const of = (names: Names) => rendered.get(names) as readonly [Objects, Objects];

  /** What an update does wrong.
   * @param before the objects of the old policy, unless the build that rendered them is another one */
  function mistakes(from: Names, to: Names, before = of(from)[0], named: readonly string[] = []) {
    const [fresh, copies] = of(to);
    const after = aged(fresh, '3');
    const places = new Set(ofKind(before, SERVER).map(placeOf));
    // The pods of a new service have a Server before, and those of a removed service keep theirs.
    const guards = aged(
      ofKind(fresh, SERVER).filter((it) => !places.has(placeOf(it))),
      '0',
    );
    const guarded = [...before, ...guards];
    const kept = [
      ...after,
      ...ofKind(before, SERVER).filter((it) => !ofKind(after, SERVER).some((own) => placeOf(own) === placeOf(it))),
    ];
    const { wider, narrower, count } = compared(
      guarded,
      kept,
      updating(guarded, copies, after, { named, parts: oneByOne }),
    );
    return { wider, narrower, count };
  }
  const placeOf = (it: LinkerdObject): string =>
    it.kind === SERVER ? JSON.stringify([it.namespace, it.pods, it.port]) : nameOf(it);

  test.each(all.map((it) => [it]))('from %s to any of them, in any order, is neither wider nor narrower', (from) => {
    expect(all).toHaveLength(16);
    for (const to of all) {
      const { wider, narrower, count } = mistakes(from, to);
      expect([to, wider, narrower]).toEqual([to, [], []]);
      expect(count.allowed).toBeGreaterThan(0);
      expect(count.denied).toBeGreaterThan(0);
    }
  });

  describe('by a build that named the Server by its first service', () => {
    const renamed = new Map([
      ['web', 'apps/meshgate-a'],
      ['other', 'apps/meshgate-z'],
    ]);
    /** The objects of such a build for the services a, b and z. */
    const former = (from: Objects): Objects => {
      const names = new Map(
        ofKind(from, SERVER).map((it) => [
          `apps/${it.name}`,
          String(renamed.get(it.kind === SERVER ? String(it.pods.labels.app) : '')),
        ]),
      );
      const nameIn = (name: string): string => names.get(name) as string;
      return from.map((it) => {
        if (it.kind === SERVER) return { ...it, name: nameIn(`apps/${it.name}`).replace('apps/', '') };
        return it.kind === ROUTE ? { ...it, servers: it.servers.map(nameIn) } : it;
      });
    };
    const [from, to] = [all.find((it) => it.join() === 'a,b,z'), all.find((it) => it.join() === 'c,b,z')] as [
      Names,
      Names,
    ];
    const before = former(of(from)[0]);

    test('is neither wider nor narrower if step 2 deletes the former Servers', () => {
      const named = [...renamed.values()].map((it) => `Server ${it}`);
      for (const next of [from, to]) {
        const { wider, narrower, count } = mistakes(from, next, before, named);
        expect([wider, narrower]).toEqual([[], []]);
        expect(count.allowed).toBeGreaterThan(0);
      }
    });

    test('is narrower if they stay, so that the deletion matters', () => {
      const { wider, narrower } = mistakes(from, from, before);
      expect(wider).toEqual([]);
      expect(narrower).not.toEqual([]);
    });
  });
});
