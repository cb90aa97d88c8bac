import * as z from 'zod';
import { unwrap } from './descend.ts';
import { type Hint, hints } from './hints.ts';
import { duration } from './scalars.ts';

/* Each mapping of a policy is declared once. Its schema defines both the form that policies write and the type that the
 * code uses. The code has the same keys in camel case (`caFile` for `ca_file`) and values in one unit. Keys that are
 * absent and have no default are left out. */

/** Keys that have another name in the code. */
const NAMES = {
  etcd: 'endpoints',
  include_subdomains: 'subdomains',
  insecure_any_audience: 'anyAudience',
  insecure_any_type: 'anyType',
  insecure_forget_revocations: 'forgetful',
  insecure_pass_when_full: 'passWhenFull',
  insecure_private_addresses: 'privateAddresses',
  insecure_proxied_networks: 'proxiedNetworks',
} as const;

const WRITTEN = new Map<string, string>(Object.entries(NAMES).map(([written, name]) => [name, written]));

type CodeName<K> = K extends keyof typeof NAMES
  ? (typeof NAMES)[K]
  : K extends `${infer Head}_${infer Tail}`
    ? `${Head}${Capitalize<CodeName<Tail>>}`
    : K;

type Fixed<T> = T extends readonly (infer Element)[] ? readonly Element[] : T;

export type Named<T> = { readonly [K in keyof T as CodeName<K>]: Fixed<Exclude<T[K], undefined>> };

/** The name of a key in the code: `caFile` for `ca_file`. */
const codeName = (key: string): string =>
  (NAMES as Readonly<Record<string, string>>)[key] ?? key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** The key as policies write it, from its name in the code: `ca_file` for `caFile`. */
export const writtenKey = (name: string): string =>
  WRITTEN.get(name) ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Gives the keys of a mapping their names in the code. Keys without a value are removed. */
export const named = <T extends object>(written: T): Named<T> =>
  Object.fromEntries(
    Object.entries(written).flatMap(([key, value]) => (value === undefined ? [] : [[codeName(key), value]])),
  ) as Named<T>;

/** The names in the code of all keys whose values are seconds. */
export const times = new Set<string>();

/** The schema of a mapping that may have these keys and no others. */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape) {
  for (const [key, schema] of Object.entries(shape)) {
    if (unwrap(schema).hint?.what === hints.get(duration)?.what) times.add(codeName(key));
  }
  return z.strictObject(shape).transform(named);
}

/** A key that a policy may leave out; `text` describes it. */
export const optional = <Schema extends z.ZodType>(schema: Schema, text: string) => schema.describe(text).optional();

/** A key with a default value, which has the form that policies write. */
export const usually = <Schema extends z.ZodType>(schema: Schema, value: z.input<Schema>, text: string) =>
  schema.describe(text).prefault(value as z.core.util.NoUndefined<z.input<Schema>>);

/** A key that a policy may leave out, with a default that only the JSON Schema shows, because the code computes it. */
export const computed = <Schema extends z.ZodType>(schema: Schema, value: unknown, text: string) =>
  schema.describe(text).meta({ default: value }).optional();

/** A key with a default that JSON Schema cannot express. */
export const orElse = <Schema extends z.ZodType, Value>(schema: Schema, value: Value) =>
  schema.optional().transform((written) => (written === undefined ? value : written));

/** A list that is empty if the policy does not have the key. */
export const orNone = <Element extends z.ZodType>(list: z.ZodArray<Element>, text: string) =>
  optional(list, text).transform((written) => written ?? []);

/** A mapping whose keys are names of the author's choice. */
export const record = <T extends z.ZodType>(value: T, { source }: RegExp, hint: Hint, description: string) =>
  z
    .record(z.string(), value)
    .register(hints, hint)
    .meta({ propertyNames: { pattern: source }, description });

/** A key that can only be `true`. If it is not `true`, it is absent. */
export const onlyTrue = (text: string) =>
  z.literal(true).register(hints, { what: 'true', write: 'true, or remove this' }).describe(text).optional();

export const flag = z.boolean().register(hints, { what: 'true or false', write: 'true or false' });
