import { ownOf } from '../../base/own.ts';
import { sessionText } from '../../caller/ready.ts';
import type { SessionPolicy } from '../../policy/checked/types.ts';
import type { Table } from '../../rules/types.ts';
import { ownSession, sessionValues } from '../../session/cookie.ts';
import { claimsText, keep, readClaims } from '../../session/cookie-claims.ts';
import { hardEnd } from '../../session/freshness.ts';
import type { Ring } from '../../session/keys/ring.ts';
import { isOpenable, keyedName, kidOf, open, seal } from '../../session/keys/seal.ts';
import type { Purpose } from '../../session/names.ts';
import { claimsNaming, type Revocable, revocableSession } from '../../session/revocation/revocation.ts';
import type { SessionClaims } from '../../session/types.ts';
import type { Claims } from '../../token/types.ts';
import { type KeyFile, ringFile } from '../keys/key-file.ts';
import { emptyErrorQueue } from '../keys/openssl.ts';
import type { RecordSeal } from '../shared/dict-store.ts';
import { canLookUp, isRevokedNow, revokedClaims } from '../shared/revocation-reader.ts';

/** Seals and opens texts with the current session keys of the file. */
export class Keyring implements RecordSeal {
  readonly #table: Table;
  readonly #policy: SessionPolicy;
  readonly #file: KeyFile<Ring>;

  constructor(table: Table, policy: SessionPolicy) {
    this.#table = table;
    this.#policy = policy;
    this.#file = ringFile(policy.keysFile);
  }

  /** Returns a name for a text, which no one outside can compute, see {@link keyedName}.
   * @throws Error with one line for the log if there is no key */
  async nameOf(text: string, now: number): Promise<string> {
    const ring = await this.#file.current(now);
    if (ring === undefined) throw new Error('there is no key to name with');
    return keyedName(ring, text);
  }

  /** Returns the claims that a session keeps: those that the policy reads and those that revocations name. */
  chosen(claims: Claims, provider: string): Claims {
    const kept = this.#table.session?.keep;
    if (kept === undefined) return {};
    return { ...Object.fromEntries(claimsNaming(claims, revokedClaims())), ...keep(claims, kept, provider) };
  }

  /** Seals a text.
   * @returns `undefined` if it is too long to be opened again
   * @throws Error with one line for the log if there is no key to seal with */
  async sealFor(purpose: Purpose, host: string, plain: string, now: number): Promise<string | undefined> {
    const ring = await this.#file.current(now);
    if (ring === undefined) throw new Error('there is no key to seal with');
    const text = await seal(ring, purpose, host, plain, now);
    return isOpenable(purpose, text) ? text : undefined;
  }

  /** Opens a text. If its key is unknown, the file is read again, because the key may be new. A text of a revoked key
   * is never opened: anyone who has the key can seal any text for any purpose.
   * @throws Error with one line for the log if it is not known yet which keys are revoked */
  async openFor(purpose: Purpose, host: string, text: string, now: number): Promise<string | undefined> {
    if (!canLookUp()) throw new Error('the revocations of other replicas are not known yet');
    let ring = await this.#file.current(now);
    const kid = kidOf(text);
    if (isRevokedNow(() => ({ kids: [kid], at: 0 }))) return undefined;
    if (kid !== undefined && ring?.keys.has(kid) === false) ring = await this.#file.again(now);
    const plain = ring === undefined ? undefined : await open(ring, purpose, host, text);
    if (plain === undefined) await emptyErrorQueue();
    return plain;
  }

  /** Returns the value of a session cookie; `undefined` if it is too long. */
  async sealSession(host: string, session: SessionClaims, now: number): Promise<string | undefined> {
    const text = await this.sealFor('session', host, sessionText(session, this.#table, this.#policy, now), now);
    // Without the prepared caller the text is shorter.
    return text ?? this.sealFor('session', host, claimsText(session), now);
  }

  /** Returns the session in a `Cookie` line, if it is the only one, not revoked, and its hard end has not passed. */
  async sessionOf(host: string, cookies: string, now: number): Promise<SessionClaims | undefined> {
    if (ownSession(cookies) === 'twice') return undefined;
    const [session] = await this.sessionsOf(host, cookies, now);
    return session;
  }

  /** Returns the sessions of all session cookies in a `Cookie` line, even if they are revoked. There are several only if
   * a script has set one beside the gateway's. */
  async cookiesOf(host: string, cookies: string, now: number): Promise<readonly SessionClaims[]> {
    const sessions: SessionClaims[] = [];
    for (const text of sessionValues(cookies)) {
      const plain = await this.openFor('session', host, text, now);
      const session = plain === undefined ? undefined : readClaims(plain);
      if (session !== undefined && now < hardEnd(session, this.#policy)) sessions.push(session);
    }
    return sessions;
  }

  /** Returns all sessions in a `Cookie` line that are not revoked, for a sign-out. */
  async sessionsOf(host: string, cookies: string, now: number): Promise<readonly SessionClaims[]> {
    return (await this.cookiesOf(host, cookies, now)).filter((session) => !this.isRevoked(session));
  }

  /** Whether a session that was opened here is revoked. {@link openFor} has already checked its key.
   * @param claims all claims of the person, if they are known: a revocation can name a claim that the policy no longer
   * reads */
  isRevoked(session: SessionClaims, claims: Claims = session.claims): boolean {
    return isRevokedNow(() => this.revocable({ ...session, claims: { ...claims, ...session.claims } }));
  }

  /** Returns the properties by which a session can be revoked, except the key that sealed its cookie. */
  revocable(session: SessionClaims): Revocable {
    const { providers, clockSkew } = this.#table;
    return revocableSession(session, ownOf(providers, session.provider), revokedClaims(), { skew: clockSkew });
  }

  /** @throws Error with one line for the log */
  async seal(text: string): Promise<string> {
    const sealed = await this.sealFor('record', '', text, Date.now() / 1000);
    if (sealed === undefined) throw new Error('the data of a session is too long to be stored');
    return sealed;
  }

  open(text: string): Promise<string | undefined> {
    return this.openFor('record', '', text, Date.now() / 1000);
  }
}
