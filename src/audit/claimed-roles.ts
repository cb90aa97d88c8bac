import { roleFacts } from '../caller/role-facts.ts';
import { roleTruth, type TokenContext } from '../caller/truth.ts';
import { isWithin, readAddress, readRange } from '../cidr.ts';
import type { Claims } from '../claim-at.ts';
import { isLeaf, providerOf, readsOf } from '../policy/facts/describe.ts';
import type { Leaf } from '../policy/facts/index.ts';
import type { RequestView } from '../policy/facts/operator.ts';
import { everyFact, leaves } from '../policy/facts/walk.ts';
import type { Policy } from '../policy/types.ts';
import { type ProviderKind, providerKind } from '../providers/index.ts';
import { isCut, type LogLine } from './line.ts';

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

/** The claims that facts read, as keys of a set. With pseudonyms, a claim is only known for the values that the policy
 * names, because all others are hashed. */
function keysOf(facts: readonly Leaf[], provider: string, kind: ProviderKind, isHashed: boolean): readonly string[] {
  const own = facts.filter((fact) => (providerOf(fact) ?? provider) === provider);
  return own.flatMap((fact) =>
    readsOf(fact, kind).map(({ path, value }) =>
      JSON.stringify(isHashed ? [path, value, fact.op === 'like' ? fact.value : ''] : [path]),
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
  readonly #isHashed: boolean;
  readonly #facts: ReturnType<typeof roleFacts>;
  readonly #leaves: { readonly role: (name: string) => readonly Leaf[] };

  constructor(before: Policy, after: Policy) {
    this.#after = after;
    this.#isHashed = before.gateway.audit?.pseudonyms !== undefined;
    const facts = Object.values(before.roles).flatMap(({ fact }) => everyFact(fact).filter(isLeaf));
    this.#logged = new Map(
      Object.values(before.providers).map(({ name, kind }) => {
        const of = providerKind(kind);
        return [name, new Set(of === undefined ? [] : keysOf(facts, name, of, this.#isHashed))];
      }),
    );
    this.#facts = roleFacts({ roles: Object.values(after.roles).map(({ name, fact }) => [name, fact] as const) });
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
    if (!keysOf(facts, line.provider, kind, this.#isHashed).every((key) => logged.has(key))) return undefined;
    const now = Date.parse(line.time) / 1000;
    const context: TokenContext = {
      verified: { provider: line.provider, claims, expires: 0, key: '' },
      kind,
      roles: this.#facts.roles,
      signin: { now, assumed: false, until: Number.POSITIVE_INFINITY },
      request: viewFrom(line.address),
    };
    return roleTruth(role, context) === true;
  }
}
