import * as z from 'zod';
import { unwrap } from './descend.ts';
import { hints } from './hints.ts';
import { duration } from './scalars.ts';

/*
 * A mapping of a policy is declared once. Its schema says what policies write, and what the code gets: the same keys as
 * `caFile` for `ca_file`, values in one unit, and no key that is absent and has no default.
 */

/** Keys that the code calls something else. */
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

const WRITTEN: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(NAMES).map(([written, name]) => [name, written]),
);

type CodeName<K> = K extends keyof typeof NAMES
  ? (typeof NAMES)[K]
  : K extends `${infer Head}_${infer Tail}`
    ? `${Head}${Capitalize<CodeName<Tail>>}`
    : K;

type Fixed<T> = T extends readonly (infer Element)[] ? readonly Element[] : T;

/** A mapping as the code gets it. */
export type Named<T> = { readonly [K in keyof T as CodeName<K>]: Fixed<Exclude<T[K], undefined>> };

/** `caFile` for `ca_file`. */
const codeName = (key: string): string =>
  (NAMES as Readonly<Record<string, string>>)[key] ?? key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** `ca_file` for `caFile`: the key as policies write it. */
export const writtenKey = (name: string): string =>
  WRITTEN[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Gives the keys of a mapping their names in the code; those without a value go. */
export const named = <T extends object>(written: T): Named<T> =>
  Object.fromEntries(
    Object.entries(written).flatMap(([key, value]) => (value === undefined ? [] : [[codeName(key), value]])),
  ) as Named<T>;

/** Names in the code of all keys whose values are seconds. */
export const times = new Set<string>();

/** A mapping with these keys and no others. */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape) {
  for (const [key, schema] of Object.entries(shape)) {
    if (unwrap(schema).hint?.what === hints.get(duration)?.what) times.add(codeName(key));
  }
  return z.strictObject(shape).transform(named);
}

/** A key that is something else where a policy does not have it: for what JSON Schema cannot say as a default. */
export const orElse = <Schema extends z.ZodType, Value>(schema: Schema, value: Value) =>
  schema.optional().transform((written) => (written === undefined ? value : written));

/** A list that is empty where a policy does not have it. */
export const orNone = <Element extends z.ZodType>(list: z.ZodArray<Element>) =>
  list.optional().transform((written) => written ?? []);

/** What nobody writes as `false`: without the key it is not so. */
export const onlyTrue = (text: string) =>
  z.literal(true).register(hints, { what: 'true', write: 'true, or leave it out' }).describe(text).optional();

/** `true` or `false`. */
export const flag = z.boolean().register(hints, { what: 'true or false', write: 'true or false' });
