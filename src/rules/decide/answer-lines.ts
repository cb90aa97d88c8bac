import { FROM_CHECK } from '../../base/internal-headers.ts';
import { MAX_HEADER_VALUE } from '../../base/limits.ts';
import { type Refusal, refuse } from '../../base/reasons.ts';
import { valueForHeader } from '../../caller/headers.ts';
import { type Hides, shownTo } from '../../caller/roles/team-roles.ts';
import type { Caller } from '../../caller/types.ts';
import type { HeaderSource, Headers } from '../../policy/checked/types.ts';
import { alwaysField, isLong } from '../table/carrier.ts';
import type { Rule } from '../types.ts';

/* The check's response if a request passes: a list in which names and values of headers alternate. njs's QuickJS has
 * no just-in-time compiler: each object, each destructured pair and each iterator costs half a microsecond. */

/** A caller, with the texts about the caller in responses. These texts are computed once. */
export interface DisclosedCaller {
  readonly caller: Caller;
  readonly provider: string;
  /** The subject, encoded for a header. */
  readonly user: string;
  readonly roles: string;
  /** The name of the agent that acts for the caller or for itself. */
  readonly agent?: string;
  /** The actor chain, encoded for a header. It is present if and only if there is an agent. */
  readonly actors?: string;
  /** The keyed hash that stands for the subject in the log; absent: the log has the subject. */
  readonly pseudonym?: string;
}

interface PlannedHeader {
  readonly name: string;
  readonly source: HeaderSource;
  /** The index among all identity headers of the policy. */
  readonly index: number;
  /** The response header with the value; absent: a field of `X-Meshgate-Caller` contains the value. */
  readonly carrier?: string | undefined;
}

export interface HeaderPlan {
  readonly headers: readonly PlannedHeader[];
  /** The number of fields of `X-Meshgate-Caller` with identity headers; 0 if the route needs none. */
  readonly fields: number;
  /** The name of the identity header that sends the roles; undefined if there is none. */
  readonly roles: string | undefined;
  /** Whether a role belongs to another team, so that the route's service does not receive it. */
  readonly hides: Hides | undefined;
  /** How many bytes the identity headers and the lines about the caller may have in total. */
  readonly room: number;
}

/** Plans the identity headers of a route. `names` are the names of all identity headers of the policy. Values that each
 * response already contains need no line: subject and provider always fit, and only the length of the roles is
 * compared. */
export function planOf(headers: Headers, names: readonly string[], room: number, hides?: Hides): HeaderPlan {
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
    hides,
    room,
  };
}

/** Returns what a response says about a caller, without the roles of other teams. */
export function disclosedTo<T extends DisclosedCaller>(disclosed: T, hides: Hides | undefined): DisclosedCaller {
  const caller = shownTo(disclosed.caller, hides);
  return caller === disclosed.caller ? disclosed : { ...disclosed, caller, roles: caller.roles.join(',') };
}

/** The number of bytes of a header in a response, without its name and its value. */
const LINE_BYTES = 4;

/** The number of bytes that the names of the fields about a caller have in the limits of policies. */
const NAMES_BYTES = ['User', 'Provider', 'Roles', 'Agent', 'Actors'].reduce(
  (sum, name) => sum + `X-Meshgate-${name}`.length + LINE_BYTES,
  0,
);

/** Returns how many bytes the lines about a caller have in a response. */
export function aboutBytes({ user, provider, roles, agent, actors }: DisclosedCaller): number {
  const acting = agent === undefined || actors === undefined ? 0 : agent.length + actors.length;
  return NAMES_BYTES + user.length + provider.length + roles.length + acting;
}

const tooLong = (name: string): Refusal => refuse('claim_absent', `the value of ${name} is too long for a header`);

/** The value of `X-Meshgate-Caller`. No field contains a TAB. HTTP removes TABs at both ends of a header value, so the
 * value begins and ends with a dot. */
export const callerLine = (fields: readonly string[]): string => `.\t${fields.join('\t')}\t.`;

/** The fields of `X-Meshgate-Caller` about a caller and a rule, in the order of `CALLER_FIELDS`. */
export function fieldsOf(rule: string, as: string, disclosed: DisclosedCaller): string[] {
  const { caller, user, provider, roles, agent = '', actors = '', pseudonym = '' } = disclosed;
  return caller.nobody === true
    ? [rule, as, '', '', roles, agent, actors, '', '', '']
    : [rule, as, user, provider, roles, agent, actors, caller.alone ? '1' : '', caller.claimed ?? '', pseudonym];
}

/** The fields for a request without a known caller. */
export const fieldsOfNone = (rule: string, as = ''): string[] => [rule, as, '', '', '', '', '', '', '', ''];

/** The lines for a caller that a rule allows: the caller for nginx's log, the rule, and the identity headers of the
 * route. If a header does not fit, the reason is `claim_absent`. */
export function linesOf(
  all: DisclosedCaller,
  plan: HeaderPlan,
  { id, as }: Pick<Rule, 'id' | 'as'>,
): string[] | Refusal {
  const disclosed = plan.hides === undefined ? all : disclosedTo(all, plan.hides);
  const { caller, roles } = disclosed;
  const fields = fieldsOf(id, as, disclosed);
  const own = fields.length;
  for (let i = 0; i < plan.fields; i++) fields.push('');
  const lines = [FROM_CHECK.caller, ''];
  if (plan.roles !== undefined && roles.length > MAX_HEADER_VALUE) return tooLong(plan.roles);
  const { headers } = plan;
  // Each field has a TAB, even if the field is empty.
  let bytes = aboutBytes(disclosed) + plan.fields;
  for (let i = 0; i < headers.length; i++) {
    const { name, source, index, carrier } = headers[i] as PlannedHeader;
    const value = valueForHeader(source, caller);
    if (value === undefined) return tooLong(name);
    if (value === '') continue;
    if (carrier === undefined) fields[own + index] = value;
    else lines.push(carrier, value);
    bytes += FROM_CHECK.identity.length + String(index).length + value.length + LINE_BYTES;
  }
  lines[1] = callerLine(fields);
  return bytes <= plan.room
    ? lines
    : refuse('claim_absent', 'the values of the identity headers are too long in total');
}
