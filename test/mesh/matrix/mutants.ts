import type { Rendered } from './types.ts';

/** One change to one field of one rendered object. */
export interface Mutant {
  /** Name of the object. */
  readonly object: string;
  /** Keys and positions that lead to the field, joined by `/`. */
  readonly path: string;
  readonly change: string;
  /** The original value. */
  readonly was: unknown;
  /** The context of the field, as JSON: the largest part that contains it and is not longer than the limit. */
  around(length: number): string;
  /** All objects, this one changed; what did not change is shared. */
  readonly version: readonly Rendered[];
}

/** A part that is not mutated, and the reason. */
export interface Exclusion {
  /** Matches the object's name and the path: `envoy.yaml/admin`. Everything below is included. */
  readonly at: RegExp;
  readonly reason: string;
}

/** Mutants that mean the same as the original, and why. */
export interface Equivalent extends Exclusion {
  /** Default: every change. */
  readonly change?: RegExp;
}

/** Other values that a field can have, for fields whose values are a closed list. */
export type Alternatives = Readonly<Record<string, readonly string[]>>;

type Step = string | number;
type Change = readonly [name: string, value: unknown];

const DROPPED = Symbol('dropped');

function scalarChanges(value: unknown, others: readonly string[]): readonly Change[] {
  const named = others.filter((it) => it !== value).map((it): Change => [`changed to ${it}`, it]);
  if (typeof value === 'string') return [['changed', `${value}x`], ...named];
  if (typeof value === 'number') return [['changed', 2 * value + 1]];
  if (typeof value === 'boolean') return [['changed', !value]];
  return [];
}

/** A value with one part replaced or removed. */
function withChange(value: unknown, path: readonly Step[], fresh: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return fresh;
  const inner = (old: unknown) => withChange(old, rest, fresh);
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => {
      if (i !== step) return [item];
      const made = inner(item);
      return made === DROPPED ? [] : [made];
    });
  }
  const made = inner((value as Record<string, unknown>)[step]);
  const entries = Object.entries(value as object).flatMap(([key, old]) => {
    if (key !== step) return [[key, old]];
    return made === DROPPED ? [] : [[key, made]];
  });
  return Object.fromEntries(entries);
}

/** All single changes below a value: each scalar changed, each field and element dropped, each list emptied. */
function* changes(
  value: unknown,
  path: readonly Step[],
  alternatives: Alternatives,
  skip: (path: readonly Step[]) => boolean,
): Generator<readonly [path: readonly Step[], change: string, was: unknown, fresh: unknown]> {
  if (path.length > 0) {
    if (skip(path)) return;
    const inList = typeof path.at(-1) === 'number';
    const key = path.findLast((step) => typeof step === 'string') as string;
    for (const [name, fresh] of scalarChanges(value, alternatives[key] ?? [])) yield [path, name, value, fresh];
    yield [path, inList ? 'element dropped' : 'dropped', value, DROPPED];
  }
  if (Array.isArray(value) && value.length > 1) yield [path, 'emptied', value, []];
  if (typeof value !== 'object' || value === null) return;
  const keys: readonly Step[] = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  for (const key of keys) yield* changes((value as Record<Step, unknown>)[key], [...path, key], alternatives, skip);
}

const TEXTS = new WeakMap<object, string>();

/** A value as JSON; that of an object is computed once. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  const text = TEXTS.get(value) ?? JSON.stringify(value);
  TEXTS.set(value, text);
  return text;
}

function around(value: unknown, path: readonly Step[], length: number): string {
  const text = textOf(value);
  const [step, ...rest] = path;
  if (text.length <= length || step === undefined) return text.slice(0, length);
  return around((value as Record<Step, unknown>)[step], rest, length);
}

/** The mutants that {@link mutantsOf} leaves out, counted by reason. */
export type Left = Record<string, number>;

export interface Mutants {
  readonly mutants: readonly Mutant[];
  /** Fields that are not policy, with everything below them. */
  readonly excluded: Left;
  /** Mutants that mean the same. */
  readonly equivalent: Left;
}

const count = (left: Left, reason: string) => {
  left[reason] = (left[reason] ?? 0) + 1;
};

/** Every mutant of rendered objects. */
export function mutantsOf(
  objects: readonly Rendered[],
  exclusions: readonly Exclusion[] = [],
  equivalents: readonly Equivalent[] = [],
  alternatives: Alternatives = {},
): Mutants {
  const [excluded, equivalent]: readonly Left[] = [{}, {}] as const;
  const mutants = objects.flatMap((object, index) => {
    const skip = (path: readonly Step[]) => {
      const found = exclusions.find(({ at }) => at.test(`${object.name}/${path.join('/')}`));
      if (found !== undefined) count(excluded as Left, found.reason);
      return found !== undefined;
    };
    return [...changes(object.value, [], alternatives, skip)].flatMap(([steps, change, was, fresh]): Mutant[] => {
      const path = steps.join('/');
      const is = equivalents.find((it) => it.at.test(`${object.name}/${path}`) && (it.change?.test(change) ?? true));
      if (is !== undefined) {
        count(equivalent as Left, is.reason);
        return [];
      }
      const value = withChange(object.value, steps, fresh);
      const version = objects.with(index, { ...object, value });
      const at = { object: object.name, path, change, was };
      return [{ ...at, around: (length) => around(object.value, steps, length), version }];
    });
  });
  return { mutants, excluded: excluded as Left, equivalent: equivalent as Left };
}
