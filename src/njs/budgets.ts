import hash from 'crypto';
import { addressNames } from '../caller/address.ts';
import { composed } from '../composed.ts';
import { MAX_DICT_TTL_MS, MAX_UNCOUNTED, REPEAT_LINE_S, SITE_NETWORKS } from '../limits.ts';
import { NOBODY_PROVIDER } from '../policy/reserved.ts';
import { type Refusal, refuse } from '../reasons.ts';
import type { TableBudgets, TableLimit } from '../rules/budgets.ts';
import { addressesDict, budgetsDict } from './dicts.ts';
import type { Budget, KnownCaller, PreparedBudgets, PreparedLimit } from './known.ts';

/* A budget is a number in shared memory: the time at which its bucket will be full again, counted in requests at the
 * limit's rate since the epoch. That time is never in the past, so a take adds one to the later of that time and now.
 * If the result is more than the burst ahead of now, the budget is used up. All workers add to the same number.
 * If the number is in the past, it is set, and setting and taking are two steps: workers that take from a full bucket
 * at the same moment count as one. While the bucket is not full, every take counts. */

/** Why a request does not pass now, and the seconds after which a similar one would. */
export interface Short extends Refusal {
  readonly retryAfter: number;
}

/** Up to 16 characters: a longer key takes twice the memory. */
const digest = (text: string, length: number): string =>
  hash.createHash('sha256').update(text).digest('base64url').slice(0, length);

/** @param passWhenFull of the table */
export function prepareLimit(limit: TableLimit, passWhenFull: boolean): PreparedLimit {
  const ttl = Math.min(MAX_DICT_TTL_MS, Math.ceil((1000 * limit.burst) / limit.rate) + 1000);
  const tag = digest(composed(limit.of, String(limit.rate), String(limit.burst)), 5);
  return { ...limit, ttl, tag, passWhenFull };
}

/** What the networks of a site may ask for together, by what each of them may. */
const ofSite = (limit: TableLimit): TableLimit => ({
  ...limit,
  rate: SITE_NETWORKS * limit.rate,
  burst: SITE_NETWORKS * limit.burst,
  says: `the /48 network of this address has ${SITE_NETWORKS} times ${limit.says}`,
});

/** @param passWhenFull of the table */
export function prepareBudgets(
  { callers, anonymous, agents = [] }: TableBudgets,
  passWhenFull: boolean,
): PreparedBudgets {
  const one = (limit: TableLimit | undefined) => (limit === undefined ? [] : [prepareLimit(limit, passWhenFull)]);
  return {
    callers: one(callers),
    anonymous: one(anonymous),
    sites: one(anonymous && ofSite(anonymous)),
    agents: new Map(agents.map(([name, limits]) => [name, limits.map((limit) => prepareLimit(limit, passWhenFull))])),
  };
}

/** Budgets under all of these limits, chained, with another one behind them. */
const chained = (
  limits: readonly PreparedLimit[],
  keyOf: (limit: PreparedLimit) => string,
  last?: Budget,
): Budget | undefined =>
  limits.reduceRight<Budget | undefined>((and, limit) => ({ ...limit, key: keyOf(limit), and }), last);

/** Anonymous callers are counted by their address, whatever roles the request gives them. */
const isNobody = ({ provider }: KnownCaller): boolean => provider === NOBODY_PROVIDER;

/** The budgets of a caller's requests to a route, kept with the caller; undefined if there are none. */
export function budgetOf(budgets: PreparedBudgets, known: KnownCaller): Budget | undefined {
  known.budgets ??= new Map();
  if (known.budgets.has(budgets)) return known.budgets.get(budgets);
  const { agent, provider, user } = known;
  const limits = agent === undefined ? (isNobody(known) ? [] : budgets.callers) : (budgets.agents.get(agent) ?? []);
  const budget = chained(limits, ({ tag }) => digest(composed(tag, agent ?? '', provider, user), 16));
  known.budgets.set(budgets, budget);
  return budget;
}

/** Seconds since the epoch after which the log says again that there is no room. */
let sayAgain = 0;

function noRoom({ passWhenFull }: Budget, now: number): Short | undefined {
  if (now >= sayAgain) {
    sayAgain = now + REPEAT_LINE_S;
    ngx.log(ngx.ERR, 'meshgate: no room to count requests in; enlarge gateway.limits.zone');
  }
  return passWhenFull ? undefined : { ...refuse('check_unavailable'), retryAfter: 1 };
}

function exceeded(says: string, seconds: number): Short {
  const retryAfter = Math.max(1, Math.ceil(seconds));
  return { ...refuse('limit_exceeded', `${says}; retry in ${retryAfter}s`), retryAfter };
}

/** Adds to a budget's number; undefined if there is no room for another number. */
function count(dict: NgxSharedDict<number>, budget: Budget, by: number, at: number): number | undefined {
  try {
    return dict.incr(budget.key, by, at, budget.ttl);
  } catch {
    return undefined;
  }
}

/** Gives back what was taken beyond the burst. */
function over(dict: NgxSharedDict<number>, budget: Budget, at: number, taken: number): Short {
  const { key, burst, rate, ttl, says } = budget;
  count(dict, budget, -1, at);
  const ahead = taken - burst - at;
  if (ahead <= MAX_UNCOUNTED) return exceeded(says, ahead / rate);
  // No worker takes that much at once: the clock was set back. Callers must not wait until it has caught up.
  dict.set(key, at + burst, ttl);
  return exceeded(says, 1 / rate);
}

/** Takes one request from a budget and from those that are chained to it; from none of them if one is used up.
 *
 * @param now seconds since the epoch
 * @returns `limit_exceeded`, or `check_unavailable` if nothing can be counted, else undefined
 */
export function spend(dict: NgxSharedDict<number>, budget: Budget, now: number): Short | undefined {
  const at = now * budget.rate;
  const taken = count(dict, budget, 1, at);
  if (taken === undefined) return noRoom(budget, now);
  if (taken > at + budget.burst) return over(dict, budget, at, taken);
  if (taken < at + 1) dict.set(budget.key, at + 1, budget.ttl);
  if (budget.and === undefined) return undefined;
  const short = spend(dict, budget.and, now);
  if (short !== undefined) count(dict, budget, -1, at);
  return short;
}

/** {@link spend} for a caller. */
export function spendCaller(budgets: PreparedBudgets, known: KnownCaller, now: number): Short | undefined {
  const budget = budgetOf(budgets, known);
  return budget === undefined ? undefined : spend(budgetsDict(), budget, now);
}

/** {@link spend} for an anonymous caller.
 *
 * @param address of the client, as nginx has it; absent if nginx did not send it: all such requests are counted
 * together
 */
export function spendAddress(budgets: PreparedBudgets, address: string | undefined, now: number): Short | undefined {
  const { own, site } = addressNames(address ?? '');
  // A tag has five characters: no other tag and address read alike, and the key is a short one.
  const ofOwn = chained(budgets.anonymous, ({ tag }) => tag + own);
  // The site first: a network of one that has used up its budget takes no memory.
  const budget = site === undefined ? ofOwn : chained(budgets.sites, ({ tag }) => tag + site, ofOwn);
  return budget === undefined ? undefined : spend(addressesDict(), budget, now);
}
