import { headerValue } from '../caller/headers.ts';
import { FROM_CHECK } from '../internal-headers.ts';
import { MAX_HEADER_VALUE } from '../limits.ts';
import { type Refusal, refuse } from '../reasons.ts';
import { budgetOf, spend } from './budgets.ts';
import { budgetsDict } from './dicts.ts';
import type { KnownCaller } from './known.ts';
import type { HeaderPlan, PlannedHeader, PreparedRoute, PreparedRule } from './routes.ts';
import type { Signer } from './signer.ts';

/*
 * Answers that let a request pass: lines, names and values of headers in turn. Each request passes here. njs's QuickJS
 * has no just-in-time compiler: an object, a pair taken apart by pattern, an
 * iterator cost half a microsecond each.
 */

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
export function aboutBytes({ user, provider, roles, agent, actors }: KnownCaller): number {
  const acting = agent === undefined || actors === undefined ? 0 : agent.length + actors.length;
  return NAMES_BYTES + user.length + provider.length + roles.length + acting;
}

const tooLong = (name: string): Refusal => refuse('claim_absent', `the value of ${name} is too long for a header`);

/** The lines for a caller whom a rule lets pass: who it is, for nginx's log, the rule, and the route's identity headers. */
function linesOf(known: KnownCaller, plan: HeaderPlan, { id, as }: PreparedRule): string[] | Refusal {
  const { user, provider, roles, agent, actors } = known;
  const isNobody = known.caller.nobody === true;
  const lines = isNobody
    ? [FROM_CHECK.rule, id]
    : [FROM_CHECK.user, user, FROM_CHECK.provider, provider, FROM_CHECK.rule, id];
  if (roles !== '') lines.push(FROM_CHECK.roles, roles);
  if (agent !== undefined) lines.push(FROM_CHECK.agent, agent, FROM_CHECK.actors, actors as string);
  if (as !== '') lines.push(FROM_CHECK.as, as);
  if (plan.roles !== undefined && roles.length > MAX_HEADER_VALUE) return tooLong(plan.roles);
  const { headers } = plan;
  let bytes = aboutBytes(known);
  for (let i = 0; i < headers.length; i++) {
    const { name, source, carrier } = headers[i] as PlannedHeader;
    const value = headerValue(source, known.caller);
    if (value === undefined) return tooLong(name);
    if (value === '') continue;
    lines.push(carrier, value);
    bytes += carrier.length + value.length + LINE_BYTES;
  }
  return bytes <= plan.room
    ? lines
    : refuse('claim_absent', 'the values of the identity headers are too long together');
}

/** Answers nginx. Its client may have gone meanwhile: then `r.return` throws, and nobody is there to be told. */
export function reply(r: NginxHTTPRequest, status: 204 | 401): void {
  try {
    r.return(status);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: the check is not answered: ${(error as Error).message}`);
  }
}

function send(r: NginxHTTPRequest, lines: readonly string[], assertion: string | undefined): void {
  const out = r.headersOut;
  for (let i = 0; i < lines.length; i += 2) out[lines[i] as string] = lines[i + 1] as string;
  if (assertion !== undefined) out[FROM_CHECK.assertion] = assertion;
  reply(r, 204);
}

/**
 * Is asked when nothing else stands against a request, its budget included: refuses it, answers that, and says true; or
 * lets it be.
 */
export type Last = () => boolean;

/** Methods and routes that a caller has ready answers for; whoever makes up methods gets no more. */
const MAX_READY = 64;

/**
 * Lets a known caller pass as before: same method, same route. The hot path of the hot path. It holds as long as nothing
 * but caller, route and method decides: what network or certificate gives makes another caller, see {@link Views}.
 *
 * @param signer of the policy's assertion, if it has one
 * @param last see {@link Last}
 * @returns false where there is no such answer yet, another assertion is to be signed, or nothing is left of a budget:
 * then all is decided anew
 */
export function again(
  r: NginxHTTPRequest,
  route: PreparedRoute,
  method: string,
  known: KnownCaller,
  now: number,
  signer: Signer | undefined,
  last?: Last,
): boolean {
  const ready = known.ready?.get(method + route.afterMethod);
  if (ready === undefined) return false;
  const assertion = signer?.recall(known, ready.grant, now);
  if (signer !== undefined && assertion === undefined) return false;
  if (ready.budget !== undefined && spend(budgetsDict(), ready.budget, now) !== undefined) return false;
  if (last?.()) return true;
  send(r, ready.lines, assertion);
  return true;
}

/**
 * 204 with rule, identity and headers for a caller whom a rule lets pass; kept ready for callers that come again.
 *
 * @param assertion what is signed for the caller, where the policy has it
 * @returns why the caller cannot pass all the same: an identity header that does not fit. Then nothing is answered.
 */
export function letPass(
  r: NginxHTTPRequest,
  route: PreparedRoute,
  method: string,
  rule: PreparedRule,
  known: KnownCaller,
  assertion: string | undefined,
): Refusal | undefined {
  const lines = linesOf(known, route.plan, rule);
  if ('reason' in lines) return lines;
  const { ready } = known;
  // What an agent is let do with tools hangs on the tool.
  if (ready !== undefined && !(route.tools && known.agent !== undefined)) {
    if (ready.size >= MAX_READY) ready.clear();
    const budget = route.budgets && budgetOf(route.budgets, known);
    ready.set(method + route.afterMethod, { lines, grant: rule.grant, budget });
  }
  send(r, lines, assertion);
  return undefined;
}

/** 204 for nobody in particular. */
export function letAnyonePass(r: NginxHTTPRequest, { id, as }: PreparedRule): void {
  send(r, as === '' ? [FROM_CHECK.rule, id] : [FROM_CHECK.rule, id, FROM_CHECK.as, as], undefined);
}
