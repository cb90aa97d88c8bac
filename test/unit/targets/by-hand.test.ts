/** Every change by hand of a deciding part is found: each value, and each removed part. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { MeshKind } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { proveIdentities } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import { meshTarget } from '../../../src/targets/index.ts';

type Path = readonly (string | number)[];

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, below] of Object.entries(value))
    yield* pathsOf(below, [...path, Array.isArray(value) ? Number(key) : key]);
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce((it, step) => (it as Record<string | number, unknown>)[step], value);

/** A copy with another value in a place, or without the value. */
function changed(value: unknown, path: Path, change: 'other' | 'gone'): unknown {
  const copy = structuredClone(value);
  const parent = at(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  const key = path.at(-1) as string | number;
  if (change === 'gone' && Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (change === 'gone') delete parent[key];
  else parent[key] = typeof parent[key] === 'string' ? `${parent[key]}x` : !parent[key];
  return copy;
}

/** Places where a change is not found, with array positions left out. */
function unnoticed(kind: MeshKind, name: string, isDeciding: (path: string) => boolean): readonly string[] {
  const target = meshTarget(kind);
  const file = join(import.meta.dirname, kind, 'golden', name, 'policy.yaml');
  const { policy } = parsePolicy(readFileSync(file, 'utf8'), file);
  const rules = compile(policy!);
  const expected = target.project?.(policy!, rules) ?? [];
  const objects = Object.entries(target.emit(policy!, rules, {}).files)
    .filter(([file]) => file !== 'kustomization.yaml')
    .flatMap(([, text]) => parseAllDocuments(text).map((document) => document.toJS() as unknown));
  const isFound = (all: readonly unknown[]) => {
    const files = Object.fromEntries(all.map((object, index) => [`${index}.json`, JSON.stringify(object)]));
    try {
      if ((target.drift?.(policy!, rules, {}, files) ?? []).length > 0) return true;
      return proveIdentities(expected, target.read?.(files) ?? []) !== undefined;
    } catch {
      return true;
    }
  };
  expect(isFound(objects)).toBe(false);
  const found = new Set<string>();
  for (const [index, object] of objects.entries()) {
    for (const path of pathsOf(object)) {
      const { kind = '' } = object as { readonly kind?: string };
      const place = [kind, ...path].filter((it) => it !== '').join('.');
      if (!isDeciding(place)) continue;
      const isLeaf = typeof at(object, path) !== 'object';
      for (const change of isLeaf ? (['other', 'gone'] as const) : (['gone'] as const)) {
        const all = objects.map((it, i) => (i === index ? changed(it, path, change) : it));
        if (!isFound(all)) found.add(`${change} ${place}`);
      }
    }
  }
  return [...found].sort();
}

describe('only changes that make no difference are ignored', () => {
  test('Envoy: none', () => {
    expect(unnoticed('envoy', 'agents', () => true)).toEqual([]);
  });

  test('Istio: an exception for paths that the same callers may request, and names of objects', () => {
    const names = /metadata\.(labels|annotations|name$)|\.apiVersion$/;
    expect(unnoticed('istio', 'agents', (place) => !names.test(place))).toEqual([
      'gone AuthorizationPolicy.spec.rules.0.to.0.operation.notPaths.2',
      'gone AuthorizationPolicy.spec.rules.1.to.0.operation.notPaths.2',
    ]);
  });
});
