import hash from 'crypto';
import { composed } from '../../base/composed-key.ts';
import { MAX_DICT_TTL_MS, MAX_UNCOUNTED, SITE_NETWORKS } from '../../base/limits.ts';
import { ownOf } from '../../base/own.ts';
import { type Refusal, refuse } from '../../base/reasons.ts';
import { addressNames } from '../../caller/address.ts';
import { NOBODY_PROVIDER } from '../../policy/forms/reserved-names.ts';
import type { TableBudgets, TableLimit } from '../../rules/budgets.ts';
import { addressesDict, budgetsDict } from '../shared/dicts.ts';
import type { Budget, KnownCaller, PreparedBudgets, PreparedLimit } from '../shared/known.ts';
import { sayOnce } from '../shared/say-once.ts';

/* Each budget is a token bucket. One number in shared memory says when the bucket will be full again. Times are counted
 * in requests at the limit's rate since the epoch. A request adds one to this number, or to the present time if that is
 * later. The budget is used up if the sum is ahead of the present time by more than the burst. All workers change the
 * same number. A full bucket needs a second step, which sets the number. So if workers take from it at the same moment,
 * their requests count as one request. */

/** Why a request does not pass now, and the number of seconds after which a similar request would pass. */
export type Short = Refusal & { readonly retryAfter: number };

/** Returns a digest of at most 16 characters. A longer key would take twice the memory. */
const digest = (text: string, length: number): string =>
  hash.createHash('sha256').update(text).digest('base64url').slice(0, length);

/** @param passWhenFull member of the table: whether requests pass if the zone is full */
export function prepareLimit(limit: TableLimit, passWhenFull: boolean): PreparedLimit {
  const ttl = Math.min(MAX_DICT_TTL_MS, Math.ceil((1000 * limit.burst) / limit.rate) + 1000);
  const tag = digest(composed(limit.of, String(limit.rate), String(limit.burst)), 5);
  return { ...limit, ttl, tag, passWhenFull };
}

/** Returns the limit for all networks of one site together, made from the limit for each network. */
const ofSite = (limit: TableLimit): TableLimit => ({
  ...limit,
  rate: SITE_NETWORKS * limit.rate,
  burst: SITE_NETWORKS * limit.burst,
  says: `the limit for the /48 network of this address is ${SITE_NETWORKS} times ${limit.says}`,
});

/** @param passWhenFull member of the table: whether requests pass if the zone is full
 * @param providers member of the table */
export function prepareBudgets(
  of: TableBudgets,
  passWhenFull: boolean,
  providers: Readonly<Record<string, { readonly issuer: string }>> = {},
): PreparedBudgets {
  const { callers, anonymous, agents = [] } = of;
  const one = (limit: TableLimit | undefined) => (limit === undefined ? [] : [prepareLimit(limit, passWhenFull)]);
  return {
    issuerOf: (provider) => ownOf(providers, provider)?.issuer ?? provider,
    callers: one(callers),
    anonymous: one(anonymous),
    sites: one(anonymous && ofSite(anonymous)),
    agents: new Map(agents.map(([name, limits]) => [name, limits.map((limit) => prepareLimit(limit, passWhenFull))])),
  };
}

/** Returns one budget for each limit as a linked list, with another budget at its end. */
const chained = (
  limits: readonly PreparedLimit[],
  keyOf: (limit: PreparedLimit) => string,
  last?: Budget,
): Budget | undefined =>
  limits.reduceRight<Budget | undefined>((and, limit) => ({ ...limit, key: keyOf(limit), and }), last);

/** Anonymous callers are counted by address, even if the request gives them roles. */
const isNobody = ({ provider }: KnownCaller): boolean => provider === NOBODY_PROVIDER;

/** Returns the budgets of a caller's requests to a route, and stores them with the caller; undefined if there are none. */
export function budgetOf(budgets: PreparedBudgets, known: KnownCaller): Budget | undefined {
  known.budgets ??= new Map();
  if (known.budgets.has(budgets)) return known.budgets.get(budgets);
  const { agent, provider, user } = known;
  const limits = agent === undefined ? (isNobody(known) ? [] : budgets.callers) : (budgets.agents.get(agent) ?? []);
  const budget = chained(limits, ({ tag }) => digest(composed(tag, agent ?? '', budgets.issuerOf(provider), user), 16));
  known.budgets.set(budgets, budget);
  return budget;
}

function noRoom({ passWhenFull }: Budget): Short | undefined {
  sayOnce('budgets full', ngx.ERR, 'the zone for budgets has no room to count requests; enlarge gateway.limits.zone');
  return passWhenFull ? undefined : { ...refuse('check_unavailable'), retryAfter: 1 };
}

function exceeded(says: string, seconds: number): Short {
  const retryAfter = Math.max(1, Math.ceil(seconds));
  return { ...refuse('limit_exceeded', `${says}; retry in ${retryAfter}s`), retryAfter };
}

/** Adds to the number of a budget. Returns undefined if the zone has no room for a new number. */
function count(dict: NgxSharedDict<number>, budget: Budget, by: number, at: number): number | undefined {
  try {
    return dict.incr(budget.key, by, at, budget.ttl);
  } catch {
    return undefined;
  }
}

/** Gives back a request beyond the burst, and returns the refusal. */
function over(dict: NgxSharedDict<number>, budget: Budget, at: number, taken: number): Short {
  const { key, burst, rate, ttl, says } = budget;
  count(dict, budget, -1, at);
  const ahead = taken - burst - at;
  if (ahead <= MAX_UNCOUNTED) return exceeded(says, ahead / rate);
  // Workers cannot take that much at once, so the clock was set back. Callers must not wait until it has caught up.
  dict.set(key, at + burst, ttl);
  return exceeded(says, 1 / rate);
}

/** Takes one request from a budget and from all budgets linked to it. If one of them is used up, takes nothing.
 * @param now seconds since the epoch
 * @returns `limit_exceeded`; or `check_unavailable` if the zone has no room to count; else undefined */
export function spend(dict: NgxSharedDict<number>, budget: Budget, now: number): Short | undefined {
  const at = now * budget.rate;
  const taken = count(dict, budget, 1, at);
  if (taken === undefined) return noRoom(budget);
  if (taken > at + budget.burst) return over(dict, budget, at, taken);
  if (taken < at + 1) dict.set(budget.key, at + 1, budget.ttl);
  if (budget.and === undefined) return undefined;
  const short = spend(dict, budget.and, now);
  if (short !== undefined) count(dict, budget, -1, at);
  return short;
}

export function spendCaller(budgets: PreparedBudgets, known: KnownCaller, now: number): Short | undefined {
  const budget = budgetOf(budgets, known);
  return budget === undefined ? undefined : spend(budgetsDict(), budget, now);
}

/** {@link spend} for an anonymous caller.
 * @param address the client's address as nginx sends it. Requests without an address are counted together. */
export function spendAddress(budgets: PreparedBudgets, address: string | undefined, now: number): Short | undefined {
  const { own, site } = addressNames(address ?? '');
  // A tag always has five characters, so the pair of tag and address is unambiguous. The key stays short.
  const ofOwn = chained(budgets.anonymous, ({ tag }) => tag + own);
  // The site's budget comes first. If it is used up, its networks take no memory.
  const budget = site === undefined ? ofOwn : chained(budgets.sites, ({ tag }) => tag + site, ofOwn);
  return budget === undefined ? undefined : spend(addressesDict(), budget, now);
}
