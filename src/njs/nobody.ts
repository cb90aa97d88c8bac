import { refuse as refusal } from '../reasons.ts';
import { decide } from '../rules/decide.ts';
import type { Decision } from '../rules/types.ts';
import { again, letAnyonePass } from './answer.ts';
import { answer, refusesAddress } from './decision.ts';
import { isForeign } from './foreign.ts';
import { deny } from './refusal.ts';
import type { PreparedRoute, PreparedRule } from './routes.ts';
import type { Signer } from './signer.ts';
import type { Views } from './views.ts';

/** Why nobody may pass. */
export type RefusedNobody = Extract<Decision<PreparedRule>, { allow: false }>;

/**
 * Decides where nobody says who asks. Whom the request itself gives a role passes by it like anybody, without a name; they
 * count by their address. What a page of another origin sends has no role by the network of its reader.
 *
 * @param views where roles rest on facts of the request
 * @param refuse answers where nobody may pass
 */
export function decideNobody(
  signer: Signer | undefined,
  views: Views | undefined,
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  refuse: (refused: RefusedNobody) => void | Promise<void>,
): void | Promise<void> {
  const known = views?.nobody(r.headersIn);
  const now = known === undefined ? 0 : Date.now() / 1000;
  const foreign = known !== undefined && isForeign(r, to, to.openOrigins);
  if (known !== undefined && !foreign && to.budgets === undefined && again(r, to, method, known, now, signer)) return;
  const request = { route: to.name, method };
  let decision = decide(to.rules, known === undefined ? null : known.caller, request);
  if (!decision.allow) return refuse(decision);
  if (foreign) {
    const nearest = decision.rule;
    decision = decide(to.rules, null, request);
    if (!decision.allow) return deny(r, to, refusal('origin_refused'), { nearest });
  }
  const { rule } = decision;
  if (refusesAddress(r, to, rule)) return;
  if (known === undefined || rule.who.kind === 'anyone') return letAnyonePass(r, rule);
  return answer(signer, r, to, method, known, now);
}
