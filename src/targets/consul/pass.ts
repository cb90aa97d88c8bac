import { BY_ROLE, EVERY_ROLE, holderOf } from '../../assertion/claims.ts';
import type { Policy } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import { assertionFor } from './destinations.ts';

/** Claim with the service that an assertion is for. */
export const AUDIENCE = 'aud';

/** A claim that is there and is this text: Consul compares nothing else, whatever its documents say of lists. */
export interface Claim {
  readonly Path: readonly string[];
  readonly Value: string;
}

/** Whom a permission lets pass: anyone who connects, or the bearer of an assertion that says all this. */
export interface Pass {
  readonly name: string;
  /** Absent: anyone. */
  readonly says?: {
    readonly audience: string;
    readonly as: string;
    /** What `by_role` has to say, and of what role; absent: every assertion says it. */
    readonly role?: string;
    readonly holder?: string;
  };
  /** It lets only these tools be called; absent: whatever is asked. */
  readonly tools?: {
    readonly patterns: readonly string[];
    /** The same without. */
    readonly open: Pass;
  };
}

const ANYONE: Pass = { name: 'anyone' };

/** Whom a rule lets pass, and with what messages. */
export function passOf(policy: Policy, rule: Enforced): Pass {
  const open = openPass(policy, rule);
  const { tools } = rule;
  return tools === undefined
    ? open
    : { ...open, name: JSON.stringify([open.name, tools]), tools: { patterns: tools, open } };
}

function openPass(policy: Policy, rule: Enforced): Pass {
  if (assertionFor(policy, rule) === undefined) return ANYONE;
  const { service: audience, as, who, agent, alone } = rule;
  const says = { audience, as };
  // Without agents every assertion is a person's.
  if (who.kind !== 'role' && agent === undefined) return { name: JSON.stringify([audience, as]), says };
  const role = who.kind === 'role' ? who.role : EVERY_ROLE;
  const holder = holderOf(agent, alone);
  return { name: JSON.stringify([audience, as, holder, role]), says: { ...says, role, holder } };
}

/** Whom a pass lets by, and others too: everybody with a role also has the one of everybody. */
function includes(a: Pass, b: Pass): boolean {
  if (a === b || a.tools !== undefined) return false;
  if (a.says === undefined) return true;
  if (b.says === undefined) return false;
  const { audience, as, holder, role } = a.says;
  if (audience !== b.says.audience || as !== b.says.as) return false;
  return role === undefined || (role === EVERY_ROLE && holder === b.says.holder);
}

/** The fewest that let the same people pass. */
export function fewest(passes: readonly Pass[]): readonly Pass[] {
  // A role includes none but itself, and there may be many.
  const wide = passes.filter(({ says }) => says?.role === undefined || says.role === EVERY_ROLE);
  return passes.filter((pass) => !wide.some((other) => includes(other, pass)));
}

/** What an assertion has to say to pass. */
export function claimsOf({ audience, as, role, holder }: NonNullable<Pass['says']>): readonly Claim[] {
  return [
    { Path: [AUDIENCE], Value: audience },
    { Path: ['as'], Value: as },
    ...(role === undefined || holder === undefined ? [] : [{ Path: [BY_ROLE, role], Value: holder }]),
  ];
}
