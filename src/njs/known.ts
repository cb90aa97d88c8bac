import { encodeValue } from '../caller/encode.ts';
import type { Caller } from '../caller/types.ts';
import type { MadeAssertion, PreparedGrant } from './signer.ts';

/** A caller whose token was verified, with what was made of it so far. */
export interface KnownCaller {
  readonly caller: Caller;
  readonly provider: string;
  /** Seconds since the epoch at which the entry dies. */
  readonly until: number;
  /** Thumbprint of the key that signed the token. */
  readonly key: string;
  /** The subject, encoded for a header. */
  readonly user: string;
  /** Names of the roles, joined by commas. */
  readonly roles: string;
  /** The service that acts for the caller, by its name as an agent; empty: none does. */
  readonly agent: string;
  /** Answers that let this caller pass, made once, by method and route. Absent at first: most new tokens come once. */
  ready?: Map<string, ReadyAnswer>;
  /** The keys' epoch in which `key` was found among them, and how long they are good for. */
  epoch?: string | undefined;
  usableUntil?: number;
  /** By the index of the grant. */
  assertions?: MadeAssertion[];
}

/** An answer but for what is signed for the caller. */
export interface ReadyAnswer {
  /** Names and values of headers, in turn. */
  readonly lines: readonly string[];
  readonly grant: PreparedGrant;
}

/** @param roles the caller's, joined by commas */
export function knownCaller(caller: Caller, roles: string, until: number, key: string): KnownCaller {
  const { provider, subject, agent = '' } = caller;
  return { caller, provider, until, key, user: encodeValue(subject), roles, agent };
}
