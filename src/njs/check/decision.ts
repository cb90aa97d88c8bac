import { TO_CHECK } from '../../base/internal-headers.ts';
import type { Refusal } from '../../base/reasons.ts';
import { linesOf } from '../../rules/decide/answer-lines.ts';
import { covering, decide } from '../../rules/decide/decide.ts';
import type { Request } from '../../rules/types.ts';
import type { AssertionSigner } from '../keys/signer.ts';
import { credentialKind, type KnownCaller } from '../shared/known.ts';
import { allowedName, type Last, send } from './answer.ts';
import { budgetOf, spendAddress, spendCaller } from './budgets.ts';
import { deny } from './refusal.ts';
import type { PreparedRoute, PreparedRule } from './routes.ts';

/** Returns the request with the MCP headers that nginx passes on. */
function toolRequest({ headersIn }: NginxHTTPRequest, to: PreparedRoute, method: string): Request {
  const mcp = {
    version: headersIn[TO_CHECK.mcpVersion],
    method: headersIn[TO_CHECK.mcpMethod],
    name: headersIn[TO_CHECK.mcpName],
  };
  return { route: to.name, method, mcp };
}

/** Maximum number of ready answers for one caller, because a client can invent methods. */
const MAX_READY = 64;

/** A function that adds details about the caller to a refusal. */
type Explain = (refusal: Refusal, to: PreparedRoute, known: KnownCaller) => Refusal;

/** Decides the request of a known caller and answers, with an assertion if the policy has assertions.
 * @param last see {@link Last} */
export function answer(
  signer: AssertionSigner | undefined,
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  known: KnownCaller,
  now: number,
  explain?: Explain,
  last?: Last,
): void | Promise<void> {
  const { caller } = known;
  let rule = caller.agent === undefined ? covering(to.rules, caller, method) : undefined;
  let replay = true;
  if (rule === undefined) {
    const decision = decide(to.rules, caller, to.tools ? toolRequest(r, to, method) : { route: to.name, method });
    if (!decision.allow) {
      const { nearest, stepUp, scope } = decision;
      // A new sign-in is offered only for a session, not for a token.
      const signin = stepUp !== undefined && known.says !== undefined ? (`step&role=${stepUp}` as const) : undefined;
      const requested = stepUp === undefined ? undefined : to.stepUps[stepUp];
      const refusal = explain === undefined ? decision : explain(decision, to, known);
      return deny(r, to, refusal, { known, nearest, signin, requested, scope });
    }
    ({ rule, replay } = decision);
  }
  if (to.budgets !== undefined) {
    const short = spendCaller(to.budgets, known, now);
    if (short !== undefined) return deny(r, to, short, { known, nearest: rule, retryAfter: short.retryAfter });
  }
  if (last?.()) return;
  if (signer === undefined) return pass(r, to, method, rule, replay, known, undefined);
  const recalled = signer.recall(known, rule.grant, now);
  if (recalled !== undefined) return pass(r, to, method, rule, replay, known, recalled);
  return sign(signer, r, to, method, rule, replay, known, now);
}

function sign(
  signer: AssertionSigner,
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  rule: PreparedRule,
  replay: boolean,
  known: KnownCaller,
  now: number,
): Promise<void> {
  return signer.sign(known, rule.grant, now).then((signed) => {
    if (signed.ok) pass(r, to, method, rule, replay, known, signed.value);
    else deny(r, to, signed, { known, nearest: rule });
  });
}

/** Answers 204 with rule, identity and headers for a caller that a rule allows, and stores the answer for later
 * requests. Refuses the request if an identity header is too long or invalid. */
function pass(
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  rule: PreparedRule,
  replay: boolean,
  known: KnownCaller,
  assertion: string | undefined,
) {
  const lines = linesOf(known, to.plan, rule);
  if ('reason' in lines) return deny(r, to, lines, { known, nearest: rule });
  const { ready } = known;
  const counted = allowedName(to, rule, credentialKind(known));
  if (replay && ready !== undefined) {
    if (ready.size >= MAX_READY) ready.clear();
    const budget = to.budgets && budgetOf(to.budgets, known);
    ready.set(method + to.afterMethod, { lines, grant: rule.grant, budget, counted });
  }
  send(r, to, rule.service, counted, lines, assertion);
}

/** Counts a request by its address. If the budget is used up, answers with a refusal and returns true. */
export function refusesAddress(r: NginxHTTPRequest, to: PreparedRoute, rule: PreparedRule): boolean {
  const short = to.budgets && spendAddress(to.budgets, r.headersIn[TO_CHECK.address], Date.now() / 1000);
  if (short === undefined) return false;
  deny(r, to, short, { nearest: rule, retryAfter: short.retryAfter });
  return true;
}
