import { MAX_CLOCK_SKEW } from '../../policy/forms/bounds.ts';
import { type Members, objectIn } from '../../token/json.ts';
import { ATTEMPT_LIFETIME_S } from '../limits.ts';
import { attemptValue } from './attempt-cookies.ts';
import { randomText, sameText, sha256 } from './random.ts';

/** Why the browser goes to the provider: to sign in, to renew the session without interaction, or to step up. */
export type Mode = 'in' | 'renew' | 'step';

export interface Wish {
  readonly mode: Mode;
  readonly role?: string;
  /** The raw request target to which the sign-in returns, after {@link safeReturn}. */
  readonly to: string;
  /** Whether the attempt was already restarted once. It is not restarted again. */
  readonly restarted?: true;
  /** Whether the request is pushed because the provider has refused one that was not (RFC 9126 section 5). */
  readonly pushed?: true;
}

/** For an attempt on the sign-in host: the other host to which the person signs in, and the attempt of that host. */
export interface Errand {
  readonly host: string;
  readonly id: string;
  /** SHA-256 of the binding cookie on that host. */
  readonly binding: string;
}

/** One attempt, as it is sealed in a state. It is sealed for the host to which the provider returns the browser. */
export interface Attempt extends Wish {
  readonly id: string;
  readonly provider: string;
  /** The provider's issuer: the policy may later use the provider's name for another issuer. */
  readonly issuer: string;
  /** The PKCE code verifier (RFC 7636 section 4.1). */
  readonly verifier: string;
  readonly nonce: string;
  /** SHA-256 of the binding cookie. */
  readonly binding: string;
  /** When the attempt began, in seconds since the epoch. */
  readonly at: number;
  readonly errand?: Errand;
}

/** Makes a new attempt, and the cookie that binds it to its browser. */
export function newAttempt(
  wish: Wish,
  { name: provider, issuer }: { readonly name: string; readonly issuer: string },
  now: number,
  errand?: Errand,
) {
  const id = `${Math.floor(now).toString(36)}.${randomText(12)}`;
  const value = randomText(16);
  const attempt: Attempt = {
    ...wish,
    id,
    provider,
    issuer,
    verifier: randomText(32),
    nonce: randomText(16),
    binding: sha256(value),
    at: Math.floor(now),
    ...(errand !== undefined && { errand }),
  };
  return { attempt, cookie: { id, value } };
}

/** Returns the members of an opened text, if it is a JSON object with a time. */
export function openedObject(text: string): Members | undefined {
  const members = objectIn(text);
  return typeof members?.at === 'number' ? members : undefined;
}

const texts = ['id', 'provider', 'issuer', 'verifier', 'nonce', 'binding', 'mode', 'to'];

/** Reads the attempt in an opened state. The gateway sealed it, but an earlier version may have used another format.
 * @returns `undefined` if the text is not an attempt */
export function readAttempt(text: string): Attempt | undefined {
  const members = openedObject(text);
  if (members === undefined) return undefined;
  return texts.every((name) => typeof members[name] === 'string') ? (members as unknown as Attempt) : undefined;
}

/** Whether an attempt (or its request or ticket) began too long ago or in the future.
 * @param skew seconds by which clocks can differ */
export function isOver(
  { at }: { readonly at: number },
  now: number,
  skew: number,
  lifetime = ATTEMPT_LIFETIME_S,
): boolean {
  return now - at > lifetime || at - now > skew;
}

/** Returns the name of an attempt that was used: the random part of its id. Names up to 16 characters use half the
 * memory. */
export const onceId = ({ id }: { readonly id: string }): string => id.slice(id.indexOf('.') + 1);

/** Returns how long a used attempt must be remembered: its remaining lifetime and the possible difference of clocks. */
export const onceLifetime = ({ at }: { readonly at: number }, now: number, lifetime = ATTEMPT_LIFETIME_S): number =>
  Math.max(1, Math.ceil(at + lifetime - now)) + MAX_CLOCK_SKEW;

/** Whether the returning browser is the browser that was sent to the provider, by its `Cookie` line. */
export function isBound({ id, binding }: { readonly id: string; readonly binding: string }, line: string): boolean {
  const value = attemptValue(line, id);
  return value !== undefined && sameText(sha256(value), binding);
}
