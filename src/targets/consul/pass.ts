import { BY_ROLE, EVERY_ROLE, holderOf } from '../../assertion/claims.ts';
import type { Policy } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import { assertionFor } from './destinations.ts';

/** Claim with the service that an assertion is for. */
export const AUDIENCE = 'aud';

/** A claim that must have this text. Consul compares nothing else, although its documentation mentions lists. */
export interface Claim {
  readonly Path: readonly string[];
  readonly Value: string;
}

/** The callers that a permission allows: any connection, or one with an assertion with all these claims. */
export interface Pass {
  readonly name: string;
  /** Absent: anyone. */
  readonly says?: {
    readonly audience: string;
    readonly as: string;
    /** The required role and its holder in `by_role`; absent: every assertion has it. */
    readonly role?: string;
    readonly holder?: string;
  };
  /** It allows only these tools; absent: any request. */
  readonly tools?: {
    readonly patterns: readonly string[];
    /** The same without tools. */
    readonly open: Pass;
  };
}

const ANYONE: Pass = { name: 'anyone' };

/** The callers that a rule allows, and their messages. */
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

/** Whether a pass includes another: every caller with a role also has the entry for every caller. */
function includes(a: Pass, b: Pass): boolean {
  if (a === b || a.tools !== undefined) return false;
  if (a.says === undefined) return true;
  if (b.says === undefined) return false;
  const { audience, as, holder, role } = a.says;
  if (audience !== b.says.audience || as !== b.says.as) return false;
  return role === undefined || (role === EVERY_ROLE && holder === b.says.holder);
}

/** The fewest passes that allow the same callers. */
export function fewest(passes: readonly Pass[]): readonly Pass[] {
  // A role includes only itself, and there may be many roles.
  const wide = passes.filter(({ says }) => says?.role === undefined || says.role === EVERY_ROLE);
  return passes.filter((pass) => !wide.some((other) => includes(other, pass)));
}

/** The claims that an assertion needs to pass. */
export function claimsOf({ audience, as, role, holder }: NonNullable<Pass['says']>): readonly Claim[] {
  return [
    { Path: [AUDIENCE], Value: audience },
    { Path: ['as'], Value: as },
    ...(role === undefined || holder === undefined ? [] : [{ Path: [BY_ROLE, role], Value: holder }]),
  ];
}
