import hash from 'crypto';
import { composed } from '../../base/composed-key.ts';
import { TO_INTROSPECTION } from '../../base/internal-headers.ts';
import {
  ACTIVE_BEFORE_MS,
  MAX_QUESTION_WAITERS,
  MAX_QUESTIONS,
  PLACES_KEPT,
  PLACES_SHARE,
  PROVIDER_TIMEOUT_MS,
  QUESTION_PAUSE_MS,
  QUESTIONS_KEPT,
  QUESTIONS_SHARE,
  SITE_SHARE,
} from '../../base/limits.ts';
import { ok, type Result, refuse } from '../../base/reasons.ts';
import { type AddressNames, addressNames } from '../../caller/address.ts';
import { ANSWERED, GROUPS_PATH, INTROSPECT_PATH } from '../../token/call-paths.ts';
import { isObjectId, withGroups } from '../../token/overage.ts';
import type { Claims, TokenProvider } from '../../token/types.ts';
import { activeDict, answersDict, inactiveDict, locksDict } from '../shared/dicts.ts';
import { type Hold, heldNow, hold, release } from '../shared/held.ts';

/** The provider's answer, and when the provider must be asked again, in seconds since the epoch. */
interface ProviderAnswer {
  readonly claims: Claims;
  readonly until: number;
}

/** One question to a provider. Times are in seconds. */
interface ProviderCall {
  /** Key of the question and its answer in shared memory: a hash, because the question contains the token. */
  readonly key: string;
  readonly provider: string;
  readonly path: string;
  readonly body: string;
  /** How long an answer may be used. `negative`: about an inactive token. `stale`: more time in an outage. */
  readonly cache: number;
  readonly negative: number;
  readonly stale: number;
  /** Whether the token has a valid signature, so that no client can have invented it. */
  readonly isSigned: boolean;
  /** The client's address. Absent: the gateway itself asks, about a person who signs in. */
  readonly from: string | undefined;
}

/** A stored answer, and when it was requested. */
interface Kept {
  readonly at: number;
  readonly text: string;
}

/** Longer than a check waits and then asks. */
const HELD_MS = 3 * PROVIDER_TIMEOUT_MS;

/** Longer than one question takes. If a worker dies, others can ask after this time. */
const LOCKED_MS = 2 * PROVIDER_TIMEOUT_MS;

const LOOK_MS = 25;

/** The places for one provider, of which each kind of tokens can use only a part, see src/base/limits.ts. */
interface Room {
  readonly name: string;
  readonly most: number;
  readonly kept: number;
  readonly share: number;
}

/** The places for questions to a provider, and the places for checks that ask or wait. */
const ASKED: Room = { name: 'questions', most: MAX_QUESTIONS, kept: QUESTIONS_KEPT, share: QUESTIONS_SHARE };
const PLACES: Room = {
  name: 'question places',
  most: MAX_QUESTIONS + MAX_QUESTION_WAITERS,
  kept: PLACES_KEPT,
  share: PLACES_SHARE,
};

const unavailable = refuse('provider_unavailable');
const crowded = 'too many tokens from this address or its network need an answer at the same time; retry';
const tooMany = refuse('limit_exceeded', crowded);
const inactive = refuse('token_inactive');

/** Asks providers about tokens, through the JavaScript that is their OAuth client. A question is sent once, even if
 * many requests need the answer. The answer is stored for all workers. */
/** The request for which a provider is asked. */
interface Occasion {
  readonly now: number;
  /** The client's address; absent in a renewal, and at a sign-in, where nginx limits each address. */
  readonly from?: string;
  /** Whether the token's signature is valid. */
  readonly isSigned?: boolean;
}

export class ProviderCalls {
  readonly #socket: string;
  readonly #selection: string;

  /** @param socket the unix socket of the server of the check
   * @param selection the parts of the policy on which an answer depends; with another policy, the gateway asks again */
  constructor(socket: string, selection: string) {
    this.#socket = socket;
    this.#selection = selection;
  }

  #key(...parts: readonly string[]): string {
    return hash
      .createHash('sha256')
      .update(composed(this.#selection, ...parts))
      .digest('base64url');
  }

  /** Asks a provider about a token (RFC 7662). The promise never rejects.
   * @returns reason `token_inactive`; `limit_exceeded` if the address has too many questions; or `provider_unavailable`
   * if the provider does not answer or too many requests are waiting */
  introspect({ name, introspection }: TokenProvider, token: string, { now, from, isSigned = false }: Occasion) {
    if (introspection === undefined) throw new Error(`the provider ${name} is not asked about tokens`);
    const { cache, negative, stale } = introspection;
    const path = INTROSPECT_PATH;
    const key = this.#key(path, name, token);
    return this.#ask({ key, provider: name, path, body: token, cache, negative, stale, isSigned, from }, now);
  }

  /** Returns the claims of a caller whose token leaves groups out. The provider confirms which of the policy's groups
   * are added. The promise never rejects.
   * @param cache number of seconds for which an answer may be used
   * @returns reason `claim_absent` if the token does not name the person; or a reason of {@link introspect} */
  async groups({ name, kind }: TokenProvider, claims: Claims, cache: number, { now, from }: Occasion) {
    const { oid } = claims;
    if (!isObjectId(oid)) return refuse('claim_absent', 'the token has no "oid", so its groups cannot be found');
    const key = this.#key(GROUPS_PATH, name, oid);
    const about = { key, provider: name, path: GROUPS_PATH, body: oid, isSigned: true };
    const answer = await this.#ask({ ...about, cache, negative: 0, stale: 0, from }, now);
    if (!answer.ok) return answer;
    const { claims: providerAnswer, until } = answer.value;
    return ok({ claims: withGroups(claims, kind, providerAnswer.held as string[]), until });
  }

  async #ask(call: ProviderCall, now: number): Promise<Result<ProviderAnswer>> {
    const known = this.#known(call, now);
    if (known !== undefined) return known;
    const requester = requesterOf(call);
    const place = take(PLACES, requester);
    if (place === 'none') return unavailable;
    if (place === 'no more') return tooMany;
    try {
      const turn = this.#begins(call, requester);
      return await (turn === undefined ? this.#wait(call, requester) : this.#lead(call, turn, now));
    } finally {
      giveBack(place);
    }
  }

  /** Returns the stored answer; undefined if the provider must be asked. */
  #known(call: ProviderCall, now: number): Result<ProviderAnswer> | undefined {
    const kept = keptOf(call);
    if (kept !== undefined && now < kept.at + call.cache) return providerAnswer(kept, kept.at + call.cache);
    if (inactiveDict().has(shortOf(call))) return inactive;
    return locksDict().has(awayOf(call)) ? standIn(kept, call, now) : undefined;
  }

  /** Takes a place for the question; undefined if another check is asking the same question, or no place is free. */
  #begins(call: ProviderCall, requester: Requester): Taken | undefined {
    const locks = locksDict();
    if (!locks.add(lockOf(call), 1, LOCKED_MS)) return undefined;
    const turn = take(ASKED, requester);
    if (typeof turn !== 'string') return turn;
    locks.delete(lockOf(call));
    return undefined;
  }

  async #lead(call: ProviderCall, turn: Taken, now: number): Promise<Result<ProviderAnswer>> {
    try {
      // Between the last look and the lock, another check may have stored the answer and released the lock.
      return this.#known(call, now) ?? (await this.#call(call, now));
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: provider ${call.provider}: ${(error as Error).message}`);
      return away(call, now);
    } finally {
      giveBack(turn);
      locksDict().delete(lockOf(call));
    }
  }

  async #call(call: ProviderCall, now: number): Promise<Result<ProviderAnswer>> {
    const { provider, path, body, cache } = call;
    const answer = await ngx.fetch(`http://unix:${this.#socket}:${path}`, {
      method: 'POST',
      headers: { Host: 'meshgate', [TO_INTROSPECTION.provider]: provider },
      body,
    });
    const text = await answer.text();
    if (answer.status === ANSWERED.inactive) return remember(call);
    // A client may have invented a token that the provider cannot read. Questions about other tokens are still sent.
    if (answer.status === ANSWERED.broken) return standIn(keptOf(call), call, now);
    if (answer.status !== ANSWERED.active) return away(call, now);
    const kept = { at: now, text };
    keep(call, kept);
    return providerAnswer(kept, now + cache);
  }

  /** Waits until another check has the answer, or until a place is free. */
  async #wait(call: ProviderCall, requester: Requester): Promise<Result<ProviderAnswer>> {
    const until = Date.now() + PROVIDER_TIMEOUT_MS;
    for (let waited = 0; waited < PROVIDER_TIMEOUT_MS && Date.now() < until; waited += LOOK_MS) {
      await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));
      const now = Date.now() / 1000;
      const known = this.#known(call, now);
      if (known !== undefined) return known;
      const turn = this.#begins(call, requester);
      if (turn !== undefined) return await this.#lead(call, turn, now);
    }
    return unavailable;
  }
}

const answerOf = ({ key }: ProviderCall): string => composed('answer', key);

/** A key of sixteen characters takes half the memory of a longer key. */
const shortOf = ({ key }: ProviderCall): string => key.slice(0, 16);
const lockOf = ({ key }: ProviderCall): string => `?${key.slice(0, 15)}`;

interface Requester {
  readonly provider: string;
  /** `new` if a client can have invented the token, else `known`. */
  readonly kind: 'known' | 'new';
  readonly address?: AddressNames;
}

function requesterOf(call: ProviderCall): Requester {
  const { provider, from, isSigned } = call;
  const kind = isSigned || activeDict().has(shortOf(call)) ? 'known' : 'new';
  return { provider, kind, ...(from !== undefined && { address: addressNames(from) }) };
}

type Taken = readonly Hold[];

function giveBack(taken: Taken): void {
  for (const one of taken) release(one);
}

/** Returns the names under which an address is counted, each with the multiple of an address's share that it has. */
function sharersOf(address: AddressNames | undefined): readonly (readonly [name: string, times: number])[] {
  if (address === undefined) return [];
  const own = [address.own, 1] as const;
  return address.site === undefined ? [own] : [own, [address.site, SITE_SHARE]];
}

/** Takes one place of a provider for a kind of token, and counts it for the address and its site. There are at most
 * twice as many of these counters as places, so clients with many addresses cannot fill the zone of locks.
 * @param taken receives the units that were taken
 * @returns `none` if no place is free, or the zone has no room to count; `no more` if the address or its site has used
 * its share; undefined if the place was taken */
function lacks(room: Room, { provider, kind, address }: Requester, taken: Hold[]): 'none' | 'no more' | undefined {
  const { name, most, kept, share } = room;
  const all = hold(HELD_MS, name, provider, kind);
  if (all === undefined) return 'none';
  taken.push(all);
  const others = heldNow(HELD_MS, name, provider, kind === 'new' ? 'known' : 'new');
  // Subtracts the place that was just taken.
  const free = Math.min(most - kept, most - others) - (all.count - 1);
  if (free <= 0) return 'none';
  for (const [sharer, times] of sharersOf(address)) {
    const own = hold(HELD_MS, `${name} of`, provider, kind, sharer);
    if (own === undefined) return 'none';
    taken.push(own);
    if (own.count - 1 >= times * share * free) return 'no more';
  }
  return undefined;
}

/** Takes one place. If this fails, nothing stays taken, and the result of {@link lacks} is returned. */
function take(room: Room, requester: Requester): Taken | 'none' | 'no more' {
  const taken: Hold[] = [];
  const lack = lacks(room, requester, taken);
  if (lack === undefined) return taken;
  giveBack(taken);
  return lack;
}

const awayOf = ({ provider }: ProviderCall): string => composed('away', provider);

function keptOf(call: ProviderCall): Kept | undefined {
  const kept = answersDict().get(answerOf(call));
  if (kept === undefined) return undefined;
  const end = kept.indexOf('\n');
  return { at: Number(kept.slice(0, end)), text: kept.slice(end + 1) };
}

function keep(call: ProviderCall, { at, text }: Kept): void {
  const life = (call.cache + call.stale) * 1000;
  try {
    answersDict().set(answerOf(call), `${at}\n${text}`, life);
    if (!call.isSigned) activeDict().set(shortOf(call), '', ACTIVE_BEFORE_MS);
  } catch {
    ngx.log(ngx.WARN, 'meshgate: the zone meshgate_answers has no room for an answer about a token');
  }
}

const providerAnswer = ({ text }: Kept, until: number): Result<ProviderAnswer> =>
  ok({ claims: JSON.parse(text) as Claims, until });

function remember(call: ProviderCall): Result<ProviderAnswer> {
  answersDict().delete(answerOf(call));
  activeDict().delete(shortOf(call));
  try {
    if (call.negative > 0) inactiveDict().set(shortOf(call), '', call.negative * 1000);
  } catch {
    // Without this entry, the next request asks the provider again.
  }
  return inactive;
}

/** Pauses questions to a provider that did not answer, and returns its earlier answer if that may be used. */
function away(call: ProviderCall, now: number): Result<ProviderAnswer> {
  locksDict().set(awayOf(call), 1, QUESTION_PAUSE_MS);
  return standIn(keptOf(call), call, now);
}

/** Returns the provider's earlier answer, if the policy allows its use during an outage. */
function standIn(kept: Kept | undefined, { cache, stale }: ProviderCall, now: number): Result<ProviderAnswer> {
  if (kept === undefined || now >= kept.at + cache + stale) return unavailable;
  return providerAnswer(kept, now + QUESTION_PAUSE_MS / 1000);
}
