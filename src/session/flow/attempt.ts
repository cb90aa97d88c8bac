import { MAX_CLOCK_SKEW } from '../../policy/bounds.ts';
import { objectIn } from '../../token/json.ts';
import { ATTEMPT_LIFETIME_S } from '../limits.ts';
import { type AttemptCookie, attemptValue } from './attempt-cookies.ts';
import { randomText, sameText, sha256 } from './random.ts';

/** Why the browser is sent to the provider: to sign in, to confirm the session without interaction, or for a
 * step-up. */
export type Mode = 'in' | 'renew' | 'step';

/** The purpose of an attempt. */
export interface Wish {
  readonly mode: Mode;
  /** The role that requires the step-up. */
  readonly role?: string;
  /** Raw request target to return to: {@link safeReturn} of it. */
  readonly to: string;
  /** The attempt was restarted once and is not restarted again. */
  readonly restarted?: true;
}

/** For an attempt on the sign-in host: the host that it is for, and the attempt of that host. */
export interface Errand {
  readonly host: string;
  readonly id: string;
  /** SHA-256 of the binding cookie there. */
  readonly binding: string;
}

/** One attempt, as its state contains it, sealed for the host that the provider returns the browser to. */
export interface Attempt extends Wish {
  readonly id: string;
  readonly provider: string;
  /** PKCE code verifier (RFC 7636 section 4.1). */
  readonly verifier: string;
  readonly nonce: string;
  /** SHA-256 of the binding cookie. */
  readonly binding: string;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly errand?: Errand;
}

/** A new attempt, and the cookie that binds it to its browser. */
export function newAttempt(
  wish: Wish,
  provider: string,
  now: number,
  errand?: Errand,
): { readonly attempt: Attempt; readonly cookie: AttemptCookie } {
  const id = `${Math.floor(now).toString(36)}.${randomText(12)}`;
  const value = randomText(16);
  const { mode, role, to, restarted } = wish;
  return {
    attempt: {
      id,
      provider,
      verifier: randomText(32),
      nonce: randomText(16),
      binding: sha256(value),
      at: Math.floor(now),
      mode,
      to,
      ...(role !== undefined && { role }),
      ...(restarted && { restarted }),
      ...(errand !== undefined && { errand }),
    },
    cookie: { id, value },
  };
}

/** The members of an opened text, if it is a JSON object with a time. */
export function openedObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const members = objectIn(text);
  return typeof members?.at === 'number' ? members : undefined;
}

const texts = ['id', 'provider', 'verifier', 'nonce', 'binding', 'mode', 'to'];

/** Reads the attempt in an opened state. The gateway sealed it, but another version of the gateway may have used
 * another form.
 *
 * @returns `undefined` if it is not an attempt
 */
export function readAttempt(text: string): Attempt | undefined {
  const members = openedObject(text);
  if (members === undefined) return undefined;
  return texts.every((name) => typeof members[name] === 'string') ? (members as unknown as Attempt) : undefined;
}

/** Whether an attempt, or a request or ticket made of one, began too long ago or in the future. */
export function isOver({ at }: { readonly at: number }, now: number, lifetime = ATTEMPT_LIFETIME_S): boolean {
  return now - at > lifetime || at - now > lifetime;
}

/** What is used up with an attempt: the random part of its id, since keys of up to 16 characters use half the
 * memory. */
export const onceId = ({ id }: { readonly id: string }): string => id.slice(id.indexOf('.') + 1);

/** How long a used attempt must be remembered: as long as it would be valid, plus the difference of clocks. */
export const onceLifetime = ({ at }: { readonly at: number }, now: number, lifetime = ATTEMPT_LIFETIME_S): number =>
  Math.max(1, Math.ceil(at + lifetime - now)) + MAX_CLOCK_SKEW;

/** Whether the returning browser, by its `Cookie` line, is the one that was sent to the provider. */
export function isBound({ id, binding }: { readonly id: string; readonly binding: string }, line: string): boolean {
  const value = attemptValue(line, id);
  return value !== undefined && sameText(sha256(value), binding);
}
