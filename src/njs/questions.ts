import hash from 'crypto';
import { addressName } from '../caller/address.ts';
import { composed } from '../composed.ts';
import {
  ACTIVE_BEFORE_MS,
  MAX_PLACES_PER_ADDRESS,
  MAX_QUESTION_WAITERS,
  MAX_QUESTIONS,
  MAX_QUESTIONS_PER_ADDRESS,
  PLACES_KEPT,
  PROVIDER_TIMEOUT_MS,
  QUESTION_PAUSE_MS,
  QUESTIONS_KEPT,
} from '../limits.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { ANSWERED, GROUPS_PATH, INTROSPECT_PATH, PROVIDER_HEADER } from '../token/contract.ts';
import { isObjectId, withGroups } from '../token/overage.ts';
import type { Claims, TokenProvider } from '../token/types.ts';
import { inactiveDict, locksDict, tokensDict } from './dicts.ts';

/** What a provider said, and when it has to be asked again, seconds since the epoch. */
export interface Said {
  readonly claims: Claims;
  readonly until: number;
}

/** One question; times in seconds. */
interface Question {
  /** Names it and its answer in shared memory: a hash, for the token is in it. */
  readonly key: string;
  readonly provider: string;
  readonly path: string;
  readonly body: string;
  /** How long an answer counts; that the token is not active; an answer while the provider is away. */
  readonly cache: number;
  readonly negative: number;
  readonly stale: number;
  /** Who wants to know, by the client's address; absent: the question is about nothing that a client could make up. */
  readonly from?: string;
}

/** An answer as it is kept. */
interface Kept {
  /** When it was asked for. */
  readonly at: number;
  readonly text: string;
}

/** Longer than a question takes: after a worker died, what it held is free again. */
const HELD_MS = 2 * PROVIDER_TIMEOUT_MS;

const LOOK_MS = 25;

/** Counters among the locks: of questions that are being asked, and of checks that ask or wait. */
const ASKED = 'questions';
const PLACES = 'question places';

const MAX_PLACES = MAX_QUESTIONS + MAX_QUESTION_WAITERS;

const unavailable = refuse('provider_unavailable');
const tooMany = refuse('limit_exceeded', 'too many tokens of this address are asked about at once; ask again');
const inactive = refuse('token_inactive');

/**
 * Questions about tokens that providers are asked, through whoever may call them as their client. Each is asked once,
 * whatever number of requests want to know, and what was said is kept for all workers.
 */
export class Questions {
  readonly #socket: string;
  readonly #selection: string;

  /**
   * @param socket of the check's server
   * @param selection what answers depend on beside the token: another policy asks anew
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

  /**
   * What a provider says of a token (RFC 7662). Never rejected.
   *
   * @param from the client's address; absent where the token's signature is good
   * @returns reason `token_inactive`, `limit_exceeded` where the address has too many questions already, or
   * `provider_unavailable` where it does not answer, or too many wait already
   */
  introspect({ name, introspection }: TokenProvider, token: string, now: number, from?: string): Promise<Result<Said>> {
    if (introspection === undefined) throw new Error(`the provider ${name} is not asked about tokens`);
    const { cache, negative, stale } = introspection;
    const key = this.#key(INTROSPECT_PATH, name, token);
    const question = { key, provider: name, path: INTROSPECT_PATH, body: token, cache, negative, stale };
    return this.#ask(from === undefined ? question : { ...question, from }, now);
  }

  /**
   * Claims of somebody whose groups the token leaves out, with those that they have of the policy's. Never rejected.
   *
   * @param cache seconds that an answer counts
   * @returns reason `claim_absent` where the token does not say who it is, `provider_unavailable` where nobody answers
   */
  async groups(provider: TokenProvider, claims: Claims, now: number, cache: number): Promise<Result<Said>> {
    const { oid } = claims;
    if (!isObjectId(oid))
      return refuse('claim_absent', 'the token names nobody by "oid", so no groups can be asked for');
    const key = this.#key(GROUPS_PATH, provider.name, oid);
    const question = { key, provider: provider.name, path: GROUPS_PATH, body: oid, cache, negative: 0, stale: 0 };
    const answer = await this.#ask(question, now);
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
    const refused = this.#enter(asker);
    if (refused !== undefined) return refused;
    try {
      return await (this.#begins(question, asker) ? this.#lead(question, asker, now) : this.#wait(question, asker));
    } finally {
      this.#leave(asker);
    }
  }

  /** Takes a place among those who ask or wait, or says why there is none. */
  #enter(asker: Asker): Result<Said> | undefined {
    const locks = locksDict();
    const taken = locks.incr(PLACES, 1, 0, HELD_MS);
    if (taken > MAX_PLACES - (asker.trusted ? 0 : PLACES_KEPT)) {
      locks.incr(PLACES, -1, 0, HELD_MS);
      return unavailable;
    }
    if (takenBy(asker.places) <= MAX_PLACES_PER_ADDRESS) return undefined;
    this.#leave(asker);
    return tooMany;
  }

  #leave(asker: Asker): void {
    locksDict().incr(PLACES, -1, 0, HELD_MS);
    givenBack(asker.places);
  }

  /** What is known without a question; undefined: it has to be asked. */
  #known(question: Question, now: number): Result<Said> | undefined {
    const kept = keptOf(question);
    if (kept !== undefined && now < kept.at + question.cache) return said(kept, kept.at + question.cache);
    if (inactiveDict().has(shortOf(question))) return inactive;
    return locksDict().has(awayOf(question)) ? standIn(kept, question, now) : undefined;
  }

  /** Whether it is this check that asks: nobody else does, and not too much else is asked just now. */
  #begins(question: Question, asker: Asker): boolean {
    const locks = locksDict();
    if (!locks.add(lockOf(question), 1, HELD_MS)) return false;
    const most = MAX_QUESTIONS - (asker.trusted ? 0 : QUESTIONS_KEPT);
    const mayAsk = takenBy(asker.questions) <= MAX_QUESTIONS_PER_ADDRESS;
    if (locks.incr(ASKED, 1, 0, HELD_MS) <= most && mayAsk) return true;
    this.#ends(question, asker);
    return false;
  }

  #ends(question: Question, asker: Asker): void {
    const locks = locksDict();
    locks.incr(ASKED, -1, 0, HELD_MS);
    givenBack(asker.questions);
    locks.delete(lockOf(question));
  }

  async #lead(question: Question, asker: Asker, now: number): Promise<Result<Said>> {
    try {
      return await this.#call(question, now);
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: provider ${question.provider}: ${(error as Error).message}`);
      return away(question, now);
    } finally {
      this.#ends(question, asker);
    }
  }

  async #call(question: Question, now: number): Promise<Result<Said>> {
    const { provider, path, body, cache } = question;
    const answer = await ngx.fetch(`http://unix:${this.#socket}:${path}`, {
      method: 'POST',
      headers: { Host: 'meshgate', [PROVIDER_HEADER]: provider },
      body,
    });
    const text = await answer.text();
    if (answer.status === ANSWERED.inactive) return remember(question);
    // What somebody made up may well be too much for a provider; others are asked for all the same.
    if (answer.status === ANSWERED.broken) return standIn(keptOf(question), question, now);
    if (answer.status !== ANSWERED.active) return away(question, now);
    const kept = { at: now, text };
    keep(question, kept);
    return said(kept, now + cache);
  }

  /** Waits for who asks, or for a turn to ask. */
  async #wait(question: Question, asker: Asker): Promise<Result<Said>> {
    for (let waited = 0; waited < PROVIDER_TIMEOUT_MS; waited += LOOK_MS) {
      await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));
      const now = Date.now() / 1000;
      const known = this.#known(question, now);
      if (known !== undefined) return known;
      if (this.#begins(question, asker)) return await this.#lead(question, asker, now);
    }
    return unavailable;
  }
}

const answerOf = ({ key }: Question): string => composed('answer', key);

/** A key of sixteen characters takes half the room of a longer one. */
const shortOf = ({ key }: Question): string => key.slice(0, 16);
const lockOf = ({ key }: Question): string => `?${key.slice(0, 15)}`;
const beforeOf = ({ key }: Question): string => `!${key.slice(0, 15)}`;

/** Whether a client cannot have made it up: it was active before, or its signature is good. */
const isTrusted = (question: Question): boolean => question.from === undefined || tokensDict().has(beforeOf(question));

/** Who asks a question, and what is counted of them: of tokens that were active before apart from all others. */
interface Asker {
  readonly trusted: boolean;
  /** Names of counters; absent: nothing is counted. */
  readonly places?: string;
  readonly questions?: string;
}

function askerOf(question: Question): Asker {
  const trusted = isTrusted(question);
  if (question.from === undefined) return { trusted };
  const kind = trusted ? 'known' : 'new';
  const address = addressName(question.from);
  return { trusted, places: composed('places', kind, address), questions: composed('asks', kind, address) };
}

/** Takes one of an address's part; how many that makes. */
const takenBy = (counter: string | undefined): number =>
  counter === undefined ? 0 : locksDict().incr(counter, 1, 0, HELD_MS);

/** There are no more of these counters than places: nobody fills the locks with addresses. */
function givenBack(counter: string | undefined): void {
  if (counter !== undefined && locksDict().incr(counter, -1, 0, HELD_MS) <= 0) locksDict().delete(counter);
}

const awayOf = ({ provider }: Question): string => composed('away', provider);

function keptOf(question: Question): Kept | undefined {
  const kept = tokensDict().get(answerOf(question));
  if (kept === undefined) return undefined;
  const end = kept.indexOf('\n');
  return { at: Number(kept.slice(0, end)), text: kept.slice(end + 1) };
}

function keep(question: Question, { at, text }: Kept): void {
  try {
    const life = (question.cache + question.stale) * 1000;
    tokensDict().set(answerOf(question), `${at}\n${text}`, life);
    if (question.from !== undefined) tokensDict().set(beforeOf(question), '', ACTIVE_BEFORE_MS);
  } catch {
    ngx.log(ngx.WARN, 'meshgate: the token cache takes no entry; enlarge the zone meshgate_tokens');
  }
}

function said({ text }: Kept, until: number): Result<Said> {
  return ok({ claims: JSON.parse(text) as Claims, until });
}

function remember(question: Question): Result<Said> {
  tokensDict().delete(answerOf(question));
  tokensDict().delete(beforeOf(question));
  try {
    if (question.negative > 0) inactiveDict().set(shortOf(question), '', question.negative * 1000);
  } catch {
    // It is asked again.
  }
  return inactive;
}

/** The provider did not answer: for a moment nobody asks it anything else. */
function away(question: Question, now: number): Result<Said> {
  locksDict().set(awayOf(question), 1, QUESTION_PAUSE_MS);
  return standIn(keptOf(question), question, now);
}

/** What it said before, where the policy takes that meanwhile. */
function standIn(kept: Kept | undefined, { cache, stale }: Question, now: number): Result<Said> {
  if (kept === undefined || now >= kept.at + cache + stale) return unavailable;
  return said(kept, now + QUESTION_PAUSE_MS / 1000);
}
