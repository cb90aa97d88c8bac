import { headerValue } from '../caller/headers.ts';
import type { Caller } from '../caller/types.ts';
import { FROM_CHECK } from '../internal-headers.ts';
import { MAX_HEADER_VALUE } from '../limits.ts';
import type { HeaderSource, Headers } from '../policy/types.ts';
import { type Refusal, refuse } from '../reasons.ts';
import { alwaysField, isLong } from './carrier.ts';
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
  /** Its place among all of the policy. */
  readonly index: number;
  /** The answer header that carries its value; absent: a field of `X-Meshgate-Caller` does. */
  readonly carrier?: string | undefined;
}

/** The identity headers of a route. */
export interface HeaderPlan {
  readonly headers: readonly PlannedHeader[];
  /** Fields of `X-Meshgate-Caller` for identity headers; 0 if the route needs none. */
  readonly fields: number;
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
  const planned = all
    .filter(([, source]) => alwaysField(source) === undefined)
    .map(([name, source]): PlannedHeader => {
      const index = names.indexOf(name);
      return { name, source, index, carrier: isLong(source) ? `${FROM_CHECK.identity}${index}` : undefined };
    });
  return {
    headers: planned,
    fields: planned.some(({ carrier }) => carrier === undefined) ? names.length : 0,
    roles: all.find(([, source]) => source === 'roles')?.[0],
    room,
  };
}

/** What a header takes in an answer beside its name and value. */
const LINE_BYTES = 4;

/** What the limits of policies count for the fields about a caller, beside their values. */
const NAMES_BYTES = ['User', 'Provider', 'Roles', 'Agent', 'Actors'].reduce(
  (sum, name) => sum + `X-Meshgate-${name}`.length + LINE_BYTES,
  0,
);

/** What the lines about a caller take in an answer, all of them there. */
export function aboutBytes({ user, provider, roles, agent, actors }: ToldCaller): number {
  const acting = agent === undefined || actors === undefined ? 0 : agent.length + actors.length;
  return NAMES_BYTES + user.length + provider.length + roles.length + acting;
}

const tooLong = (name: string): Refusal => refuse('claim_absent', `the value of ${name} is too long for a header`);

/**
 * `X-Meshgate-Caller`, of its fields. No field has a TAB: each is a name of the policy, or encoded. The dots keep the TABs
 * beside an empty field at either end, which are cut off a header value.
 */
export const callerLine = (fields: readonly string[]): string => `.\t${fields.join('\t')}\t.`;

/** The fields of `X-Meshgate-Caller` about a caller and a rule, in the order of `CALLER_FIELDS`. */
export function fieldsOf(rule: string, as: string, told: ToldCaller): string[] {
  const { caller, user, provider, roles, agent = '', actors = '' } = told;
  return caller.nobody === true
    ? [rule, as, '', '', roles, agent, actors]
    : [rule, as, user, provider, roles, agent, actors];
}

/**
 * The lines for a caller whom a rule lets pass: who it is, for nginx's log, the rule, and the route's identity headers.
 *
 * @returns reason `claim_absent` where an identity header does not fit
 */
export function linesOf(told: ToldCaller, plan: HeaderPlan, { id, as }: Pick<Rule, 'id' | 'as'>): string[] | Refusal {
  const { caller, roles } = told;
  const fields = fieldsOf(id, as, told);
  const own = fields.length;
  for (let i = 0; i < plan.fields; i++) fields.push('');
  const lines = [FROM_CHECK.caller, ''];
  if (plan.roles !== undefined && roles.length > MAX_HEADER_VALUE) return tooLong(plan.roles);
  const { headers } = plan;
  let bytes = aboutBytes(told);
  for (let i = 0; i < headers.length; i++) {
    const { name, source, index, carrier } = headers[i] as PlannedHeader;
    const value = headerValue(source, caller);
    if (value === undefined) return tooLong(name);
    if (value === '') continue;
    if (carrier === undefined) fields[own + index] = value;
    else lines.push(carrier, value);
    bytes += FROM_CHECK.identity.length + String(index).length + value.length + LINE_BYTES;
  }
  lines[1] = callerLine(fields);
  return bytes <= plan.room
    ? lines
    : refuse('claim_absent', 'the values of the identity headers are too long together');
}
