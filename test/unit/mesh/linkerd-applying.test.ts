/** The steps of docs/linkerd.md, in the model of Linkerd: while objects are applied and deleted, and while Linkerd
 * accepts the routes one by one, no request passes that neither the old nor the new policy allows. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { takenIn } from '../../mesh/linkerd/admission.ts';
import { renderedObjects } from '../../mesh/linkerd/ask.ts';
import { type Asked, type Cluster, clusterOf, verdictOf } from '../../mesh/linkerd/evaluate.ts';
import type { LinkerdObject } from '../../mesh/linkerd/objects.ts';

const GOLDEN = new URL('../targets/linkerd/golden/', import.meta.url);

function objectsIn(text: string): readonly LinkerdObject[] {
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
  return renderedObjects(policy, compile(policy)).map((it) => takenIn(it));
}

const textOf = (name: string): string => readFileSync(new URL(`${name}/policy.yaml`, GOLDEN), 'utf8');

/** The subsets of a list: all of a short one, and of a longer one a fixed selection. */
function subsets<T>(items: readonly T[]): readonly (readonly T[])[] {
  const all = 2 ** items.length;
  const masks =
    items.length <= 9
      ? [...Array(all).keys()]
      : [0, all - 1, ...Array.from({ length: 400 }, (_, i) => ((i + 1) * 2654435761) % all)];
  return masks.map((mask) => items.filter((_, i) => Math.floor(mask / 2 ** i) % 2 === 1));
}

const ofKind = (objects: readonly LinkerdObject[], ...kinds: readonly string[]) =>
  objects.filter(({ kind }) => kinds.includes(kind));
const without = (objects: readonly LinkerdObject[], ...kinds: readonly string[]) =>
  objects.filter(({ kind }) => !kinds.includes(kind));

/** Every state on the way from one policy to the other, in the order of the steps. */
function* states(before: readonly LinkerdObject[], after: readonly LinkerdObject[]) {
  const [routes, policies] = ['HTTPRoute', 'AuthorizationPolicy'];
  // Authorizations are deleted first, and then routes.
  for (const left of subsets(ofKind(before, policies))) yield [...without(before, policies), ...left];
  for (const left of subsets(ofKind(before, routes))) yield [...without(before, routes, policies), ...left];
  // Step 1: objects replace those of the same name, and routes are accepted one by one.
  const names = new Set(after.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
  const stale = without(before, routes, policies).filter(
    ({ kind, namespace, name }) => !names.has(`${kind} ${namespace}/${name}`),
  );
  const servers = [...stale, ...without(after, routes, policies)];
  for (const accepted of subsets(ofKind(after, routes))) yield [...servers, ...accepted];
  // Step 2.
  for (const applied of subsets(ofKind(after, policies))) yield [...servers, ...ofKind(after, routes), ...applied];
}

/** One request of each kind that the objects distinguish. */
function requestsFor(objects: readonly LinkerdObject[]): readonly Asked[] {
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

const passes = (cluster: Cluster, asked: Asked): boolean => verdictOf(cluster, asked) === 'allowed';

/** Requests that pass in some state and in none of the two policies. */
function wider(
  before: readonly LinkerdObject[],
  after: readonly LinkerdObject[],
  all: Iterable<readonly LinkerdObject[]>,
) {
  const [old, own] = [clusterOf(before), clusterOf(after)];
  // At a port without a Server, Linkerd's default decides, whatever is applied.
  const guarded = (asked: Asked) => passes(old, asked) || passes(own, asked);
  const denied = requestsFor([...after, ...before.filter((it) => !after.some((other) => isSame(it, other)))]).filter(
    (asked) => !guarded(asked),
  );
  const clusters = [...all].map((objects) => clusterOf(objects));
  return {
    denied: denied.length,
    states: clusters.length,
    found: denied.filter((it) => clusters.some((one) => passes(one, it))),
  };
}

const isSame = (a: LinkerdObject, b: LinkerdObject): boolean =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

/** A narrower version of the policy: readers lose a method, a path gets its own rule, and one exact path is gone. */
const changed = (text: string): string =>
  text
    .replace('/a: { service: wiki, allow: [{ role: editor, as: writer }] }', '/a: { service: wiki, allow: [reader] }')
    .replace(
      '/a/*: { service: wiki, allow: [reader] }',
      '/a/*: { service: wiki, allow: [{ role: editor, as: writer }] }',
    )
    .replace('/x/*: { service: short, allow: [reader] }', '/y/*: { service: short, allow: [reader] }');

describe('no request is wider than the old or the new policy', () => {
  const first = objectsIn(textOf('identities'));
  const second = objectsIn(changed(textOf('identities')));

  test('the two policies differ in each of the three changes', () => {
    const lines = (text: string) => text.split('\n');
    const all = lines(changed(textOf('identities')));
    expect(lines(textOf('identities')).filter((line) => !all.includes(line))).toHaveLength(3);
  });

  test.each([
    // There is a Server before, so that the port is not open by default.
    ['when a policy is applied for the first time', ofKind(first, 'Server'), first],
    ['when a policy is changed', first, second],
    ['when it is changed back', second, first],
  ])('%s', (_, before, after) => {
    const { denied, states: count, found } = wider(before, after, states(before, after));
    expect(found).toEqual([]);
    expect(denied).toBeGreaterThan(50);
    expect(count).toBeGreaterThan(500);
  });

  test('but it is if everything is applied at once, so that the steps matter', () => {
    const atOnce = subsets(ofKind(first, 'HTTPRoute')).map((accepted) => [...without(first, 'HTTPRoute'), ...accepted]);
    expect(wider(ofKind(first, 'Server'), first, atOnce).found).not.toEqual([]);
  });
});
