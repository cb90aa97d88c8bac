import type { Grant } from '../assertion/claims.ts';
import type { SigningKeys } from '../assertion/sign.ts';
import { encodeList, encodeValue } from '../caller/encode.ts';
import type { Caller } from '../caller/types.ts';
import type { ToldCaller } from '../rules/answer-lines.ts';
import type { TableLimit } from '../rules/budgets.ts';
import type { Binding, Claims } from '../token/types.ts';

/** A limit, prepared once per context. */
export interface PreparedLimit extends TableLimit {
  /** Milliseconds after which a bucket is full, and need not be stored. */
  readonly ttl: number;
  /** Separates its counts from those of others, in few characters. */
  readonly tag: string;
  readonly passWhenFull: boolean;
}

/** The budgets of a route's requests. */
export interface PreparedBudgets {
  readonly callers: readonly PreparedLimit[];
  readonly anonymous: readonly PreparedLimit[];
  /** For all networks of a site together, beside {@link anonymous}. */
  readonly sites: readonly PreparedLimit[];
  readonly agents: ReadonlyMap<string, readonly PreparedLimit[]>;
}

/** One caller's budget under a limit, with a further budget that applies as well. */
export interface Budget extends PreparedLimit {
  readonly key: string;
  readonly and?: Budget | undefined;
}

/** An assertion that was made for a caller. */
export interface MadeAssertion {
  readonly text: string;
  /** Half of its lifetime, seconds since the epoch: after that another one is made. */
  readonly renewAt: number;
  readonly keys: SigningKeys;
}

/** A grant with its index among all of the policy. */
export interface PreparedGrant extends Grant {
  readonly index: number;
}

/** A caller whose token was verified, with what was made of it so far. */
export interface KnownCaller extends ToldCaller {
  /** When the entry expires, seconds since the epoch. */
  readonly until: number;
  /** Thumbprint of the key that signed the token. */
  readonly key: string;
  /** What identifies a token for revocation besides subject and key: `iat` and `jti`, separated by a space; see {@link
   * stampOf}. */
  readonly stamp: string;
  /** `sub` if the subject is another claim, else empty. */
  readonly sub: string;
  /** The content of the session cookie (see `lastLine`); absent: the caller sent a token. */
  readonly says?: string;
  /** The key that the token is bound to. Each request must prove its possession before anything else is answered. */
  readonly binding?: Binding | undefined;
  /** Ready answers that allow this caller, by method and route. Absent at first, because most new tokens are used
   * once. */
  ready?: Map<string, ReadyAnswer>;
  /** The epoch in which `key` was found to be published, and how long the keys are valid. */
  epoch?: string | undefined;
  /** Whether it is revoked, as of the epoch. */
  revoked?: boolean;
  usableUntil?: number;
  /** By the index of the grant. */
  assertions?: MadeAssertion[];
  /** Name under which the caller's DPoP proofs are counted. */
  counted?: string;
  /** The budgets of requests; undefined: none. */
  budgets?: Map<PreparedBudgets, Budget | undefined>;
  /** The caller in view of requests with different networks or certificates. */
  views?: Map<string, KnownCaller>;
}

/** An answer without the assertion. */
export interface ReadyAnswer {
  /** Names and values of headers, in turn. */
  readonly lines: readonly string[];
  readonly grant: PreparedGrant;
  /** The budget of the request, if it has one. */
  readonly budget: Budget | undefined;
}

/** @param roles the caller's, joined by commas
 * @param stamp see {@link KnownCaller.stamp}; empty if there is no token of a provider
 * @param sub see {@link KnownCaller.sub}
 * @param binding see {@link KnownCaller.binding}
 */
export function knownCaller(
  caller: Caller,
  roles: string,
  until: number,
  key: string,
  stamp = '',
  sub = '',
  binding?: Binding,
): KnownCaller {
  const { agent } = caller;
  const user = encodeValue(caller.subject);
  // Each request reads the binding, and an own member is found sooner than a missing one.
  const known = { caller, provider: caller.provider, until, key, user, roles, stamp, sub, binding };
  return agent === undefined ? known : { ...known, agent, actors: encodeList(caller.actors ?? []) };
}

/** Real ids have no line breaks. What follows one is left out, as in the names of revocations. */
function firstLine(value: unknown): string {
  if (typeof value !== 'string') return '';
  const end = value.indexOf('\n');
  return end < 0 ? value : value.slice(0, end);
}

/** {@link KnownCaller.stamp} of a token's claims. Without `iat`, the token counts as the oldest possible. */
export const stampOf = ({ iat, jti }: Claims): string =>
  `${typeof iat === 'number' ? iat : 0} ${firstLine(typeof jti === 'number' ? String(jti) : jti)}`;

/** {@link KnownCaller.sub} of a token's claims.
 *
 * @param subject name of the provider's subject claim
 */
export const subOf = ({ sub }: Claims, subject: string): string => (subject === 'sub' ? '' : firstLine(sub));
