import { FROM_CHECK, TO_CHECK } from '../../base/internal-headers.ts';
import { type ReasonCode, refuse } from '../../base/reasons.ts';
import { decide } from '../../rules/decide/decide.ts';
import type { Decision } from '../../rules/types.ts';
import { expireCookie } from '../../session/cookie.ts';
import { SESSION_COOKIE, type SigninMode } from '../../session/names.ts';
import { letAnyonePass, replayCached } from './answer.ts';
import { answer, refusesAddress } from './decision.ts';
import type { CheckParts } from './gateway.ts';
import { type Answered, isForeign } from './handlers.ts';
import { deny } from './refusal.ts';
import type { PreparedRoute, PreparedRule } from './routes.ts';

function refuseAnonymous(
  r: NginxHTTPRequest,
  to: PreparedRoute,
  { reason: by, nearest }: Extract<Decision<PreparedRule>, { allow: false }>,
  reason: ReasonCode,
  expire: boolean,
  mode: SigninMode,
): void {
  // If the role depends on the address, a credential would not help.
  const refusal = by === 'network_refused' ? { reason: by } : reason === 'credential_missing' ? to.missing : { reason };
  const signin = to.sessions && by !== 'network_refused' ? mode : undefined;
  if (signin !== undefined && expire && r.headersIn[TO_CHECK.navigation] !== undefined) {
    r.headersOut[FROM_CHECK.setCookie] = expireCookie(SESSION_COOKIE);
  }
  deny(r, to, refusal, { nearest, signin });
}

/** Decides the request of an anonymous caller. The request itself can give the caller a role, but not if a page of
 * another origin sends it. Its requests count by address. See {@link CheckHandlers.absent} for the last three parameters. */
export function answerAnonymous(
  { signer, views }: CheckParts,
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  reason: ReasonCode,
  expire = false,
  mode: SigninMode = 'in',
): Answered {
  const known = views?.nobody(r.headersIn);
  const now = known === undefined ? 0 : Date.now() / 1000;
  const foreign = known !== undefined && isForeign(r, to, to.openOrigins);
  if (known !== undefined && !foreign && to.budgets === undefined) {
    if (replayCached(r, to, method, known, now, signer)) return;
  }
  const request = { route: to.name, method };
  let decision = decide(to.rules, known === undefined ? null : known.caller, request);
  if (!decision.allow) return refuseAnonymous(r, to, decision, reason, expire, mode);
  if (foreign) {
    const nearest = decision.rule;
    decision = decide(to.rules, null, request);
    if (!decision.allow) return deny(r, to, refuse('origin_refused'), { nearest });
  }
  const { rule } = decision;
  if (refusesAddress(r, to, rule)) return;
  if (known === undefined || rule.who.kind === 'anyone') return letAnyonePass(r, to, rule);
  return answer(signer, r, to, method, known, now);
}
