import { FROM_CHECK } from '../internal-headers.ts';
import type { Refusal } from '../reasons.ts';
import { callerLine, linesOf } from '../rules/answer-lines.ts';
import { budgetOf, spend } from './budgets.ts';
import { budgetsDict } from './dicts.ts';
import type { KnownCaller } from './known.ts';
import type { PreparedRoute, PreparedRule } from './routes.ts';
import type { Signer } from './signer.ts';

/** Answers nginx. If the client has closed its connection, `r.return` throws. The error is ignored, because the answer
 * is no longer needed. */
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

/** A function that is called after all other checks, budgets included. It can still refuse the request: it then answers
 * and returns true. */
export type Last = () => boolean;

/** Maximum number of ready answers for one caller. A ready answer is for one method and route, and a client can invent
 * methods. */
const MAX_READY = 64;

/** Allows the request of a known caller with a stored answer, if there is one. No function runs more often.
 * @param signer the signer of assertions, if the policy has assertions
 * @param last see {@link Last}
 * @returns false if there is no stored answer, a new assertion must be signed, or a budget is used up. Then the caller
 * of this function decides the request from the beginning. */
export function replayCached(
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

/** Answers 204 with rule, identity and headers for a caller that a rule allows. The answer is stored for later
 * requests.
 * @param replay see {@link Decision}
 * @param assertion the signed assertion, if the policy has assertions
 * @returns the refusal if an identity header is too long or invalid. In that case nothing was answered. */
export function letPass(
  r: NginxHTTPRequest,
  route: PreparedRoute,
  method: string,
  rule: PreparedRule,
  replay: boolean,
  known: KnownCaller,
  assertion: string | undefined,
): Refusal | undefined {
  const lines = linesOf(known, route.plan, rule);
  if ('reason' in lines) return lines;
  const { ready } = known;
  if (replay && ready !== undefined) {
    if (ready.size >= MAX_READY) ready.clear();
    const budget = route.budgets && budgetOf(route.budgets, known);
    ready.set(method + route.afterMethod, { lines, grant: rule.grant, budget });
  }
  send(r, lines, assertion);
  return undefined;
}

/** Answers 204 for an anonymous caller that has no roles. */
export function letAnyonePass(r: NginxHTTPRequest, { id, as }: PreparedRule): void {
  send(r, [FROM_CHECK.caller, callerLine([id, as, '', '', '', '', ''])], undefined);
}
