import { isWithin, readAddress, readRange } from '../../base/cidr.ts';
import type { Claims } from '../../base/claim-at.ts';
import { factsOfRoles } from '../../caller/roles/role-facts.ts';
import { roleTruth, type TokenContext } from '../../caller/roles/truth.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { isLeaf, providerOf, readsOf } from '../../policy/facts/describe.ts';
import type { Leaf } from '../../policy/facts/index.ts';
import type { RequestView } from '../../policy/facts/operator.ts';
import { everyFact, leaves } from '../../policy/facts/walk.ts';
import { type ProviderKind, providerKind } from '../../providers/index.ts';
import { decidedAt, isCut, type LogLine } from '../lines/line.ts';

/* The roles of a logged caller by another policy, from the claims in the line. A line has the claims that the roles of its
 * own policy read, so it says something about a role only if the role reads no others. */

/** Facts that depend on what no line contains: the binding of a token, and names in a certificate. */
const UNLOGGED: readonly Leaf['op'][] = ['bound', 'certificate'];

/** Returns the facts about a request that its address decides. */
export function viewFrom(text: string): RequestView {
  const address = readAddress(text);
  const isIn = (range: string): boolean => {
    const read = readRange(range);
    return address !== undefined && read !== undefined && isWithin(address, read);
  };
  return { within: (ranges) => ranges.some(isIn), named: () => undefined };
}

/** The claims that facts read, as keys of a set.
 * @param isPart whether a claim is only known for the values that the policy names: pseudonyms stand for all others, and
 * sessions keep no others of a list */
function keysOf(facts: readonly Leaf[], provider: string, kind: ProviderKind, isPart: boolean): readonly string[] {
  const own = facts.filter((fact) => (providerOf(fact) ?? provider) === provider);
  return own.flatMap((fact) =>
    readsOf(fact, kind).map(({ path, value }) =>
      JSON.stringify(isPart ? [path, value, fact.op === 'like' ? fact.value : ''] : [path]),
    ),
  );
}

function claimsOf({ claims }: LogLine): Claims | undefined {
  if (claims === undefined || isCut(claims)) return undefined;
  try {
    return JSON.parse(claims);
  } catch {
    return undefined;
  }
}

/** The roles that a new policy gives to the callers of lines of an old one. */
export class ClaimedRoles {
  readonly #after: Policy;
  readonly #logged: ReadonlyMap<string, ReadonlySet<string>>;
  /** The providers of whose claims a line has only the values that the old policy names. */
  readonly #partial: ReadonlySet<string>;
  readonly #facts: ReturnType<typeof factsOfRoles>;
  readonly #leaves: { readonly role: (name: string) => readonly Leaf[] };

  constructor(before: Policy, after: Policy) {
    this.#after = after;
    const { audit, session } = before.gateway;
    const isPart = ({ client }: Policy['providers'][string]) =>
      audit?.pseudonyms !== undefined || (session !== undefined && client !== undefined);
    const partial = Object.values(before.providers).filter(isPart);
    this.#partial = new Set(partial.map(({ name }) => name));
    const facts = Object.values(before.roles).flatMap(({ fact }) => everyFact(fact).filter(isLeaf));
    this.#logged = new Map(
      Object.values(before.providers).map(({ name, kind }) => {
        const of = providerKind(kind);
        return [name, new Set(of === undefined ? [] : keysOf(facts, name, of, this.#partial.has(name)))];
      }),
    );
    this.#facts = factsOfRoles({ roles: Object.values(after.roles).map(({ name, fact }) => [name, fact] as const) });
    this.#leaves = leaves(this.#facts.roleOf, 0, true);
  }

  /** Returns whether the caller of a line has a role of the new policy; undefined if the line does not say. */
  has(role: string, line: LogLine): boolean | undefined {
    const claims = claimsOf(line);
    const kind = providerKind(this.#after.providers[line.provider]?.kind ?? '');
    const logged = this.#logged.get(line.provider);
    if (claims === undefined || kind === undefined || logged === undefined) return undefined;
    const facts = this.#leaves.role(role);
    if (facts.some(({ op }) => UNLOGGED.includes(op))) return undefined;
    const keys = keysOf(facts, line.provider, kind, this.#partial.has(line.provider));
    if (!keys.every((key) => logged.has(key))) return undefined;
    const context: TokenContext = {
      verified: { provider: line.provider, claims, expires: 0, key: '' },
      kind,
      roles: this.#facts.roles,
      signin: { now: decidedAt(line), assumed: false, until: Number.POSITIVE_INFINITY },
      request: viewFrom(line.address),
    };
    return roleTruth(role, context) === true;
  }
}
