import type * as z from 'zod';
import { type Hint, hints } from './hints.ts';
import type { Path } from './path.ts';

/** Any schema, as zod's core types it. */
export type Schema = z.core.$ZodType;

/** A schema without its wrappers. */
export interface Bare {
  readonly schema: Schema;
  readonly hint?: Hint;
  readonly optional: boolean;
}

const defOf = (schema: Schema) => schema._zod.def as z.core.$ZodTypes['_zod']['def'];

/** What a schema wraps; undefined where it is bare. Of a transformation this is what policies write. */
function wrapped(schema: Schema): Schema | undefined {
  const def = defOf(schema);
  switch (def.type) {
    case 'optional':
    case 'prefault':
      return def.innerType;
    case 'pipe':
      return def.in;
    case 'lazy':
      // A lazy schema builds a new one at each call of its getter; zod keeps the first.
      return (schema as z.core.$ZodLazy)._zod.innerType;
  }
  return undefined;
}

/** Takes off a schema what it is wrapped in. */
export function unwrap(schema: Schema, optional = false): Bare {
  const hint = hints.get(schema);
  const inner = wrapped(schema);
  if (inner === undefined) return { schema, optional, ...(hint && { hint }) };
  const bare = unwrap(inner, optional || schema._zod.optin !== undefined);
  return hint ? { ...bare, hint } : bare;
}

/** The schema at a path, selected by the values on the way; a union at the end stays one. */
export function descend(root: Schema, path: Path, value: unknown): Bare | undefined {
  let here: Bare | undefined = unwrap(root);
  let current = value;
  for (const step of path) {
    here = here && child(choose(here, current), step);
    current = (current as Record<string | number, unknown> | null | undefined)?.[step];
  }
  return here;
}

/** The schema of an entry or element. */
export function child(parent: Bare | undefined, step: string | number): Bare | undefined {
  if (!parent) return undefined;
  const def = defOf(parent.schema);
  if (def.type === 'object') return Object.hasOwn(def.shape, step) ? unwrap(def.shape[step] as Schema) : undefined;
  if (def.type === 'record') return unwrap(def.valueType);
  return def.type === 'array' ? unwrap(def.element) : undefined;
}

/** Index of the option of a union that accepts values of this kind; -1 if none does, or if the schema is no union. */
export function optionFor(schema: Schema, value: unknown): number {
  const def = defOf(schema);
  return def.type === 'union' ? def.options.findIndex((it) => takes(it, value)) : -1;
}

/** The option of a union that accepts values of this kind; any other schema unchanged. */
export function choose(bare: Bare, value: unknown): Bare | undefined {
  const def = defOf(bare.schema);
  if (def.type !== 'union') return bare;
  const option = def.options[optionFor(bare.schema, value)];
  return option && choose(unwrap(option), value);
}

/** Whether a value is of the kind that a schema accepts, whatever is in it. */
export function takes(schema: Schema, value: unknown): boolean {
  const def = defOf(unwrap(schema).schema);
  switch (def.type) {
    case 'union':
      return def.options.some((it) => takes(it, value));
    case 'object':
    case 'record':
      return kindOf(value) === 'mapping';
    case 'array':
      return kindOf(value) === 'list';
    case 'enum':
      return typeof value === 'string';
    case 'literal':
      return def.values.some((it) => typeof it === typeof value);
    case 'unknown':
      return true;
    default:
      return kindOf(value) === def.type;
  }
}

/** Kinds of values, in the words of errors. */
export function kindOf(value: unknown): 'null' | 'list' | 'mapping' | 'string' | 'number' | 'boolean' | 'undefined' {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'mapping' : (typeof value as 'string' | 'number' | 'boolean' | 'undefined');
}

/** Keys that a mapping of this schema may have, and whether they are required; undefined if keys are free. */
export function keysOf({ schema }: Bare): ReadonlyMap<string, Bare> | undefined {
  const def = defOf(schema);
  return def.type === 'object' ? new Map(Object.entries(def.shape).map(([key, it]) => [key, unwrap(it)])) : undefined;
}

/** Values of an enumeration. */
export function valuesOf({ schema }: Bare): readonly string[] | undefined {
  const def = defOf(schema);
  return def.type === 'enum' ? Object.values(def.entries).map(String) : undefined;
}

/** The schema of a list's elements. */
export function elementOf({ schema }: Bare): Schema | undefined {
  const def = defOf(schema);
  return def.type === 'array' ? def.element : undefined;
}
