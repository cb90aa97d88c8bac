import { claimAt } from '../claim-at.ts';
import { ownOf } from '../own.ts';
import type { Refusal } from '../reasons.ts';
import { CLAIMS } from '../session/cookie-claims.ts';
import type { KnownCaller } from './known.ts';
import type { PreparedRoute } from './routes.ts';
import { listedOf } from './sessions.ts';

/** Adds to a refusal which claim the session lacks for a role, if the policy has help for this case. */
export function withHelp(refusal: Refusal, { help }: PreparedRoute, { provider, says }: KnownCaller): Refusal {
  if (refusal.reason !== 'role_missing' || help === undefined || says === undefined) return refusal;
  const claims = listedOf(says)[CLAIMS];
  const lacking = ownOf(help, provider)?.find(([claim]) => claimAt(claims, claim) === undefined);
  if (lacking === undefined) return refusal;
  const [claim, what] = lacking;
  const detail = `You are signed in, but none of your roles may do this here. Your sign-in returned no "${claim}", which roles here require. If you should have one, tell the owner of the route: ${what}`;
  return { ...refusal, detail };
}
