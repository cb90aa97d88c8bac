import { addressText, isWithin, type Range, readAddress, readRange } from '../../base/cidr.ts';
import { ANONYMOUS_CALLER } from '../../caller/reserved.ts';
import { inView, type RequestRoles, requestRoles } from '../../caller/roles/views.ts';
import type { Advice } from '../../policy/advice/recommendation.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { everyFact } from '../../policy/facts/walk.ts';
import { toTable } from '../table/table.ts';
import type { Rule } from '../types.ts';

/** Addresses that no policy names: one of the discard prefix (RFC 6666), and the IPv4 dummy address (RFC 7600). */
export const ELSEWHERE: readonly string[] = ['100::1', '192.0.0.8'];

/** Anonymous callers with certain addresses, and the roles that each of two policies gives them. */
export interface AnonymousCaller {
  readonly address: string;
  readonly left: readonly string[];
  readonly right: readonly string[];
}

/** Returns the ranges of addresses in the roles of a policy, with their texts as keys. */
function rangesOf({ roles }: Policy): ReadonlyMap<string, Range> {
  const facts = Object.values(roles).flatMap(({ fact }) => everyFact(fact));
  const texts = facts.flatMap((fact) => (fact.op === 'network' ? fact.value : []));
  const ranges = texts.map((text) => [text, readRange(text)] as const);
  return new Map(ranges.filter((entry): entry is [string, Range] => entry[1] !== undefined));
}

/** The first address after a range; undefined if there is none. */
function afterRange({ bytes, length }: Range): readonly number[] | undefined {
  const next = [...bytes];
  let at = Math.ceil(length / 8) - 1;
  let add = 1 << (7 - ((length + 7) % 8));
  for (; at >= 0 && add > 0; at -= 1) {
    const sum = (next[at] as number) + add;
    next[at] = sum & 0xff;
    add = sum > 0xff ? 1 : 0;
  }
  return at < 0 && add > 0 ? undefined : next;
}

/** Returns an address of each set that ranges distinguish: the first of all, of each range, and after each range. */
function addressesOf(ranges: readonly Range[]): readonly (readonly number[])[] {
  const ends = ranges.flatMap((range) => [range.bytes, afterRange(range)]).filter((bytes) => bytes !== undefined);
  const all = [Array<number>(4).fill(0), Array<number>(16).fill(0), ...ends];
  return [...new Map(all.map((bytes) => [bytes.join('.'), bytes])).values()];
}

function rolesAt(policy: Policy): (address: readonly number[]) => readonly string[] {
  const of: RequestRoles | undefined = requestRoles(toTable(policy, [], { egress: '' }));
  if (of === undefined) return () => [];
  const ranges = rangesOf(policy);
  return (address) => {
    const isIn = (text: string): boolean => {
      const range = ranges.get(text);
      return range !== undefined && isWithin(address, range);
    };
    return inView(ANONYMOUS_CALLER, of, { within: (texts) => texts.some(isIn), named: () => undefined }).roles;
  };
}

/** Returns anonymous callers to which one of two policies gives a role. Only the address can do this. */
export function anonymousCallers(left: Policy, right: Policy): readonly AnonymousCaller[] {
  const [leftAt, rightAt] = [rolesAt(left), rolesAt(right)];
  const found = new Map<string, AnonymousCaller>();
  for (const bytes of addressesOf([...rangesOf(left).values(), ...rangesOf(right).values()])) {
    const [was, is] = [leftAt(bytes), rightAt(bytes)];
    const key = JSON.stringify([was, is]);
    if (was.length + is.length > 0 && !found.has(key))
      found.set(key, { address: addressText(bytes), left: was, right: is });
  }
  return [...found.values()];
}

/** The roles that anonymous callers with at least one address have. */
export const heldByAnonymous = (policy: Policy): ReadonlySet<string> =>
  new Set(anonymousCallers(policy, policy).flatMap(({ left }) => left));

/** The roles that anonymous callers with most addresses of IPv4 or IPv6 have. */
export function heldFromMost(policy: Policy): ReadonlySet<string> {
  const at = rolesAt(policy);
  return new Set(ELSEWHERE.flatMap((address) => at(readAddress(address) ?? [])));
}

/** Advice for roles that most addresses give to anonymous callers, for example because a network is in `none`. */
export function anonymousAdvice(policy: Policy, rules: readonly Rule[]): readonly Advice[] {
  const held = heldFromMost(policy);
  return Object.values(policy.roles).flatMap(({ name, at }): Advice[] => {
    const rule = held.has(name) ? rules.find(({ who }) => who.kind === 'role' && who.role === name) : undefined;
    if (rule === undefined) return [];
    const text = `anonymous callers have this role from most addresses, and ${rule.id} allows them; add a fact about the token to the role (all), or write anyone in the rule if this is intended`;
    return [{ at, path: `roles.${name}`, text }];
  });
}
