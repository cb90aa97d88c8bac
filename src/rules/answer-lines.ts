import { headerValue } from '../caller/headers.ts';
import type { Caller } from '../caller/types.ts';
import { FROM_CHECK } from '../internal-headers.ts';
import { MAX_HEADER_VALUE } from '../limits.ts';
import type { HeaderSource, Headers } from '../policy/types.ts';
import { type Refusal, refuse } from '../reasons.ts';
import { carrier, isAlways } from './carrier.ts';
import type { Rule } from './types.ts';

/*
 * What an answer says that lets a request pass: lines, names and values of headers in turn. njs's QuickJS has no
 * just-in-time compiler: an object, a pair taken apart by pattern, an iterator cost half a microsecond each.
 */

/** A caller with what answers say, made once. */
export interface ToldCaller {
  readonly caller: Caller;
  readonly provider: string;
  /** The subject, encoded for a header. */
  readonly user: string;
  /** Names of the roles, joined by commas. */
  readonly roles: string;
  /** The agent that acts for the caller, or for itself, by its name. */
  readonly agent?: string;
  /** Who acts, encoded for a header; there with the agent. */
  readonly actors?: string;
}

/** One identity header of a route. */
interface PlannedHeader {
  readonly name: string;
  readonly source: HeaderSource;
  /** The answer header that carries its value. */
  readonly carrier: string;
}

/** The identity headers of a route. */
export interface HeaderPlan {
  readonly headers: readonly PlannedHeader[];
  /** Name of the one that sends the roles, if any does. */
  readonly roles: string | undefined;
  /** Bytes that these and the lines about the caller may take together. */
  readonly room: number;
}

/**
 * What stands in each answer anyway needs no work: subject and provider fit, roles are only compared with their
 * limit.
 *
 * @param names every identity header of the policy
 */
export function planOf(headers: Headers, names: readonly string[], room: number): HeaderPlan {
  const all = Object.entries(headers);
  return {
    headers: all
      .filter(([, source]) => !isAlways(source))
      .map(([name, source]) => ({ name, source, carrier: carrier(source, names.indexOf(name)) })),
    roles: all.find(([, source]) => source === 'roles')?.[0],
    room,
  };
}

/** What a header takes in an answer beside its name and value. */
const LINE_BYTES = 4;

const NAMES_BYTES = [
  FROM_CHECK.user,
  FROM_CHECK.provider,
  FROM_CHECK.roles,
  FROM_CHECK.agent,
  FROM_CHECK.actors,
].reduce((sum, name) => sum + name.length + LINE_BYTES, 0);

/** What the lines about a caller take in an answer, all of them there. */
export function aboutBytes({ user, provider, roles, agent, actors }: ToldCaller): number {
  const acting = agent === undefined || actors === undefined ? 0 : agent.length + actors.length;
  return NAMES_BYTES + user.length + provider.length + roles.length + acting;
}

const tooLong = (name: string): Refusal => refuse('claim_absent', `the value of ${name} is too long for a header`);

/**
 * The lines for a caller whom a rule lets pass: who it is, for nginx's log, the rule, and the route's identity headers.
 *
 * @returns reason `claim_absent` where an identity header does not fit
 */
export function linesOf(told: ToldCaller, plan: HeaderPlan, { id, as }: Pick<Rule, 'id' | 'as'>): string[] | Refusal {
  const { caller, user, provider, roles, agent, actors } = told;
  const lines =
    caller.nobody === true
      ? [FROM_CHECK.rule, id]
      : [FROM_CHECK.user, user, FROM_CHECK.provider, provider, FROM_CHECK.rule, id];
  if (roles !== '') lines.push(FROM_CHECK.roles, roles);
  if (agent !== undefined) lines.push(FROM_CHECK.agent, agent, FROM_CHECK.actors, actors as string);
  if (as !== '') lines.push(FROM_CHECK.as, as);
  if (plan.roles !== undefined && roles.length > MAX_HEADER_VALUE) return tooLong(plan.roles);
  const { headers } = plan;
  let bytes = aboutBytes(told);
  for (let i = 0; i < headers.length; i++) {
    const { name, source, carrier } = headers[i] as PlannedHeader;
    const value = headerValue(source, caller);
    if (value === undefined) return tooLong(name);
    if (value === '') continue;
    lines.push(carrier, value);
    bytes += carrier.length + value.length + LINE_BYTES;
  }
  return bytes <= plan.room
    ? lines
    : refuse('claim_absent', 'the values of the identity headers are too long together');
}
