import type { Grant, SigningKeys } from '../assertion/types.ts';
import { encodeList, encodeValue } from '../caller/encode.ts';
import type { Caller } from '../caller/types.ts';
import type { ToldCaller } from '../rules/answer-lines.ts';
import type { TableLimit } from '../rules/budgets.ts';
import type { Binding, Claims } from '../token/types.ts';

/** A limit, prepared once per context. */
export interface PreparedLimit extends TableLimit {
  /** Milliseconds after which a bucket is full, and so need not be known. */
  readonly ttl: number;
  /** Tells its counts from those of others, in few characters. */
  readonly tag: string;
  readonly passWhenFull: boolean;
}

/** What is counted of a route's requests. */
export interface PreparedBudgets {
  readonly callers: readonly PreparedLimit[];
  readonly anonymous: readonly PreparedLimit[];
  readonly agents: ReadonlyMap<string, readonly PreparedLimit[]>;
}

/** One caller's budget under a limit, and under another one that holds as well. */
export interface Budget extends PreparedLimit {
  readonly key: string;
  readonly and?: Budget | undefined;
}

/** An assertion that was made for a caller. */
export interface MadeAssertion {
  readonly text: string;
  /** Half of its life, seconds since the epoch: from then on another one is made. */
  readonly renewAt: number;
  readonly keys: SigningKeys;
}

/** A grant with its place among all of the policy. */
export interface PreparedGrant extends Grant {
  readonly index: number;
}

/** A caller whose token was verified, with what was made of it so far. */
export interface KnownCaller extends ToldCaller {
  /** Seconds since the epoch at which the entry dies. */
  readonly until: number;
  /** Thumbprint of the key that signed the token. */
  readonly key: string;
  /** What a token can be called back by beside subject and key: `iat` and `jti`, a space between; see {@link stampOf}. */
  readonly stamp: string;
  /** `sub` where the subject is another claim, else empty. */
  readonly sub: string;
  /** What the session cookie says that they came with (see `lastLine`); absent: they came with a token. */
  readonly says?: string;
  /** The key that the token is bound to: each request has to prove it before anything else is answered. */
  readonly binding?: Binding | undefined;
  /** Answers that let this caller pass, made once, by method and route. Absent at first: most new tokens come once. */
  ready?: Map<string, ReadyAnswer>;
  /** The keys' epoch in which `key` was found among them, and how long they are good for. */
  epoch?: string | undefined;
  /** Whether it is revoked, as of the epoch. */
  revoked?: boolean;
  usableUntil?: number;
  /** By the index of the grant. */
  assertions?: MadeAssertion[];
  /** Name under which DPoP proofs of theirs are counted. */
  counted?: string;
  /** What requests count under; undefined: under nothing. */
  budgets?: Map<PreparedBudgets, Budget | undefined>;
  /** The caller as requests see them that differ in networks or certificate. */
  views?: Map<string, KnownCaller>;
}

/** An answer but for what is signed for the caller. */
export interface ReadyAnswer {
  /** Names and values of headers, in turn. */
  readonly lines: readonly string[];
  readonly grant: PreparedGrant;
  /** What the request counts under, where something is counted. */
  readonly budget: Budget | undefined;
}

/**
 * @param roles the caller's, joined by commas
 * @param stamp see {@link KnownCaller.stamp}; empty for what is no token of a provider
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
  // Each request looks whether there is a binding, and finds a member of its own sooner than none.
  const known = { caller, provider: caller.provider, until, key, user, roles, stamp, sub, binding };
  return agent === undefined ? known : { ...known, agent, actors: encodeList(caller.actors ?? []) };
}

/** Nobody's ids have line breaks; what follows one is left out, as in the names of revocations. */
function firstLine(value: unknown): string {
  if (typeof value !== 'string') return '';
  const end = value.indexOf('\n');
  return end < 0 ? value : value.slice(0, end);
}

/** {@link KnownCaller.stamp} of a token's claims; where it has no `iat`, the one of a token as old as can be. */
export const stampOf = ({ iat, jti }: Claims): string =>
  `${typeof iat === 'number' ? iat : 0} ${firstLine(typeof jti === 'number' ? String(jti) : jti)}`;

/**
 * {@link KnownCaller.sub} of a token's claims.
 *
 * @param subject name of the claim that the provider's subjects are
 */
export const subOf = ({ sub }: Claims, subject: string): string => (subject === 'sub' ? '' : firstLine(sub));
