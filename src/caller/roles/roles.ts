import { claimAt } from '../../base/claim-at.ts';
import type { Fact } from '../../policy/facts/index.ts';
import { type RequestView, SCOPE, SIGNIN, type SigninView } from '../../policy/facts/operator.ts';
import { everyFact } from '../../policy/facts/walk.ts';
import { type ProviderKind, providerKind } from '../../providers/index.ts';
import type { TokenProvider, Verified } from '../../token/types.ts';
import { agentsOf } from '../token-agents.ts';
import type { CallerTable, TokenAgent } from '../types.ts';
import { factsOfRoles, type RoleFacts } from './role-facts.ts';
import { factTruth, roleTruth, type TokenContext } from './truth.ts';
import { type RequestRoles, requestRoles } from './views.ts';

interface Granted {
  readonly group: unknown;
  readonly places: readonly number[];
  readonly names: readonly string[];
}

/** Data for finding the roles of a provider's tokens, computed once. Most roles are found by the name of a group. */
interface RoleGrants {
  /** The roles in the policy's order. The indexes below refer to this list. */
  readonly names: readonly string[];
  readonly byGroup: ReadonlyMap<unknown, Granted>;
  readonly granted: readonly Granted[];
  /** Indexes of the roles that depend on other facts than groups. */
  readonly byFact: readonly number[];
  /** Indexes of the roles that depend on how or when the person signed in. */
  readonly bySignin: readonly number[];
  readonly byScope: readonly number[];
  readonly nested: boolean;
}

/** Data that is computed once for each provider of a table. */
export interface Prepared extends Pick<RoleFacts, 'roles' | 'requested' | 'ways'> {
  readonly kind: ProviderKind;
  readonly issuer: string;
  readonly subject: TokenProvider['subject'];
  readonly grants: RoleGrants;
  /** Whether groups are needed, because they give a role or a header sends them. */
  readonly readsGroups: boolean;
  /** The agents that send tokens of this provider, see {@link agentsOf}. */
  readonly agents: readonly TokenAgent[];
  /** Whether a token without `act` can belong to an agent too. */
  readonly seeksAgents: boolean;
  /** The roles that depend on the request; absent if there are none. */
  readonly ofRequest: RequestRoles | undefined;
}

const prepared = new WeakMap<CallerTable, Map<string, Prepared>>();

const namesRole = (fact: Fact): boolean => everyFact(fact).some(({ op }) => op === 'role');

/** Whether a fact depends on the groups in tokens of this provider. */
export const isOfGroup = (fact: Fact, name: string): boolean =>
  everyFact(fact).some((part) => part.op === 'group' && (part.provider === undefined || part.provider === name));

/** Computes a provider's data. A group fact without a provider applies to each provider. */
function grantsOf({ roles, depends }: RoleFacts, provider: string): RoleGrants {
  const names = [...roles.keys()];
  const places = new Map<unknown, number[]>();
  const byFact: number[] = [];
  names.forEach((name, place) => {
    const fact = roles.get(name) as Fact;
    if (fact.op !== 'group') byFact.push(place);
    else if (fact.provider === undefined || fact.provider === provider) {
      places.set(fact.value, [...(places.get(fact.value) ?? []), place]);
    }
  });
  const granted = [...places].map(([group, own]) => {
    return { group, places: own, names: own.map((i) => names[i] as string) };
  });
  const by = (bit: number) => byFact.filter((place) => (depends.role(names[place] as string) & bit) !== 0);
  const byGroup = new Map(granted.map((one) => [one.group, one]));
  const nested = [...roles.values()].some(namesRole);
  return { names, byGroup, granted, byFact, bySignin: by(SIGNIN), byScope: by(SCOPE), nested };
}

function prepare(name: string, table: CallerTable): Prepared {
  const provider = table.providers[name];
  const kind = provider && providerKind(provider.kind);
  if (provider === undefined || kind === undefined) throw new Error(`the policy has no provider ${name}`);
  const facts = factsOfRoles(table);
  const { roles, requested, ways } = facts;
  const readsGroups = table.sends.groups || [...roles.values()].some((fact) => isOfGroup(fact, name));
  const agents = agentsOf(table.agents ?? [], provider, table.providers);
  const seeksAgents = agents.length > 0 || kind.agents !== undefined;
  const { issuer, subject } = provider;
  const grants = grantsOf(facts, name);
  const ofRequest = requestRoles(table);
  return { kind, issuer, subject, roles, requested, ways, grants, readsGroups, agents, seeksAgents, ofRequest };
}

/** Returns the data for tokens of a provider. It throws if the table has no such provider. */
export function preparedOf(name: string, table: CallerTable): Prepared {
  let providers = prepared.get(table);
  if (providers === undefined) {
    providers = new Map();
    prepared.set(table, providers);
  }
  let made = providers.get(name);
  if (made === undefined) {
    made = prepare(name, table);
    providers.set(name, made);
  }
  return made;
}

/** Returns the input for facts about the sign-in at a given time; undefined if no role depends on such a fact. */
export function signinView({ grants }: Prepared, now: number): SigninView | undefined {
  return grants.bySignin.length === 0 ? undefined : { now, assumed: false, until: Number.POSITIVE_INFINITY };
}

/** Returns the input for facts about a verified token and its request. */
export function factContext(verified: Verified, table: CallerTable, now: number, request?: RequestView): TokenContext {
  const made = preparedOf(verified.provider, table);
  return { verified, kind: made.kind, roles: made.roles, signin: signinView(made, now), request };
}

const none: readonly string[] = Object.freeze([]);

/** Returns the roles that a token's groups give. It reads the shorter list: these groups or the policy's. */
function grantedTo(claim: unknown, { byGroup, granted }: RoleGrants): readonly Granted[] {
  const held: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const found: Granted[] = [];
  if (granted.length < held.length) {
    for (let i = 0; i < granted.length; i++) {
      const one = granted[i] as Granted;
      if (held.includes(one.group)) found.push(one);
    }
  } else {
    for (let i = 0; i < held.length; i++) {
      const one = byGroup.get(held[i]);
      if (one !== undefined) found.push(one);
    }
  }
  return found;
}

/** Returns the indexes of the roles that groups and other facts give. An index can occur more than once. */
function placesOf(
  verified: Verified,
  { kind, roles, grants }: Prepared,
  found: readonly Granted[],
  signin: SigninView | undefined,
): number[] {
  const { names, byFact, nested } = grants;
  const places: number[] = [];
  for (let i = 0; i < found.length; i++) {
    const more = (found[i] as Granted).places;
    for (let j = 0; j < more.length; j++) places.push(more[j] as number);
  }
  const context = { verified, kind, roles, signin };
  for (let i = 0; i < byFact.length; i++) {
    const place = byFact[i] as number;
    const name = names[place] as string;
    const truth = nested ? roleTruth(name, context) : factTruth(roles.get(name) as Fact, context);
    if (truth === true) places.push(place);
  }
  return places;
}

/** Returns the roles of a token whose groups were already read, see {@link rolesOf}.
 * @param signin the result of {@link signinView}, in which this function notes how long the roles are valid */
export function rolesBy(verified: Verified, made: Prepared, groups: unknown, signin: SigninView | undefined) {
  const { names, byFact } = made.grants;
  const found = grantedTo(groups, made.grants);
  if (byFact.length === 0 && found.length < 2) return found.length === 0 ? none : (found[0] as Granted).names;
  const places = placesOf(verified, made, found, signin).sort((a, b) => a - b);
  const held: string[] = [];
  for (let i = 0; i < places.length; i++)
    if (places[i] !== places[i - 1]) held.push(names[places[i] as number] as string);
  return held;
}

/** Returns the roles that a token gives, in the policy's order. The cost grows with the groups of the token and not
 * with the size of the policy. */
export function rolesOf(verified: Verified, table: CallerTable, now: number): readonly string[] {
  const made = preparedOf(verified.provider, table);
  const { groups } = made.kind;
  const held = groups === undefined ? undefined : claimAt(verified.claims, groups);
  return rolesBy(verified, made, held, signinView(made, now));
}
