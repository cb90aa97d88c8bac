import { decide } from '../rules/decide.ts';
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
  const decision = decide(to.rules, known.caller, { route: to.name, method });
  if (!decision.allow) {
    const { nearest, stepUp } = decision;
    // Who came with a token goes nowhere for another one.
    const signin = stepUp !== undefined && known.session !== undefined ? (`step&role=${stepUp}` as const) : undefined;
    return deny(r, to.realm, decision, { known, nearest: nearest?.id, signin });
  }
  const { rule } = decision;
  if (signer === undefined) return pass(r, to, method, rule, known, undefined);
  const recalled = signer.recall(known, rule.grant, now);
  if (recalled !== undefined) return pass(r, to, method, rule, known, recalled);
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
  const passed = letPass(r, to, method, rule, known, assertion);
  if (!passed.ok) deny(r, to.realm, passed, { known, nearest: rule.id });
}
