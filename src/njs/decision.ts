import { covering, decide } from '../rules/decide.ts';
import { letPass } from './answer.ts';
import type { KnownCaller } from './known.ts';
import { deny } from './refusal.ts';
import type { PreparedRoute, PreparedRule } from './routes.ts';
import type { Signer } from './signer.ts';

/** Decides for a known caller, and speaks to them, with what is signed for them where something is. */
export function answer(
  signer: Signer | undefined,
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  known: KnownCaller,
  now: number,
): void | Promise<void> {
  const { caller } = known;
  let rule = caller.agent === undefined ? covering(to.rules, caller, method) : undefined;
  if (rule === undefined) {
    const decision = decide(to.rules, caller, { route: to.name, method });
    if (!decision.allow) {
      const { nearest, stepUp } = decision;
      // Who came with a token goes nowhere for another one.
      const signin = stepUp !== undefined && known.says !== undefined ? (`step&role=${stepUp}` as const) : undefined;
      const asked = stepUp === undefined ? undefined : to.stepUps[stepUp];
      return deny(r, to.realm, decision, { known, nearest: nearest?.id, signin, asked });
    }
    rule = decision.rule;
  }
  if (signer === undefined) return pass(r, to, method, rule, known, undefined);
  const recalled = signer.recall(known, rule.grant, now);
  if (recalled !== undefined) return pass(r, to, method, rule, known, recalled);
  return sign(signer, r, to, method, rule, known, now);
}

function sign(
  signer: Signer,
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  rule: PreparedRule,
  known: KnownCaller,
  now: number,
): Promise<void> {
  return signer.sign(known, rule.grant, now).then((signed) => {
    if (signed.ok) pass(r, to, method, rule, known, signed.value);
    else deny(r, to.realm, signed, { known, nearest: rule.id });
  });
}

/** {@link letPass}, or the refusal of a caller whose identity headers do not fit. */
function pass(
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  rule: PreparedRule,
  known: KnownCaller,
  assertion: string | undefined,
): void {
  const refused = letPass(r, to, method, rule, known, assertion);
  if (refused !== undefined) deny(r, to.realm, refused, { known, nearest: rule.id });
}
