import hash from 'crypto';
import { composed } from '../../base/composed-key.ts';
import { refuse } from '../../base/reasons.ts';
import { MAX_SIGNINS, SIGNINS_PERIOD_S } from '../../session/limits.ts';
import { signinsDict } from '../shared/dicts.ts';

const often = `this person has signed in ${MAX_SIGNINS} times within ${SIGNINS_PERIOD_S / 60} minutes`;
const tooOften = refuse('limit_exceeded', often);

/** Counts one more sign-in of a person, in shared memory that evicts nothing.
 * @param sub the person's `sub` at the provider
 * @returns reason `limit_exceeded` if the person signs in too often; else undefined */
export function signsInTooOften(issuer: string, sub: unknown, now: number): typeof tooOften | undefined {
  const period = Math.floor(now / SIGNINS_PERIOD_S);
  const name = composed('sign-ins', issuer, String(sub), String(period));
  const key = hash.createHash('sha256').update(name).digest('base64url').slice(0, 16);
  // If the zone has no room to count, more people sign in than the policy expects. They are not refused.
  const count = signinsDict().incr(key, 1, 0, SIGNINS_PERIOD_S * 1000) ?? 0;
  return count > MAX_SIGNINS ? tooOften : undefined;
}
