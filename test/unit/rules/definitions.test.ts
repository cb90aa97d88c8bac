/** Each value of a checked policy is changed and removed: either a difference is reported, or the reason is listed
 * here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { definitionChanges } from '../../../src/rules/compare/changed-definitions.ts';
import { compile } from '../../../src/rules/compile.ts';

const TARGETS = join(import.meta.dirname, '../targets');
const POLICIES: readonly string[] = ['nginx', 'consul', 'istio', 'envoy', 'linkerd'].flatMap((target) => {
  const golden = join(TARGETS, target, 'golden');
  return readdirSync(golden)
    .filter((name) => !['hostile', 'forty-hosts', 'nested'].includes(name))
    .map((name) => join(golden, name, 'policy.yaml'))
    .filter((file) => existsSync(file));
});

/** Values that no definition reports, and why. */
const EXCEPTIONS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/(^|\.)at(\.(file|line|column))?$/, 'a place'],
  [/^(version|tests)\b/, 'decides nothing'],
  [
    /^(providers|roles|agents|services|mesh\.\w+|mesh\.\w+\.\w+|meshes|meshes\.[^.]+\.\w+)\.[^.]+\.name$/,
    'the key says it',
  ],
  [/^mesh\.name$/, 'a policy with one mesh never names it'],
  [/^meshes\.[^.]+\.\w+\.[^.]+\.mesh$/, 'the key of the mesh says it'],
  [/^(mesh|meshes\.[^.]+)\.ingress\b/, 'the first of the ingresses'],
  [/\.rate$/, 'a number that the written rate says'],
  [/^agents\.[^.]+\.(actsFor|alone)\b/, 'the rules of the agent say it'],
  [/\.op$|^agents\.[^.]+\.match\.kind$/, 'another word makes no policy'],
  [/^hosts\.\d+$/, 'rules say it'],
  [/^hosts\.\d+\.routes\.\d+$/, 'rules say it'],
  [/^hosts\.\d+\.(name|routes\.\d+\.(name|host|path|kind|service|allow))\b/, 'rules say it'],
];

type Key = string | number;
type Tree = Record<Key, unknown>;

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

function other(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  return typeof value === 'number' ? value + 1 : `${value}x`;
}

/** A copy of a tree in which the value of one path is changed or removed. */
function changedAt(tree: unknown, [key, ...rest]: readonly Key[], value: unknown): unknown {
  if (!isTree(tree) || key === undefined) return value;
  const copy = (Array.isArray(tree) ? [...tree] : { ...tree }) as Tree;
  if (rest.length > 0 || value !== undefined) copy[key] = changedAt(tree[key], rest, value);
  else if (Array.isArray(copy)) copy.splice(key as number, 1);
  else delete copy[key];
  return copy;
}

function* paths(tree: Tree, before: readonly Key[] = []): Generator<readonly Key[]> {
  for (const key of Array.isArray(tree) ? tree.keys() : Object.keys(tree)) {
    yield [...before, key];
    const inner = tree[key];
    if (isTree(inner)) yield* paths(inner, [...before, key]);
  }
}

/** Whether a value may be absent, so that a policy without it is valid. */
const mayLack = (key: Key, parent: unknown): boolean =>
  Array.isArray(parent) ||
  /^(tls|cors|proxy|limit|owner|ask|audiences|caFile|clientCaFile|assertionCaFile|serviceWorkers|labels)$/.test(
    `${key}`,
  );

/** The policy with settings that few policies have. */
const filled = (policy: Policy): Policy => ({
  ...policy,
  hosts: policy.hosts.map((host) => ({
    tls: { certFile: '/run/h.crt', keyFile: '/run/h.key' },
    ...host,
    routes: host.routes.map((route) => ({ serviceWorkers: 'folder', ...route })),
  })),
});

const seen = new Map<string, number>();

describe.each(POLICIES.map((file) => [file.slice(TARGETS.length + 1), file] as const))('%s', (_, file) => {
  test('no change of a value goes unnoticed', () => {
    const parsed = parsePolicy(readFileSync(file, 'utf8'), 'policy.yaml').policy;
    if (parsed === undefined) throw new Error(`${file} has mistakes`);
    const policy = filled(parsed);
    const blind: string[] = [];
    for (const path of paths(policy as unknown as Tree)) {
      const text = path.join('.');
      if (EXCEPTIONS.some(([pattern]) => pattern.test(text))) continue;
      const parent = path.slice(0, -1).reduce<unknown>((tree, key) => (tree as Tree)[key], policy);
      // An ingress without an address has no port: nginx connects to the workloads of Linkerd.
      if (path.at(-1) === 'port' && (parent as Tree).host === '') continue;
      const value = (parent as Tree)[path.at(-1) as Key];
      const changes = [
        ...(isTree(value) ? [] : [changedAt(policy, path, other(value))]),
        ...(mayLack(path.at(-1) as Key, parent) ? [changedAt(policy, path, undefined)] : []),
      ];
      for (const changed of changes as Policy[]) {
        const section = path[0] as string;
        seen.set(section, (seen.get(section) ?? 0) + 1);
        if (definitionChanges(policy, { policy: changed, rules: compile(changed) }).length === 0) blind.push(text);
      }
    }
    expect(blind).toEqual([]);
  });
});

test('values of every section were changed', () => {
  for (const section of ['gateway', 'providers', 'roles', 'agents', 'mesh', 'services', 'hosts'])
    expect(seen.get(section), section).toBeGreaterThan(20);
});
