import * as z from 'zod';
import { unwrap } from './descend.ts';
import { type Hint, hints } from './hints.ts';
import { duration } from './scalars.ts';

/* Each mapping of a policy is declared once. Its schema defines both the form that policies write and the type that the
 * code uses. The code has the same keys in camel case (`caFile` for `ca_file`) and values in one unit. KeysByName that are
 * absent and have no default are left out. */

/** KeysByName that have another name in the code. */
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

/** What a key decides: which requests pass, and for which caller; the service, the identity, and the headers that the
 * service receives; or neither. */
export type Decides = 'request' | 'destination' | 'nothing';

/** What a team's file may write at a key. A text is checked by itself, also in a list. */
export type TeamLimit =
  /** Anything: the value concerns only the team's own hosts and services. References are checked with their kind. */
  | 'free'
  /** What the keys inside allow. */
  | 'inside'
  | { readonly never: string }
  | { readonly may: string }
  /** Each text for which this returns no mistake, and what the keys inside allow. */
  | { readonly text: (text: string, given: never) => string | undefined };

/** Keys that a key depends on, with the words of the error; true: the general words. `client` is beside the key,
 * `match/service` is below a key beside it, and `/gateway/store` is a path of the whole policy. `a|b` is either of two. */
type Others = Readonly<Record<string, string | true>>;

/** How a key relates to others. `check/relations.ts` reports what is wrong, at most one error for each key. */
export interface Relations {
  /** Keys beside which this key cannot be. */
  readonly excludes?: Others;
  /** Keys without which this key has no effect. */
  readonly noEffectWithout?: Others;
  /** Keys that must be there, too; the words say what to write. */
  readonly requires?: Others;
  /** No other entry of the mapping or list around has this value. Returns the words of the error. */
  readonly unique?: (other: string) => string;
  /** The only kind of mesh in which this key has an effect, with the words of the error; true: the general words. */
  readonly onlyInMesh?: ByMesh<string | true>;
  /** Why this key has no effect in a kind of mesh. */
  readonly notInMesh?: ByMesh<string>;
  /** What to write, because a kind of mesh needs this key. */
  readonly neededInMesh?: ByMesh<string>;
}

export const MESH_KINDS = ['envoy', 'istio', 'linkerd', 'consul'] as const;

export type MeshKind = (typeof MESH_KINDS)[number];

type ByMesh<T> = Readonly<Partial<Record<MeshKind, T>>>;

interface SpelledCard extends Relations {
  readonly decides: Decides;
  readonly team?: TeamLimit;
}

interface TeamCard extends SpelledCard {
  readonly team: TeamLimit;
}

/** What is said about a key besides its form. `decides` and `team` have no default, so the compiler asks for both. The
 * keys of a section that no team may write need no limit for teams. */
export type Card = Decides | SpelledCard;

const spelled = (card: Card): SpelledCard => (typeof card === 'string' ? { decides: card } : card);

export const decidedBy = (card: Card): Decides => spelled(card).decides;

/** What a team’s file may write at a key; undefined: nothing. */
export const limitOf = (card: Card): TeamLimit | undefined => spelled(card).team;

export const relationsOf = (card: Card): Relations => spelled(card);

/** A key of a mapping. */
export interface Key<Schema extends z.ZodType = z.ZodType, Declared extends Card = Card> {
  readonly card: Declared;
  readonly schema: Schema;
}

export type KeysByName = Readonly<Record<string, Key>>;

/** Keys that the file of a team can have. */
export type TeamKeys = Readonly<Record<string, Key<z.ZodType, TeamCard>>>;

/** The forms of keys. */
export type Forms<Shape extends KeysByName> = { -readonly [K in keyof Shape]: Shape[K]['schema'] };

/** The card of each key, by its form. zod copies the schema of a mapping, but not the forms of its keys. */
const cards = new WeakMap<z.core.$ZodType, Key>();

/** What is said about the key with this form; undefined if it is not the form of a key. */
export const cardOf = (schema: z.core.$ZodType): Card | undefined => cards.get(schema)?.card;

/** Returns the keys of a mapping with this schema, with their cards; undefined if it has no keys of its own. */
export function cardsOf({ _zod: { def } }: z.core.$ZodType): Readonly<Record<string, Key>> | undefined {
  if (def.type !== 'object') return undefined;
  const { shape } = def as z.core.$ZodObjectDef;
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => {
      const card = cards.get(schema);
      if (card === undefined) throw new Error(`policy: the key ${name} has no card`);
      return [name, card];
    }),
  );
}

export function key<Schema extends z.ZodType, Declared extends Card>(
  card: Declared,
  form: Schema,
): Key<Schema, Declared> {
  const schema = cards.has(form) ? form.clone() : form;
  const made: Key<Schema, Declared> = { card, schema };
  cards.set(schema, made);
  return made;
}

/** What holds for the keys of a mapping together. */
interface Together {
  /** The error about an empty mapping. */
  readonly notEmpty?: string;
  /** The mapping has one of these keys. `what` is the name of the mapping, and `none` the error about a mapping with none. */
  readonly oneOf?: { readonly what: string; readonly keys: readonly string[]; readonly none: string };
  /** The mapping has at least one of these keys. `write` says how to write the first. */
  readonly someOf?: { readonly keys: readonly string[]; readonly write: string };
}

/** What holds for the keys of mappings together, by schema. */
export const togethers = z.registry<Together>();

/** The schema of a mapping that may have these keys and no others, with the names of the policy. */
export function strict<Shape extends KeysByName>(keys: Shape, together: Together = {}) {
  const shape = Object.fromEntries(Object.entries(keys).map(([name, { schema }]) => [name, schema])) as Forms<Shape>;
  return z.strictObject(shape).register(togethers, together);
}

/** The schema of a mapping that may have these keys and no others. */
export function mapping<Shape extends KeysByName>(keys: Shape, together?: Together) {
  for (const [name, { schema }] of Object.entries(keys)) {
    if (unwrap(schema).hint?.what === hints.get(duration)?.what) times.add(codeName(name));
  }
  return strict(keys, together).transform(named);
}

/** As {@link mapping}, in a section that the files of teams have, too. */
export const teamMapping = <Shape extends TeamKeys>(keys: Shape, together?: Together) => mapping(keys, together);

/** As {@link strict}, in a section that the files of teams have, too. */
export const teamStrict = <Shape extends TeamKeys>(keys: Shape) => strict(keys);

/** A key that a policy may leave out; `text` describes it. */
export const optional = <Schema extends z.ZodType, Declared extends Card>(
  card: Declared,
  schema: Schema,
  text: string,
) => key(card, schema.describe(text).optional());

/** A key with a default value, which has the form that policies write. */
export const usually = <Schema extends z.ZodType, Declared extends Card>(
  card: Declared,
  schema: Schema,
  value: z.input<Schema>,
  text: string,
) => key(card, schema.describe(text).prefault(value as z.core.util.NoUndefined<z.input<Schema>>));

/** A key that a policy may leave out, with a default that only the JSON Schema shows, because the code computes it. */
export const computed = <Schema extends z.ZodType, Declared extends Card>(
  card: Declared,
  schema: Schema,
  value: unknown,
  text: string,
) => key(card, schema.describe(text).meta({ default: value }).optional());

/** A key with a default that JSON Schema cannot express. */
export const orElse = <Schema extends z.ZodType, Value, Declared extends Card>(
  card: Declared,
  schema: Schema,
  value: Value,
) =>
  key(
    card,
    schema.optional().transform((written) => (written === undefined ? value : written)),
  );

/** A list that is empty if the policy does not have the key. */
export const orNone = <Element extends z.ZodType, Declared extends Card>(
  card: Declared,
  list: z.ZodArray<Element>,
  text: string,
) =>
  key(
    card,
    list
      .describe(text)
      .optional()
      .transform((written) => written ?? []),
  );

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
