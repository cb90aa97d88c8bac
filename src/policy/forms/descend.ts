import type * as z from 'zod';
import { type Hint, hints } from './hints.ts';
import type { Path } from './path.ts';

export type Schema = z.core.$ZodType;

/** A schema without wrappers such as `optional`. */
export interface Bare {
  readonly schema: Schema;
  readonly hint?: Hint;
  readonly optional: boolean;
}

const defOf = (schema: Schema) => schema._zod.def as z.core.$ZodTypes['_zod']['def'];

/** The schema inside a wrapper; undefined if this is no wrapper. For a transformation, the schema of its input. */
function wrapped(schema: Schema): Schema | undefined {
  const def = defOf(schema);
  if (def.type === 'optional' || def.type === 'prefault') return def.innerType;
  if (def.type === 'pipe') return def.in;
  // The getter of a lazy schema builds a new schema at each call. zod keeps the first schema in innerType.
  return def.type === 'lazy' ? (schema as z.core.$ZodLazy)._zod.innerType : undefined;
}

export function unwrap(schema: Schema, optional = false): Bare {
  const hint = hints.get(schema);
  const inner = wrapped(schema);
  if (inner === undefined) return { schema, optional, ...(hint && { hint }) };
  const bare = unwrap(inner, optional || schema._zod.optin !== undefined);
  return hint ? { ...bare, hint } : bare;
}

/** The schema at a path. On the way, the values select the options of unions. A union at the end is left unchanged. */
export function descend(root: Schema, path: Path, value: unknown): Bare | undefined {
  let here: Bare | undefined = unwrap(root);
  let current = value;
  for (const step of path) {
    here = here && child(choose(here, current), step);
    current = (current as Record<string | number, unknown> | null | undefined)?.[step];
  }
  return here;
}

/** The schema of a mapping's entry or of a list's element. */
export function child(parent: Bare | undefined, step: string | number): Bare | undefined {
  if (!parent) return undefined;
  const def = defOf(parent.schema);
  if (def.type === 'object') return Object.hasOwn(def.shape, step) ? unwrap(def.shape[step] as Schema) : undefined;
  if (def.type === 'record') return unwrap(def.valueType);
  return def.type === 'array' ? unwrap(def.element) : undefined;
}

/** All forms directly inside a form; those of a mapping's keys have their names. */
export function formsIn({ schema }: Bare): readonly (readonly [key: string | undefined, form: Schema])[] {
  const def = defOf(schema);
  if (def.type === 'object') return Object.entries(def.shape);
  if (def.type === 'union') return def.options.map((it) => [undefined, it]);
  const inner = def.type === 'record' ? def.valueType : def.type === 'array' ? def.element : undefined;
  return inner === undefined ? [] : [[undefined, inner]];
}

/** The index of the union's option that accepts values of this kind; -1 if there is none. */
export function optionFor(schema: Schema, value: unknown): number {
  const def = defOf(schema);
  return def.type === 'union' ? def.options.findIndex((it) => takes(it, value)) : -1;
}

/** The option of a union that accepts values of this kind. Returns any other schema unchanged. */
export function choose(bare: Bare, value: unknown): Bare | undefined {
  const def = defOf(bare.schema);
  if (def.type !== 'union') return bare;
  const option = def.options[optionFor(bare.schema, value)];
  return option && choose(unwrap(option), value);
}

/** Whether a value is of the kind that a schema accepts. Its contents do not matter. */
export function takes(schema: Schema, value: unknown): boolean {
  const def = defOf(unwrap(schema).schema);
  if (def.type === 'union') return def.options.some((it) => takes(it, value));
  if (def.type === 'object' || def.type === 'record') return kindOf(value) === 'mapping';
  if (def.type === 'array') return kindOf(value) === 'list';
  if (def.type === 'enum') return typeof value === 'string';
  if (def.type === 'literal') return def.values.some((it) => typeof it === typeof value);
  return def.type === 'unknown' || kindOf(value) === def.type;
}

/** The kind of a value, as errors call it. */
export function kindOf(value: unknown): 'null' | 'list' | 'mapping' | 'string' | 'number' | 'boolean' | 'undefined' {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'mapping' : (typeof value as 'string' | 'number' | 'boolean' | 'undefined');
}

/** The keys that a mapping of this schema may have, with their schemas; undefined if the mapping may have any keys. */
export function keysOf({ schema }: Bare): ReadonlyMap<string, Bare> | undefined {
  const def = defOf(schema);
  return def.type === 'object' ? new Map(Object.entries(def.shape).map(([key, it]) => [key, unwrap(it)])) : undefined;
}

export function valuesOf({ schema }: Bare): readonly string[] | undefined {
  const def = defOf(schema);
  return def.type === 'enum' ? Object.values(def.entries).map(String) : undefined;
}

export function elementOf({ schema }: Bare): Schema | undefined {
  const def = defOf(schema);
  return def.type === 'array' ? def.element : undefined;
}
