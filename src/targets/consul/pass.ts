import { BY_ROLE, EVERY_ROLE, roleHolder } from '../../assertion/claims.ts';
import type { Policy } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import { assertionFor } from './destinations.ts';

/** The claim that names the service for which an assertion is. */
export const AUDIENCE = 'aud';

/** A claim that must have exactly this text. Consul's documentation mentions lists, but Consul compares only texts. */
export interface HeldClaim {
  readonly Path: readonly string[];
  readonly Value: string;
}

/** The callers that a permission allows: any connection, or a connection with an assertion that has all these claims. */
export interface Pass {
  readonly name: string;
  /** The claims of the assertion; absent: the permission allows anyone. */
  readonly says?: {
    readonly audience: string;
    readonly as: string;
    /** The required role, and who has it in `by_role`. Absent: the permission requires no role. */
    readonly role?: string;
    readonly holder?: string;
  };
  /** The tools that the permission allows; absent: it allows any request. */
  readonly tools?: {
    readonly patterns: readonly string[];
    /** The same pass without tools. */
    readonly open: Pass;
  };
}

const ANYONE: Pass = { name: 'anyone' };

/** The callers that a rule allows, and the messages that they may send. */
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
  // If a policy has no agents, every assertion is that of a person.
  if (who.kind !== 'role' && agent === undefined) return { name: JSON.stringify([audience, as]), says };
  const role = who.kind === 'role' ? who.role : EVERY_ROLE;
  const holder = roleHolder(agent, alone);
  return { name: JSON.stringify([audience, as, holder, role]), says: { ...says, role, holder } };
}

/** Whether a pass includes another one. In `by_role`, every caller with a role is also in the entry for all callers. */
function includes(a: Pass, b: Pass): boolean {
  if (a === b || a.tools !== undefined) return false;
  if (a.says === undefined) return true;
  if (b.says === undefined) return false;
  const { audience, as, holder, role } = a.says;
  if (audience !== b.says.audience || as !== b.says.as) return false;
  return role === undefined || (role === EVERY_ROLE && holder === b.says.holder);
}

/** The smallest set of passes that allows the same callers. */
export function fewest(passes: readonly Pass[]): readonly Pass[] {
  // A pass for a role includes only itself. There may be many roles, so only the other passes are compared.
  const wide = passes.filter(({ says }) => says?.role === undefined || says.role === EVERY_ROLE);
  return passes.filter((pass) => !wide.some((other) => includes(other, pass)));
}

/** The claims that an assertion must have to match the pass. */
export function requiredClaims({ audience, as, role, holder }: NonNullable<Pass['says']>): readonly HeldClaim[] {
  return [
    { Path: [AUDIENCE], Value: audience },
    { Path: ['as'], Value: as },
    ...(role === undefined || holder === undefined ? [] : [{ Path: [BY_ROLE, role], Value: holder }]),
  ];
}
