import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { KnownCaller } from '../../../src/njs/shared/known.ts';
import { holds } from '../../harness/property.ts';
import { fakeNgx } from './fake-ngx.ts';

const ngx = fakeNgx();
const { budgetOf, prepareBudgets, spend, spendAddress, spendCaller } = await import(
  '../../../src/njs/check/budgets.ts'
);
const { budgetsDict } = await import('../../../src/njs/shared/dicts.ts');

const limit = (rate: number, burst: number, of = '') => ({ rate, burst, of, says: `${rate}/s, burst ${burst}` });
const caller = (user: string, agent?: string) =>
  ({ provider: 'okta', user, caller: {}, ...(agent !== undefined && { agent }) }) as unknown as KnownCaller;

const START = 1_800_000_000;

beforeEach(() => {
  ngx.clock = START * 1000;
  for (const zone of [ngx.zones.budgets, ngx.zones.addresses]) {
    zone.clear();
    zone.room = Number.POSITIVE_INFINITY;
  }
  ngx.logged.length = 0;
});

/** Moves the clock to some seconds after the start. */
function at(seconds: number): number {
  ngx.clock = (START + seconds) * 1000;
  return START + seconds;
}

/** The number of requests in a row that pass at one time. */
function passing(times: number, ask: () => unknown): number {
  return Array.from({ length: times }, ask).filter((short) => short === undefined).length;
}

describe('a budget', () => {
  const budgets = prepareBudgets({ callers: limit(2, 5) }, false);
  const ann = caller('ann');
  const ask = (now: number, who = ann) => spendCaller(budgets, who, now);

  test('allows the burst, and then the rate', () => {
    expect(passing(20, () => ask(at(0)))).toBe(5);
    expect(passing(20, () => ask(at(0.4)))).toBe(0);
    expect(passing(20, () => ask(at(0.5)))).toBe(1);
    expect(passing(20, () => ask(at(2.5)))).toBe(4);
    expect(passing(20, () => ask(at(3600)))).toBe(5);
  });

  test('says to the second when the next request would pass', () => {
    const slow = prepareBudgets({ callers: limit(1 / 60, 2) }, false);
    for (let i = 0; i < 2; i++) expect(spendCaller(slow, ann, at(0))).toBeUndefined();
    expect(spendCaller(slow, ann, at(0))).toMatchObject({ reason: 'limit_exceeded', retryAfter: 60 });
    expect(spendCaller(slow, ann, at(12.3))).toMatchObject({ retryAfter: 48, detail: expect.stringContaining('48s') });
    expect(spendCaller(slow, ann, at(59.9))).toMatchObject({ retryAfter: 1 });
    expect(spendCaller(slow, ann, at(60))).toBeUndefined();
  });

  test('is not used up by refused requests: a caller that goes on sending passes in time', () => {
    expect(passing(5, () => ask(at(0)))).toBe(5);
    for (let i = 1; i < 500; i++) expect(ask(at(i / 1000))).toMatchObject({ retryAfter: 1 });
    expect(ask(at(0.5))).toBeUndefined();
  });

  test('is separate for each caller, by provider, subject and agent', () => {
    expect(passing(20, () => ask(at(0)))).toBe(5);
    expect(passing(20, () => ask(at(0), caller('ben')))).toBe(5);
    expect(passing(20, () => ask(at(0), { ...ann, provider: 'entra' } as KnownCaller))).toBe(0);
    expect(passing(20, () => ask(at(0), { ...caller('ann'), provider: 'entra' } as KnownCaller))).toBe(5);
    expect(passing(20, () => ask(at(0), caller('ann')))).toBe(0);
  });

  test('is forgotten once it would be full', () => {
    ask(at(0));
    expect(budgetsDict().size()).toBe(1);
    at(3.6);
    expect(budgetsDict().size()).toBe(0);
  });

  test('is found again if a worker reads a number that has expired', () => {
    // njs continues to count from an expired value until another entry causes its removal.
    const { key } = budgetOf(budgets, ann) ?? { key: '' };
    budgetsDict().set(key, (START - 86400) * 2, 1e9);
    expect(passing(20, () => ask(at(0)))).toBe(5);
  });

  test('is available at once after the clock was set back', () => {
    expect(passing(20, () => ask(at(86400)))).toBe(5);
    expect(ask(at(0))).toMatchObject({ reason: 'limit_exceeded', retryAfter: 1 });
    expect(ask(at(0.5))).toBeUndefined();
  });

  test('stores 16 characters of a key, which costs least', () => {
    ask(at(0));
    expect(budgetsDict().keys()[0]).toHaveLength(16);
    const open = prepareBudgets({ anonymous: limit(2, 5) }, false);
    for (const address of ['192.0.2.1', '2001:db8:1:2:3:4:5:6']) spendAddress(open, address, at(0));
    expect(Math.max(...ngx.zones.addresses.keys().map(({ length }) => length))).toBeLessThanOrEqual(16);
  });
});

describe('an agent', () => {
  const budgets = prepareBudgets(
    { callers: limit(1, 10, 'wiki/*'), agents: [['bot', [limit(1, 8, 'wiki/*'), limit(1, 3)]]] },
    false,
  );
  const elsewhere = prepareBudgets({ callers: limit(1, 10, 'dash/*'), agents: [['bot', [limit(1, 3)]]] }, false);

  test('is stopped while its person goes on, and while it acts for another person', () => {
    expect(passing(20, () => spendCaller(budgets, caller('ann', 'bot'), at(0)))).toBe(3);
    expect(passing(20, () => spendCaller(budgets, caller('ann'), at(0)))).toBe(10);
    expect(passing(20, () => spendCaller(budgets, caller('ben', 'bot'), at(0)))).toBe(3);
  });

  test('has its own limit over all routes together', () => {
    expect(passing(2, () => spendCaller(elsewhere, caller('ann', 'bot'), at(0)))).toBe(2);
    expect(passing(20, () => spendCaller(budgets, caller('ann', 'bot'), at(0)))).toBe(1);
  });

  test('uses none of the route’s budget once its own is used up', () => {
    for (let second = 0; second < 5; second++) {
      passing(50, () => spendCaller(budgets, caller('ann', 'bot'), at(second)));
    }
    // The agent's own budget is 3, and one a second; as many of the route's 8 are used, and return as fast.
    const [key] = [budgetOf(budgets, caller('ann', 'bot'))?.key ?? ''];
    expect((budgetsDict().get(key) as number) - (START + 4)).toBe(3);
  });

  test('is not counted if it has no limit', () => {
    expect(passing(99, () => spendCaller(budgets, caller('ann', 'other'), at(0)))).toBe(99);
  });
});

describe('an address', () => {
  const budgets = prepareBudgets({ anonymous: limit(1, 4) }, false);
  const ask = (address: string | undefined) => passing(20, () => spendAddress(budgets, address, at(0)));

  test.each([
    ['192.0.2.1', '192.0.2.2'],
    ['2001:db8:0:1::1', '2001:db8:0:2::1'],
    ['2001:db8::1', '2001:db8:1::1'],
    ['::1', '127.0.0.1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2'],
    ['unix:', '192.0.2.1'],
  ])('%s is another one than %s', (one, other) => {
    expect([ask(one), ask(other)]).toEqual([4, 4]);
  });

  test.each([
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2'],
    ['2001:db8:0:1:a:b:c:d', '2001:db8:0:1::'],
    ['::1', '::2'],
    ['2001:db8::5', '2001:db8:0:0:1::'],
    ['192.0.2.1', '::ffff:192.0.2.1'],
  ])('%s counts as %s', (one, other) => {
    expect([ask(one), ask(other)]).toEqual([4, 0]);
  });

  test('has a part of the budget of its /48 network, which is sixteen times as large', () => {
    const networks = Array.from({ length: 400 }, (_, i) => `2001:db8:7:${i.toString(16)}::1`);
    const passed = () => networks.filter((address) => spendAddress(budgets, address, at(0)) === undefined).length;
    expect(passed()).toBe(64);
    expect(spendAddress(budgets, '2001:db8:7:ffff::1', at(0))).toMatchObject({
      reason: 'limit_exceeded',
      retryAfter: 1,
      detail: 'the limit for the /48 network of this address is 16 times 1/s, burst 4; retry in 1s',
    });
    expect(ask('2001:db8:8::1')).toBe(4);
    expect(networks.filter((address) => spendAddress(budgets, address, at(1)) === undefined)).toHaveLength(16);
  });

  test('in one of many networks of a /48 network takes no memory once that network has used up its budget', () => {
    for (let i = 0; i < 1000; i++) spendAddress(budgets, `2001:db8:7:${i.toString(16)}::1`, at(0));
    expect(ngx.zones.addresses.size()).toBe(65);
  });

  test('that goes on sending while it is refused uses none of the budget of its /48 network', () => {
    passing(500, () => spendAddress(budgets, '2001:db8:7:1::1', at(0)));
    const others = Array.from({ length: 15 }, (_, i) => `2001:db8:7:${(i + 2).toString(16)}::1`);
    expect(others.map(ask)).toEqual(Array(15).fill(4));
  });

  test('of IPv4 is counted separately', () => {
    for (let i = 0; i < 400; i++) expect(ask(`192.0.${i >> 8}.${i & 255}`)).toBe(4);
    for (let i = 0; i < 400; i++) expect(ask(`::ffff:198.51.${i >> 8}.${i & 255}`)).toBe(4);
  });

  test('is the only key for anonymous callers, whatever roles their network gives them', () => {
    const both = prepareBudgets({ callers: limit(1, 2), anonymous: limit(1, 4) }, false);
    const anonymous = { ...caller('nobody'), provider: 'nobody' };
    expect(passing(20, () => spendCaller(both, anonymous, at(0)))).toBe(20);
    expect(passing(20, () => spendAddress(both, '192.0.2.1', at(0)))).toBe(4);
  });

  test('that the hop did not send is one key for all', () => {
    expect([ask(undefined), ask(undefined)]).toEqual([4, 0]);
  });
});

describe('a full zone', () => {
  const full = (passWhenFull: boolean) => {
    const budgets = prepareBudgets({ callers: limit(1, 5), anonymous: limit(1, 5) }, passWhenFull);
    expect(spendCaller(budgets, caller('known'), at(0))).toBeUndefined();
    ngx.zones.budgets.room = 1;
    return budgets;
  };

  test('refuses only callers that are not counted yet', () => {
    const budgets = full(false);
    expect(spendCaller(budgets, caller('new'), at(0))).toMatchObject({ reason: 'check_unavailable', retryAfter: 1 });
    expect(passing(20, () => spendCaller(budgets, caller('known'), at(0)))).toBe(4);
  });

  test('allows them if the policy says so', () => {
    const budgets = full(true);
    expect(passing(20, () => spendCaller(budgets, caller('new'), at(0)))).toBe(20);
    expect(passing(20, () => spendCaller(budgets, caller('known'), at(0)))).toBe(4);
  });

  test('of callers is not filled up by addresses', () => {
    const budgets = full(false);
    ngx.zones.addresses.room = 1;
    expect(spendAddress(budgets, '192.0.2.1', at(0))).toBeUndefined();
    expect(spendAddress(budgets, '192.0.2.2', at(0))).toMatchObject({ reason: 'check_unavailable' });
    ngx.zones.budgets.room = 2;
    expect(spendCaller(budgets, caller('new'), at(0))).toBeUndefined();
  });

  test('is logged, and not for each request', () => {
    const budgets = full(false);
    at(7200);
    spendCaller(budgets, caller('known'), at(7200));
    passing(50, () => spendCaller(budgets, caller('new'), at(7200)));
    expect(ngx.logged.filter((line) => line.includes('gateway.limits.zone'))).toHaveLength(1);
  });
});

/** A simple implementation for comparison: tokens in a bucket. */
class Bucket {
  readonly rate: number;
  readonly burst: number;
  #tokens: number;
  #then = 0;

  constructor(rate: number, burst: number) {
    [this.rate, this.burst, this.#tokens] = [rate, burst, burst];
  }

  take(now: number): boolean {
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#then) * this.rate);
    this.#then = now;
    if (this.#tokens < 1 - 1e-6) return false;
    this.#tokens -= 1;
    return true;
  }
}

test('decides as a bucket of tokens does, at any times', () => {
  const rates = fc.constantFrom(1 / 3600, 1 / 60, 0.5, 1, 7, 100, 1000);
  const pauses = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 80 });
  holds(
    fc.property(rates, fc.integer({ min: 1, max: 30 }), pauses, (rate, burst, steps) => {
      ngx.zones.budgets.clear();
      const budgets = prepareBudgets({ callers: limit(rate, burst) }, false);
      const bucket = new Bucket(rate, burst);
      let now = 0;
      for (const step of steps) {
        // Tenths of the time that one token takes, in whole milliseconds as the clock has them.
        now = Math.round(now * 1000 + (step * 100) / rate) / 1000;
        const passes = spendCaller(budgets, caller('ann'), at(now)) === undefined;
        expect(passes).toBe(bucket.take(now));
      }
    }),
  );
});

describe('workers whose steps are interleaved', () => {
  const budgets = prepareBudgets({ callers: limit(10, 50) }, false);
  const budget = budgetOf(budgets, caller('ann'));
  if (budget === undefined) throw new Error('no budget');

  /** The dict as one worker uses it; after each step of a take something else happens. */
  const between = (work: () => void): NgxSharedDict<number> => {
    const dict = budgetsDict();
    const incr = (...args: Parameters<typeof dict.incr>) => {
      const value = dict.incr(...args);
      work();
      return value;
    };
    return { incr, set: (...args: Parameters<typeof dict.set>) => dict.set(...args) } as NgxSharedDict<number>;
  };

  test.each([
    ['for an unknown caller', undefined, 50],
    ['for a caller whose bucket is full again: the two that find it so count as one', START * 10 - 1, 51],
  ])('allow no more than the budget, %s', (_, before, most) => {
    if (before !== undefined) budgetsDict().set(budget.key, before, 1e6);
    let passed = 0;
    const take = (dict: NgxSharedDict<number>) => {
      if (spend(dict, budget, at(0)) === undefined) passed++;
    };
    for (let i = 0; i < 200; i++) take(between(() => take(budgetsDict())));
    expect(passed).toBe(most);
    expect(passing(20, () => spend(budgetsDict(), budget, at(1)))).toBe(10);
  });
});
