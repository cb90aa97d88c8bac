import { choose, descend, unwrap } from '../../policy/forms/descend.ts';
import { cardsOf, type Decides, decidedBy } from '../../policy/forms/mapping.ts';
import { type Path, ROUTES } from '../../policy/forms/path.ts';
import { policySchema } from '../../policy/schema/policy.ts';
import type { DefinitionChange } from './parts.ts';

/** Changed definitions, grouped by their effect on a proof. */
export interface Classified {
  /** These definitions decide which requests pass. If they differ, the policies do not allow the same requests. */
  readonly counted: readonly DefinitionChange[];
  /** These definitions decide only the service and the identity. The proof compares both for each request. */
  readonly reached: readonly DefinitionChange[];
  /** These definitions decide no request. The proof says that it has not compared them. */
  readonly other: readonly DefinitionChange[];
}

type Section = DefinitionChange['section'];

/** Where the keys of each section are in a policy. */
const PATHS: Readonly<Record<Exclude<Section, 'header'>, Path>> = {
  gateway: ['gateway'],
  provider: ['providers', ''],
  role: ['roles', ''],
  agent: ['agents', ''],
  mesh: ['mesh'],
  ingress: ['mesh', 'ingress'],
  identity: ['mesh', 'identities', ''],
  service: ['services', ''],
  team: ['teams', ''],
  host: ['hosts', ''],
  route: ['hosts', '', ROUTES, ''],
};

/** What keys decide that only a checked policy has: the team of a part, and the address from `url` or `insecure_url`. */
const BUILT: Readonly<Record<string, Decides>> = { team: 'nothing', direct: 'destination' };

/** The keys that a proof compares for each request, as the service and the identity that the request gets. */
const COMPARED: Partial<Record<Section, readonly string[]>> = {
  identity: ['spiffe'],
  ingress: ['address', 'ca_file', 'server_name'],
  service: ['authority', 'direct', 'endpoint', 'ingress', 'mesh', 'service_account'],
};

type Value = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Value =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns a value from its text in a change. Times are not JSON. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

const STRENGTH: readonly Decides[] = ['nothing', 'destination', 'request'];

const strongest = (all: readonly Decides[]): Decides =>
  all.reduce((most, it) => (STRENGTH.indexOf(it) > STRENGTH.indexOf(most) ? it : most), 'nothing');

/** What a change inside of a mapping decides. A key without a card decides what its mapping does.
 * @param entire what the mapping decides if it is added or removed */
function within(schema: Parameters<typeof unwrap>[0], entire: Decides, before: unknown, after: unknown): Decides {
  const bare = choose(unwrap(schema), after ?? {});
  const keys = bare && cardsOf(bare.schema);
  if (keys === undefined || !(isMapping(before) || isMapping(after))) return entire;
  if (!isMapping(before) || !isMapping(after))
    return strongest([entire, within(schema, entire, before ?? {}, after ?? {})]);
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  return strongest(
    changed.map((key) => {
      const card = Object.hasOwn(keys, key) ? keys[key] : undefined;
      return card ? within(card.schema, decidedBy(card.card), before[key], after[key]) : entire;
    }),
  );
}

/** Returns what a changed definition decides. A key that no card knows decides requests. */
export function decidesOf({ section, key, before, after }: DefinitionChange): Decides {
  if (section === 'header') return 'destination';
  // The order of agents decides, and the value of a role.
  if (key === undefined) return 'request';
  if (BUILT[key] !== undefined) return BUILT[key];
  const schema = descend(policySchema, PATHS[section], undefined)?.schema;
  const fields = schema && choose(unwrap(schema), {});
  const card = fields && cardsOf(fields.schema)?.[key];
  return card ? within(card.schema, decidedBy(card.card), parsed(before), parsed(after)) : 'request';
}

/** Whether a whole definition was added or removed. The rules that use its name decide whether this matters. */
const isComplete = ({ section, key, before, after }: DefinitionChange): boolean =>
  section !== 'header' && key === undefined && (before === undefined || after === undefined);

/** Definitions whose values no rule shows, as a renamed identity with another file. */
const UNSHOWN: readonly Section[] = ['service', 'identity', 'ingress', 'mesh'];

/** Groups the changed definitions by their effect on a proof. */
export function classify(changes: readonly DefinitionChange[]): Classified {
  const kept = changes.filter((change) => !isComplete(change));
  const counted = kept.filter((change) => decidesOf(change) === 'request');
  const reached = kept.filter(
    (change) => decidesOf(change) === 'destination' && COMPARED[change.section]?.includes(change.key ?? ''),
  );
  const unshown = changes.filter((change) => isComplete(change) && UNSHOWN.includes(change.section));
  const rest = kept.filter((change) => !counted.includes(change) && !reached.includes(change));
  return { counted, reached, other: [...rest, ...unshown] };
}
