import hash from 'crypto';
import { type AddressNames, addressNames } from '../caller/address.ts';
import { composed } from '../composed.ts';
import { TO_INTROSPECTION } from '../internal-headers.ts';
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
} from '../limits.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { isObjectId, withGroups } from '../token/overage.ts';
import { ANSWERED, GROUPS_PATH, INTROSPECT_PATH } from '../token/provider-questions.ts';
import type { Claims, TokenProvider } from '../token/types.ts';
import { activeDict, answersDict, inactiveDict, locksDict } from './dicts.ts';
import { type Hold, heldNow, hold, release } from './held.ts';

/** The provider's answer, and when it must be asked again, seconds since the epoch. */
export interface Said {
  readonly claims: Claims;
  readonly until: number;
}

/** One question to a provider; times in seconds. */
interface Question {
  /** Key of it and its answer in shared memory: a hash, because it contains the token. */
  readonly key: string;
  readonly provider: string;
  readonly path: string;
  readonly body: string;
  /** How long an answer counts: in general, if the token is not active, and during an outage of the provider. */
  readonly cache: number;
  readonly negative: number;
  readonly stale: number;
  /** The token has a valid signature, so no client can have made it up. */
  readonly isSigned: boolean;
  /** The client's address; absent: the gateway itself asks, about a person who signs in. */
  readonly from?: string;
}

/** A stored answer. */
interface Kept {
  /** When it was requested. */
  readonly at: number;
  readonly text: string;
}

/** Longer than a check waits and then asks. */
const HELD_MS = 3 * PROVIDER_TIMEOUT_MS;

/** Longer than a question takes. After that, others ask if the worker died. */
const LOCKED_MS = 2 * PROVIDER_TIMEOUT_MS;

const LOOK_MS = 25;

/** A number of places for each provider, of which each kind of tokens gets a part: see src/limits.ts. */
interface Room {
  readonly name: string;
  readonly most: number;
  readonly kept: number;
  readonly share: number;
}

/** Places of questions, and of checks that ask or wait. */
const ASKED: Room = { name: 'questions', most: MAX_QUESTIONS, kept: QUESTIONS_KEPT, share: QUESTIONS_SHARE };
const PLACES: Room = {
  name: 'question places',
  most: MAX_QUESTIONS + MAX_QUESTION_WAITERS,
  kept: PLACES_KEPT,
  share: PLACES_SHARE,
};

const unavailable = refuse('provider_unavailable');
const tooMany = refuse(
  'limit_exceeded',
  'too many tokens of this address or its network need an answer at once; retry',
);
const inactive = refuse('token_inactive');

/** Questions to providers about tokens, sent through the JavaScript that is their client. Each question is sent once,
 * however many requests need its answer, and the answer is kept for all workers. */
export class Questions {
  readonly #socket: string;
  readonly #selection: string;

  /** @param socket of the check's server
   * @param selection what answers depend on besides the token, so that another policy asks again
   */
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

  /** Asks a provider about a token (RFC 7662). Never rejects.
   *
   * @param from the client's address
   * @param isSigned whether the token's signature is valid
   * @returns reason `token_inactive`, `limit_exceeded` if the address has too many questions already, or
   * `provider_unavailable` if the provider does not answer, or too many requests wait already
   */
  introspect(
    { name, introspection }: TokenProvider,
    token: string,
    now: number,
    from: string,
    isSigned = false,
  ): Promise<Result<Said>> {
    if (introspection === undefined) throw new Error(`the provider ${name} is not asked about tokens`);
    const { cache, negative, stale } = introspection;
    const key = this.#key(INTROSPECT_PATH, name, token);
    const path = INTROSPECT_PATH;
    return this.#ask({ key, provider: name, path, body: token, cache, negative, stale, isSigned, from }, now);
  }

  /** The claims of a caller whose token leaves groups out, with the policy's groups that the provider confirms. Never
   * rejects.
   *
   * @param cache seconds for which an answer counts
   * @param from the client's address; absent at a sign-in, where nginx limits each address, and in a renewal
   * @returns reason `claim_absent` if the token does not name the person, `limit_exceeded` if the address has too many
   * questions already, or `provider_unavailable` if there is no answer
   */
  async groups(
    provider: TokenProvider,
    claims: Claims,
    now: number,
    cache: number,
    from?: string,
  ): Promise<Result<Said>> {
    const { oid } = claims;
    if (!isObjectId(oid)) return refuse('claim_absent', 'the token has no "oid", so no groups can be asked for');
    const key = this.#key(GROUPS_PATH, provider.name, oid);
    const about = { key, provider: provider.name, path: GROUPS_PATH, body: oid, isSigned: true };
    const question = { ...about, cache, negative: 0, stale: 0 };
    const answer = await this.#ask(from === undefined ? question : { ...question, from }, now);
    if (!answer.ok) return answer;
    return ok({
      claims: withGroups(claims, provider.kind, answer.value.claims.held as string[]),
      until: answer.value.until,
    });
  }

  async #ask(question: Question, now: number): Promise<Result<Said>> {
    const known = this.#known(question, now);
    if (known !== undefined) return known;
    const asker = askerOf(question);
    const place = take(PLACES, asker);
    if (place === 'none') return unavailable;
    if (place === 'no more') return tooMany;
    try {
      const turn = this.#begins(question, asker);
      return await (turn === undefined ? this.#wait(question, asker) : this.#lead(question, turn, now));
    } finally {
      giveBack(place);
    }
  }

  /** The stored answer; undefined: the provider must be asked. */
  #known(question: Question, now: number): Result<Said> | undefined {
    const kept = keptOf(question);
    if (kept !== undefined && now < kept.at + question.cache) return said(kept, kept.at + question.cache);
    if (inactiveDict().has(shortOf(question))) return inactive;
    return locksDict().has(awayOf(question)) ? standIn(kept, question, now) : undefined;
  }

  /** Takes a place to ask; undefined if another check asks the same, or no place is free. */
  #begins(question: Question, asker: Asker): Taken | undefined {
    const locks = locksDict();
    if (!locks.add(lockOf(question), 1, LOCKED_MS)) return undefined;
    const turn = take(ASKED, asker);
    if (typeof turn !== 'string') return turn;
    locks.delete(lockOf(question));
    return undefined;
  }

  async #lead(question: Question, turn: Taken, now: number): Promise<Result<Said>> {
    try {
      return await this.#call(question, now);
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: provider ${question.provider}: ${(error as Error).message}`);
      return away(question, now);
    } finally {
      giveBack(turn);
      locksDict().delete(lockOf(question));
    }
  }

  async #call(question: Question, now: number): Promise<Result<Said>> {
    const { provider, path, body, cache } = question;
    const answer = await ngx.fetch(`http://unix:${this.#socket}:${path}`, {
      method: 'POST',
      headers: { Host: 'meshgate', [TO_INTROSPECTION.provider]: provider },
      body,
    });
    const text = await answer.text();
    if (answer.status === ANSWERED.inactive) return remember(question);
    // A made-up token may be too much for a provider; it is still asked about others.
    if (answer.status === ANSWERED.broken) return standIn(keptOf(question), question, now);
    if (answer.status !== ANSWERED.active) return away(question, now);
    const kept = { at: now, text };
    keep(question, kept);
    return said(kept, now + cache);
  }

  /** Waits for the check that asks, or for a place. */
  async #wait(question: Question, asker: Asker): Promise<Result<Said>> {
    const until = Date.now() + PROVIDER_TIMEOUT_MS;
    for (let waited = 0; waited < PROVIDER_TIMEOUT_MS && Date.now() < until; waited += LOOK_MS) {
      await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));
      const now = Date.now() / 1000;
      const known = this.#known(question, now);
      if (known !== undefined) return known;
      const turn = this.#begins(question, asker);
      if (turn !== undefined) return await this.#lead(question, turn, now);
    }
    return unavailable;
  }
}

const answerOf = ({ key }: Question): string => composed('answer', key);

/** A key of sixteen characters takes half the memory of a longer one. */
const shortOf = ({ key }: Question): string => key.slice(0, 16);
const lockOf = ({ key }: Question): string => `?${key.slice(0, 15)}`;

/** The request that asks a question. */
interface Asker {
  readonly provider: string;
  /** Whether a client can have made up the token. */
  readonly kind: 'known' | 'new';
  readonly address?: AddressNames;
}

function askerOf(question: Question): Asker {
  const { provider, from, isSigned } = question;
  const kind = isSigned || activeDict().has(shortOf(question)) ? 'known' : 'new';
  return { provider, kind, ...(from !== undefined && { address: addressNames(from) }) };
}

type Taken = readonly Hold[];

function giveBack(taken: Taken): void {
  for (const one of taken) release(one);
}

/** The names under which an address is counted, and how many times the share of an address each has. */
function sharersOf(address: AddressNames | undefined): readonly (readonly [name: string, times: number])[] {
  if (address === undefined) return [];
  const { own, site } = address;
  if (site === undefined) return [[own, 1]];
  return [
    [own, 1],
    [site, SITE_SHARE],
  ];
}

/**
 * Counts one of a provider's room for a kind of tokens, and of the share of the address and its site. There are at most
 * twice as many counters of those as places: no one fills the locks with addresses.
 *
 * @param taken takes what was counted
 * @returns `none` where none is free or there is no room to count it, `no more` where the address or its site has its share
 */
function lacks(room: Room, { provider, kind, address }: Asker, taken: Hold[]): 'none' | 'no more' | undefined {
  const { name, most, kept, share } = room;
  const all = hold(HELD_MS, name, provider, kind);
  if (all === undefined) return 'none';
  taken.push(all);
  const others = heldNow(HELD_MS, name, provider, kind === 'new' ? 'known' : 'new');
  // Without the one that was just taken.
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

/** Takes one of a room, or nothing: then it says what {@link lacks}. */
function take(room: Room, asker: Asker): Taken | 'none' | 'no more' {
  const taken: Hold[] = [];
  const lack = lacks(room, asker, taken);
  if (lack === undefined) return taken;
  giveBack(taken);
  return lack;
}

const awayOf = ({ provider }: Question): string => composed('away', provider);

function keptOf(question: Question): Kept | undefined {
  const kept = answersDict().get(answerOf(question));
  if (kept === undefined) return undefined;
  const end = kept.indexOf('\n');
  return { at: Number(kept.slice(0, end)), text: kept.slice(end + 1) };
}

function keep(question: Question, { at, text }: Kept): void {
  try {
    const life = (question.cache + question.stale) * 1000;
    answersDict().set(answerOf(question), `${at}\n${text}`, life);
    if (!question.isSigned) activeDict().set(shortOf(question), '', ACTIVE_BEFORE_MS);
  } catch {
    ngx.log(ngx.WARN, 'meshgate: the zone meshgate_answers has no room for an answer about a token');
  }
}

function said({ text }: Kept, until: number): Result<Said> {
  return ok({ claims: JSON.parse(text) as Claims, until });
}

function remember(question: Question): Result<Said> {
  answersDict().delete(answerOf(question));
  activeDict().delete(shortOf(question));
  try {
    if (question.negative > 0) inactiveDict().set(shortOf(question), '', question.negative * 1000);
  } catch {
    // It is asked again.
  }
  return inactive;
}

/** The provider did not answer, so it is not asked anything for a moment. */
function away(question: Question, now: number): Result<Said> {
  locksDict().set(awayOf(question), 1, QUESTION_PAUSE_MS);
  return standIn(keptOf(question), question, now);
}

/** The provider's earlier answer, if the policy accepts it during an outage. */
function standIn(kept: Kept | undefined, { cache, stale }: Question, now: number): Result<Said> {
  if (kept === undefined || now >= kept.at + cache + stale) return unavailable;
  return said(kept, now + QUESTION_PAUSE_MS / 1000);
}
