import { ATTEMPT_LIFETIME_S, MAX_CLOCK_SKEW } from '../../limits.ts';
import { objectIn } from '../../token/json.ts';
import { type AttemptCookie, attemptValue } from './attempt-cookies.ts';
import { randomText, sameText, sha256 } from './random.ts';

/** Why somebody is sent to the provider: signs in, is confirmed silently, or shows more of who they are. */
export type Mode = 'in' | 'renew' | 'step';

/** What an attempt is for. */
export interface Wish {
  readonly mode: Mode;
  /** Of a step up: the role that asks for it. */
  readonly role?: string;
  /** Raw request target to come back to, {@link safeReturn} of it. */
  readonly to: string;
  /** It was begun anew once; it is not begun again. */
  readonly restarted?: true;
}

/** Of an attempt on the sign-in's host: the host that it is for, and that host's own attempt. */
export interface Errand {
  readonly host: string;
  readonly id: string;
  /** SHA-256 of the binding cookie there. */
  readonly binding: string;
}

/** One try to sign in, as the state holds it, sealed for the host that the provider sends the browser back to. */
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

/** Members of an opened text that is ours and says when it was made. */
export function openedObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const members = objectIn(text);
  return typeof members?.at === 'number' ? members : undefined;
}

const texts = ['id', 'provider', 'verifier', 'nonce', 'binding', 'mode', 'to'];

/**
 * The attempt of an opened state. What opens is ours; another version of the gateway may have meant something else by it.
 *
 * @returns `undefined` for what is no attempt of ours
 */
export function readAttempt(text: string): Attempt | undefined {
  const members = openedObject(text);
  if (members === undefined) return undefined;
  return texts.every((name) => typeof members[name] === 'string') ? (members as unknown as Attempt) : undefined;
}

/** Whether an attempt, or a request or ticket made of one, began too long ago, or in the future. */
export function isOver({ at }: { readonly at: number }, now: number, lifetime = ATTEMPT_LIFETIME_S): boolean {
  return now - at > lifetime || at - now > lifetime;
}

/** What is used up with an attempt: the random part of its id alone, since keys of up to 16 characters take half the room. */
export const onceId = ({ id }: { readonly id: string }): string => id.slice(id.indexOf('.') + 1);

/** How long it has to be remembered that an attempt was used: as long as it would be good, and clocks may differ. */
export const onceLifetime = ({ at }: { readonly at: number }, now: number, lifetime = ATTEMPT_LIFETIME_S): number =>
  Math.max(1, Math.ceil(at + lifetime - now)) + MAX_CLOCK_SKEW;

/** Whether the browser that comes back, with its `Cookie` line, is the one that was sent. */
export function isBound({ id, binding }: { readonly id: string; readonly binding: string }, line: string): boolean {
  const value = attemptValue(line, id);
  return value !== undefined && sameText(sha256(value), binding);
}
