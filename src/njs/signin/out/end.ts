import fs from 'fs';
import { REVOKE_FOLDER, SIGNOUT_FILE } from '../../../session/limits.ts';
import { ending } from '../../../session/revocation/new-revocation.ts';
import type { Revocation } from '../../../session/revocation/store.ts';
import type { SessionClaims } from '../../../session/types.ts';
import { counterName, increment } from '../../shared/counts.ts';
import { keepEnded, keepRevoked } from '../../shared/revoked.ts';
import type { SigninContext } from '../signin-context.ts';

/** Writes revocations of sign-outs to files, which a job sends to the other replicas until it succeeds. */
function leave(stateDir: string, revocations: readonly Revocation[]): void {
  for (const one of revocations) {
    const name = `${SIGNOUT_FILE}${Date.now()}-${Math.random().toString(36).slice(2, 12)}.json`;
    fs.writeFileSync(`${stateDir}/${REVOKE_FOLDER}/${name}`, `${JSON.stringify(one)}\n`, { flag: 'wx' });
  }
}

/** Revokes on all replicas: at once on this replica, and on the others as soon as the store answers.
 * @throws Error with one line for the log if a revocation is not in force, here or elsewhere */
export async function callBack(
  { store, signin }: SigninContext,
  revocations: readonly Revocation[],
  keep = keepRevoked,
) {
  keep(revocations);
  try {
    for (const one of revocations) await store.revoke(one);
  } catch (error) {
    const why = (error as Error).message;
    ngx.log(ngx.WARN, `meshgate: a sign-out is in force here and waits for the other replicas: ${why}`);
    leave(signin.stateDir, revocations);
  }
}

/** Ends one session of the gateway, with all its earlier cookies, like {@link callBack}. Other sessions that belong to
 * the same session of the provider continue. */
export async function endOne(context: SigninContext, session: SessionClaims, now: number, keep = keepRevoked) {
  const { psid: _, ...one } = context.keyring.revocable(session);
  await callBack(context, [ending(session.issuer, one, now, context.signin.session.absolute)], keep);
}

/** Ends a session everywhere: its cookies, its record, and on all hosts the sessions from the same session of the
 * provider.
 * @throws Error with one line for the log if that is not in force */
export async function endSession(context: SigninContext, session: SessionClaims, now: number): Promise<void> {
  const { absolute } = context.signin.session;
  await callBack(context, [ending(session.issuer, context.keyring.revocable(session), now, absolute)], keepEnded);
  increment(counterName('session', ['ended']));
  try {
    await context.store.delete(session.sid);
  } catch {
    // The record expires, and no cookie refers to it any more.
  }
}
