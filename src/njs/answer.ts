import { FROM_CHECK } from '../internal-headers.ts';
import type { Refusal } from '../reasons.ts';
import { callerLine, linesOf } from '../rules/answer-lines.ts';
import { budgetOf, spend } from './budgets.ts';
import { budgetsDict } from './dicts.ts';
import type { KnownCaller } from './known.ts';
import type { PreparedRoute, PreparedRule } from './routes.ts';
import type { Signer } from './signer.ts';

/** Answers nginx. If the client has closed its connection, `r.return` throws; then nobody needs the answer. */
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

/** Called when a request would pass, its budget included. It can still refuse: then it answers and returns true. */
export type Last = () => boolean;

/** Most methods and routes for which a caller has ready answers. A client can make up any number of methods. */
const MAX_READY = 64;

/** Lets a known caller pass as before, where a decision that says `replay` let the caller pass. The hot path of the hot
 * path.
 *
 * @param signer of the policy's assertion, if it has one
 * @param last see {@link Last}
 * @returns false if there is no such answer yet, another assertion is to be signed, or nothing is left of a budget:
 * then all is decided again
 */
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

/**
 * 204 with rule, identity and headers for a caller whom a rule lets pass; kept ready for callers that come again.
 *
 * @param replay see {@link Decision}
 * @param assertion what is signed for the caller, where the policy has it
 * @returns why the caller cannot pass all the same: an identity header that does not fit. Then nothing is answered.
 */
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

/** 204 for an anonymous caller without roles. */
export function letAnyonePass(r: NginxHTTPRequest, { id, as }: PreparedRule): void {
  send(r, [FROM_CHECK.caller, callerLine([id, as, '', '', '', '', ''])], undefined);
}
