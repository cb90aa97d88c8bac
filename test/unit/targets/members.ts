import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MeshKind, Policy } from '../../../src/policy/checked/types.ts';
import { proveIdentities } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import { ownerOf } from '../../../src/targets/kit/owner.ts';
import type { MeshOptions } from '../../../src/targets/types.ts';
import type { Members, Schema } from './schemas/types.ts';

/** All members that objects of a mesh may have; extract.ts reads them from the mesh's own definitions. */
export const schemaOf = (target: string): Schema =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'schemas', `${target}.json`), 'utf8')) as Schema;

/** An object with one member changed. */
export interface Change {
  /** Type and member, e.g. `AuthorizationPolicy.spec action`. */
  readonly type: string;
  readonly member: string;
  /** A changed value, no value, or a value where there was none. */
  readonly change: 'other' | 'gone' | 'added';
  readonly isRendered: boolean;
  readonly value: unknown;
  /** The current value. */
  readonly object: unknown;
}

type Path = readonly (string | number)[];

/** A copy with another value at a path, undefined for none. Parts beside the path are shared with the original. */
function put(object: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const copy = Array.isArray(object) ? [...object] : { ...(object as object) };
  // biome-ignore lint/suspicious/noExplicitAny: any object
  const members = copy as any;
  if (rest.length > 0 || value !== undefined) members[key] = put(members[key], rest, value);
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete members[key];
  return copy;
}

/**
 * The object with one more element in a list or map: the changed copy of the element that the path leads through. A rule
 * that reads back to nothing changes no answer beside the others, whatever the mesh makes of it.
 */
function copiedBeside(changed: unknown, object: unknown, path: Path): readonly unknown[] {
  return path.slice(0, -1).flatMap((key, index) => {
    const at = path.slice(0, index);
    // biome-ignore lint/suspicious/noExplicitAny: any object
    const within = (from: unknown): any => at.reduce((it: any, step) => it[step], from);
    const [now, then] = [within(object), within(changed)];
    if (Array.isArray(now)) return [put(object, at, now.toSpliced(Number(key), 0, then[key]))];
    return [put(object, at, { ...now, [`${key}-more`]: then[key] })];
  });
}

/** The members of every Kubernetes object, as far as they may be set. */
const METADATA: Members = {
  name: 'string',
  namespace: 'string',
  labels: 'map string',
  annotations: 'map string',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'int',
  creationTimestamp: 'string',
  deletionTimestamp: 'string',
  deletionGracePeriodSeconds: 'int',
  finalizers: '[]string',
  ownerReferences: '[]any',
  managedFields: '[]any',
  selfLink: 'string',
  generateName: 'string',
};

/** Makes every change of objects that their definitions allow. */
export class Changer {
  readonly #schema: Schema;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  #members(type: string, value: unknown): Members | undefined {
    if (type === 'metadata') return METADATA;
    const url = (value as Readonly<Record<string, unknown>> | null)?.['@type'];
    const own = typeof url === 'string' ? this.#schema.roots[url] : type;
    return own === undefined ? undefined : this.#schema.types[own];
  }

  #nameOf(type: string, value: unknown): string {
    const url = (value as Readonly<Record<string, unknown>> | null)?.['@type'];
    return typeof url === 'string' ? (this.#schema.roots[url] ?? type) : type;
  }

  /** Values of a type; for an object, one with its first member set. */
  samples(type: string, depth = 3): readonly unknown[] {
    if (type.startsWith('[]')) return [[this.sample(type.slice(2), depth)]];
    if (type.startsWith('map ')) return [{ x: this.sample(type.slice(4), depth) }];
    if (type.startsWith('enum ')) return type.slice(5).split('|');
    if (type === 'string') return ['x'];
    if (type === 'int') return [1];
    if (type === 'bool') return [true];
    if (type === 'duration') return ['1s'];
    const [first] = Object.entries(this.#schema.types[type] ?? { x: 'int' });
    return [depth === 0 || first === undefined ? {} : { [first[0]]: this.sample(first[1], depth - 1) }];
  }

  /** The last one, because the first of an enum is its default. */
  sample(type: string, depth = 3): unknown {
    return this.samples(type, depth).at(-1);
  }

  *changes(object: unknown, type: string): Generator<Change> {
    yield* this.#at(object, object, type, []);
  }

  *#at(object: unknown, value: unknown, type: string, path: Path): Generator<Change> {
    if (typeof value !== 'object' || value === null) return;
    const each = /^(\[\]|map )(.*)$/.exec(type)?.[2];
    if (each !== undefined) {
      for (const [key, own] of Object.entries(value)) {
        yield* this.#at(object, own, each, [...path, Array.isArray(value) ? Number(key) : key]);
      }
      return;
    }
    const members = this.#members(type, value);
    if (members === undefined) return;
    const name = this.#nameOf(type, value);
    const held = value as Readonly<Record<string, unknown>>;
    for (const member of new Set([...Object.keys(members), ...Object.keys(held), 'unheardOf'])) {
      const own = members[member] ?? 'any';
      const now = held[member];
      const at = [...path, member];
      const isRendered = now !== undefined;
      const make = (change: Change['change'], to: unknown): Change => ({
        type: name,
        member,
        change,
        isRendered,
        value: to,
        object: put(object, at, to),
      });
      if (!isRendered) {
        yield make('added', this.sample(own));
        continue;
      }
      yield make('gone', undefined);
      if (Array.isArray(now)) {
        yield make('other', []);
        for (const beside of copiedBeside(put(object, at, []), object, at))
          yield { ...make('other', []), object: beside };
      }
      if (typeof now !== 'object' || now === null) {
        for (const it of [...this.samples(own), `${String(now)}x`]) if (it !== now) yield make('other', it);
      } else if (Array.isArray(now)) {
        for (const index of now.keys()) {
          const less = now.filter((_, other) => other !== index);
          yield make('other', less);
          if (typeof now[index] === 'string') yield make('other', now.with(index, `${now[index]}x`));
        }
        for (const it of this.samples(own)) yield make('other', [...now, ...(it as unknown[])]);
      } else if (own.startsWith('map ')) {
        for (const key of Object.keys(now)) {
          const { [key as 'x']: _, ...less } = now as Readonly<Record<string, unknown>>;
          yield make('other', less);
          if (typeof _ === 'string') yield make('other', { ...now, [key]: `${_}x` });
        }
        for (const it of this.samples(own)) yield make('other', { ...now, ...(it as object) });
      }
      yield* this.#at(object, now, own, at);
    }
  }
}

const texts = new WeakMap<object, string>();

/** An object as it is in a file. */
function textOf(object: unknown): string {
  const text = texts.get(object as object) ?? `${JSON.stringify(object)}\n`;
  texts.set(object as object, text);
  return text;
}

/** Whether `prove` says that a mesh with these objects allows the same requests as the policy. */
export function prover(
  name: MeshKind,
  policy: Policy,
  options: MeshOptions,
  rules: readonly Rule[] = compile(policy),
): (objects: readonly unknown[]) => boolean {
  const target = meshTarget(name);
  const own = target.project?.(policy, rules) ?? [];
  return (objects) => {
    const files = Object.fromEntries(objects.map((it, index) => [`${index}.json`, textOf(it)]));
    try {
      if ((target.drift?.(policy, rules, options, files) ?? []).length > 0) return false;
      return proveIdentities(own, target.read?.(files, ownerOf(policy)) ?? []) === undefined;
    } catch {
      return false;
    }
  };
}
