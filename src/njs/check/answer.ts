import { FROM_CHECK } from '../../base/internal-headers.ts';
import { callerLine, fieldsOfNone } from '../../rules/decide/answer-lines.ts';
import type { AssertionSigner } from '../keys/signer.ts';
import { counterName, increment } from '../shared/counts.ts';
import { budgetsDict } from '../shared/dicts.ts';
import type { CountedCredential, KnownCaller } from '../shared/known.ts';
import { spend } from './budgets.ts';
import type { PreparedRoute, PreparedRule } from './routes.ts';

/** `r.return` throws if the client has closed its connection. Then nothing is left to do. */
const unanswered = (error: unknown): void =>
  ngx.log(ngx.INFO, `meshgate: the check is not answered: ${(error as Error).message}`);

/** Answers nginx that the request is refused. */
export function replyRefused(r: NginxHTTPRequest): void {
  try {
    r.return(401);
  } catch (error) {
    unanswered(error);
  }
}

/** Returns a value of the body without spaces at its ends: HTTP/2 lets them through, and a header line would not. */
export function withoutSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === ' ') start++;
  while (start < end && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}

/** Answers 204 with headers, whose names and values alternate in `lines`.
 * @param service the service that the rule chooses
 * @param counted the name of the counter */
export function send(
  r: NginxHTTPRequest,
  { passing }: PreparedRoute,
  service: string,
  counted: string,
  lines: readonly string[],
  assertion: string | undefined,
): void {
  const out = r.headersOut;
  if (passing !== undefined) {
    const [authorization = ''] = (r.requestText ?? '').split('\n', 1);
    const scheme = passing.schemeFor(service, withoutSpaces(authorization));
    if (scheme !== undefined) out[FROM_CHECK.serviceCredential] = scheme;
  }
  for (let i = 0; i < lines.length; i += 2) out[lines[i] as string] = lines[i + 1] as string;
  if (assertion !== undefined) out[FROM_CHECK.assertion] = assertion;
  increment(counted);
  try {
    r.return(204);
  } catch (error) {
    unanswered(error);
  }
}

/** Called after all other checks, budgets included. If it refuses the request, it answers and returns true. */
export type Last = () => boolean;

/** Allows the request of a known caller with a stored answer. This function runs most often of all.
 * @param signer absent: the policy has no assertions
 * @returns false if the request must be decided from the beginning: there is no stored answer, a new assertion must be
 * signed, or a budget is used up */
export function replayCached(
  r: NginxHTTPRequest,
  route: PreparedRoute,
  method: string,
  known: KnownCaller,
  now: number,
  signer: AssertionSigner | undefined,
  last?: Last,
): boolean {
  const ready = known.ready?.get(method + route.afterMethod);
  if (ready === undefined) return false;
  const assertion = signer?.recall(known, ready.grant, now);
  if (signer !== undefined && assertion === undefined) return false;
  if (ready.budget !== undefined && spend(budgetsDict(), ready.budget, now) !== undefined) return false;
  if (last?.()) return true;
  send(r, route, ready.grant.service, ready.counted, ready.lines, assertion);
  return true;
}

/** Returns the name of the counter of a decision.
 * @param rule the rule that allows the request, or came closest to it; empty: none
 * @param reason why the request is refused; empty: it is allowed
 * @param kind the kind of the caller's credential; empty: the caller is not known */
export const decisionName = (route: string, rule: string, reason: string, kind: string): string =>
  counterName('decision', [route, rule, reason === '' ? 'allowed' : 'refused', reason], kind);

/** Returns the name of the counter of requests that a rule allows. It is composed once for each rule. */
export function allowedName(to: PreparedRoute, rule: PreparedRule, kind: CountedCredential): string {
  rule.counted ??= {};
  rule.counted[kind] ??= decisionName(to.name, rule.id, '', kind);
  return rule.counted[kind];
}

/** Answers 204 for an anonymous caller that has no roles. */
export function letAnyonePass(r: NginxHTTPRequest, to: PreparedRoute, rule: PreparedRule): void {
  rule.toNone ??= [FROM_CHECK.caller, callerLine(fieldsOfNone(rule.id, rule.as))];
  send(r, to, rule.service, allowedName(to, rule, 'anonymous'), rule.toNone, undefined);
}
