import type { AssertionUse } from '../../assertion/claims.ts';
import type { SigningKeys } from '../../assertion/sign.ts';
import { claimAt } from '../../base/claim-at.ts';
import { MAX_LOG_ACTORS } from '../../base/limits.ts';
import { encodeList, encodeValue, shorten } from '../../caller/encode.ts';
import type { Caller } from '../../caller/types.ts';
import { CERTIFICATE_PROVIDER, NOBODY_PROVIDER } from '../../policy/forms/reserved-names.ts';
import type { TableLimit } from '../../rules/budgets.ts';
import type { DisclosedCaller } from '../../rules/decide/answer-lines.ts';
import type { Binding, Claims } from '../../token/types.ts';
import { pseudonym } from './pseudonyms.ts';

/** A limit as one context has prepared it. */
export interface PreparedLimit extends TableLimit {
  /** Milliseconds after which a bucket is full, so that its number need not be stored. */
  readonly ttl: number;
  /** A short text that separates the counts of this limit from those of other limits. */
  readonly tag: string;
  readonly passWhenFull: boolean;
}

export interface PreparedBudgets {
  /** Returns the issuer of a provider, so that no other issuer with its name uses up the budgets of its callers. */
  readonly issuerOf: (provider: string) => string;
  readonly callers: readonly PreparedLimit[];
  readonly anonymous: readonly PreparedLimit[];
  /** The limits for all networks of one site together, in addition to {@link anonymous}. */
  readonly sites: readonly PreparedLimit[];
  readonly agents: ReadonlyMap<string, readonly PreparedLimit[]>;
}

/** The budget of one caller under a limit, with a further budget that applies too. */
export interface Budget extends PreparedLimit {
  readonly key: string;
  readonly and?: Budget | undefined;
}

interface MadeAssertion {
  readonly text: string;
  /** When half of its lifetime is over, in seconds since the epoch. After that a new assertion is signed. */
  readonly renewAt: number;
  readonly keys: SigningKeys;
}

/** A grant with its index in the list of all grants of the policy. */
export type PreparedGrant = AssertionUse & { readonly index: number };

/** A caller whose token was verified, with all data that was prepared for it so far. */
export interface KnownCaller extends DisclosedCaller {
  /** When the entry expires, seconds since the epoch. */
  readonly until: number;
  /** Thumbprint of the key that signed the token. */
  readonly key: string;
  /** Identifies a token for revocation, besides subject and key: `iat` and `jti`, see {@link stampOf}. */
  readonly stamp: string;
  /** The claims besides the subject by which the token can be revoked, see {@link othersOf}. */
  readonly others: string;
  /** The content of the session cookie (see `lastLine`); absent if the caller sent a token. */
  readonly says?: string;
  /** The key that the token is bound to. Each request must first prove that its sender has this key. */
  readonly binding?: Binding | undefined;
  /** Stored answers for this caller, by method and route. Absent at first: most new tokens are used only once. */
  ready?: Map<string, ReadyAnswer>;
  /** The epoch in which `key` was last found to be published. */
  epoch?: string | undefined;
  /** Whether the credential is revoked, in that epoch. */
  revoked?: boolean;
  usableUntil?: number;
  /** The signed assertions, by the index of the grant. */
  assertions?: MadeAssertion[];
  /** The name under which the DPoP proofs of this caller are counted. */
  counted?: string;
  /** The budgets for requests; undefined if there are none. */
  budgets?: Map<PreparedBudgets, Budget | undefined>;
  /** The caller with the roles of a request, by the view of that request: see `Views`. */
  views?: Map<string, KnownCaller>;
}

/** A stored answer, without the assertion. */
interface ReadyAnswer {
  /** Names and values of headers, alternating. */
  readonly lines: readonly string[];
  readonly grant: PreparedGrant;
  /** The budget that the request uses, if there is one. */
  readonly budget: Budget | undefined;
  /** The name of the counter of these requests. */
  readonly counted: string;
}

export type CountedCredential = 'session' | 'certificate' | 'anonymous' | 'token';

/** The kind of credential by which a caller is known, for the metrics. At the inner listener, the assertion counts as a
 * token. */
export function credentialKind({ says, provider }: Pick<KnownCaller, 'says' | 'provider'>): CountedCredential {
  if (says !== undefined) return 'session';
  if (provider === CERTIFICATE_PROVIDER) return 'certificate';
  return provider === NOBODY_PROVIDER ? 'anonymous' : 'token';
}

/** Returns the actor chain for the log. The log may name actors by pseudonyms. */
const actorsText = (provider: string, actors: readonly string[]): string =>
  shorten(encodeList(actors.map((actor) => pseudonym(provider, actor) ?? actor)), MAX_LOG_ACTORS);

/** @param roles the caller's roles, joined by commas
 * @param stamp empty if no provider issued a token */
export function knownCaller(
  caller: Caller,
  roles: string,
  until: number,
  key: string,
  stamp = '',
  others = '',
  binding?: Binding,
): KnownCaller {
  const { agent } = caller;
  const user = encodeValue(caller.subject);
  // Each request reads the binding. A member that is present is found faster than a missing one.
  const known: KnownCaller = { caller, provider: caller.provider, until, key, user, roles, stamp, others, binding };
  const named = pseudonym(caller.provider, caller.subject);
  if (agent === undefined && named === undefined) return known;
  return {
    ...known,
    ...(agent !== undefined && { agent, actors: actorsText(caller.provider, caller.actors ?? []) }),
    ...(named !== undefined && { pseudonym: named }),
  };
}

/** Returns the first line of an id. Real ids have no line breaks, and revocations cut ids in the same way. */
function firstLine(value: unknown): string {
  if (typeof value !== 'string') return '';
  const end = value.indexOf('\n');
  return end < 0 ? value : value.slice(0, end);
}

/** Returns {@link KnownCaller.stamp} for a token. Without `iat` it counts as the oldest possible token. */
export const stampOf = ({ iat, jti }: Claims): string =>
  `${typeof iat === 'number' ? iat : 0} ${firstLine(typeof jti === 'number' ? String(jti) : jti)}`;

/** Returns {@link KnownCaller.others}: `sub`, unless it is the subject. If revocations name further claims, it is JSON.
 * @param subject name of the provider's subject claim
 * @param revoked the claims that revocations name */
export function othersOf(claims: Claims, subject: string, revoked: readonly string[]): string {
  const sub = subject === 'sub' ? '' : firstLine(claims.sub);
  const more = revoked.filter((claim) => claim !== subject && claim !== 'sub');
  if (more.length === 0 && !sub.startsWith('{')) return sub;
  const values = more.map((claim) => [claim, firstLine(claimAt(claims, claim))] as const);
  return JSON.stringify(Object.fromEntries([['sub', sub], ...values]));
}

/** Returns the claims in a result of {@link othersOf}. A claim that the token lacks is empty. */
export const readOthers = (others: string): Readonly<Record<string, string>> =>
  others.startsWith('{') ? (JSON.parse(others) as Record<string, string>) : { sub: others };
