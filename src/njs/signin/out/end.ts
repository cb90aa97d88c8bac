import fs from 'fs';
import { REVOKE_FOLDER, SIGNOUT_FILE } from '../../../session/limits.ts';
import { ending } from '../../../session/revocation/new-revocation.ts';
import type { Revocation } from '../../../session/revocation/store.ts';
import type { SessionClaims } from '../../../session/types.ts';
import { count, counterName } from '../../shared/counts.ts';
import { keepEnded, keepRevoked } from '../../shared/revoked.ts';
import type { SigninScene } from '../scene.ts';

/** Writes revocations of sign-outs to files, which a job sends to the other replicas until it succeeds. */
function leave(stateDir: string, revocations: readonly Revocation[]): void {
  for (const one of revocations) {
    const name = `${SIGNOUT_FILE}${Date.now()}-${Math.random().toString(36).slice(2, 12)}.json`;
    fs.writeFileSync(`${stateDir}/${REVOKE_FOLDER}/${name}`, `${JSON.stringify(one)}\n`, { flag: 'wx' });
  }
}

/** Revokes on all replicas: at once on this replica, and on the others as soon as the store answers.
 * @throws Error with one line for the log if a revocation is not in force, here or elsewhere */
export async function callBack({ store, signin }: SigninScene, revocations: readonly Revocation[], keep = keepRevoked) {
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
export async function endOne(scene: SigninScene, session: SessionClaims, now: number, keep = keepRevoked) {
  const { psid: _, ...one } = scene.vault.revocable(session);
  await callBack(scene, [ending(session.issuer, one, now, scene.signin.session.absolute)], keep);
}

/** Ends a session everywhere: its cookies, its record, and on all hosts the sessions from the same session of the
 * provider.
 * @throws Error with one line for the log if that is not in force */
export async function endSession(scene: SigninScene, session: SessionClaims, now: number): Promise<void> {
  const { absolute } = scene.signin.session;
  await callBack(scene, [ending(session.issuer, scene.vault.revocable(session), now, absolute)], keepEnded);
  count(counterName('session', ['ended']));
  try {
    await scene.store.delete(session.sid);
  } catch {
    // The record expires, and no cookie refers to it any more.
  }
}
