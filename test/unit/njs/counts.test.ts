import { beforeEach, describe, expect, it } from 'vitest';
import { metricsHandler } from '../../../src/njs/metrics/handler.ts';
import { counterName, countSlow, increment } from '../../../src/njs/shared/counts.ts';
import { adas, adasToken, Context, publishKeys, sealed, wiki, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);

/** What a scrape says about counters, by what stands before the value. */
async function scrape(policy = 'p1'): Promise<Readonly<Record<string, number>>> {
  const config = {
    policy,
    check: '/run/check.sock',
    providers: [],
    stale: 1,
    assertion: false,
    identities: [],
    files: [],
  };
  let text = '';
  const r = { headersOut: {}, return: (_: number, body: string) => (text = body) };
  await metricsHandler(config)(r as unknown as NginxHTTPRequest);
  const lines = text.split('\n').filter((line) => /^meshgate_\w+_(total|bucket|sum|count)\b/.test(line));
  return Object.fromEntries(
    lines.map((line) => [line.slice(9, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

const decision = (route: string, rule: string, reason = '') =>
  `decisions_total{route="${wiki}/${route}",rule="${rule}",decision="${reason === '' ? 'allowed' : 'refused'}",reason="${reason}"}`;

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) {
    zone.clear();
    zone.room = Number.POSITIVE_INFINITY;
    zone.taken = 0;
  }
  fake.logged.length = 0;
  writeRing(['k1', 1]);
  await publishKeys(start);
});

describe('decisions', () => {
  it('are counted by route, rule and reason, in any context, known or new', async () => {
    const token = adasToken(start);
    for (const context of [new Context(), new Context()]) {
      for (let i = 0; i < 3; i++) {
        expect(await context.check({ Authorization: `Bearer ${token}` })).toMatchObject({ status: 204 });
      }
    }
    const context = new Context();
    await context.check({ Authorization: `Bearer ${adasToken(start, { groups: [] })}` });
    await context.check({}, 'public/*');
    await context.check({}, 'public/*');
    await context.check({});
    expect(await scrape()).toMatchObject({
      [decision('*', `${wiki}/*#1`)]: 6,
      [decision('*', `${wiki}/*#1`, 'role_missing')]: 1,
      [decision('*', `${wiki}/*#1`, 'credential_missing')]: 1,
      [decision('public/*', 'public#1')]: 2,
      'credentials_total{kind="token"}': 7,
      'credentials_total{kind="anonymous"}': 2,
      'credentials_verified_total{kind="token"}': 2,
      counts_lost_total: 0,
    });
  });

  it('of sessions count as those of sessions', async () => {
    const text = await sealed(adas(start));
    const context = new Context();
    for (let i = 0; i < 3; i++) await context.check({ Cookie: `__Host-Http-meshgate=${text}` });
    expect(await scrape()).toMatchObject({
      'credentials_total{kind="session"}': 3,
      'credentials_verified_total{kind="session"}': 1,
    });
  });

  it('about no route of the policy share one counter, and the probe of readyz is not counted', async () => {
    const context = new Context();
    await context.check({}, 'x/*', 'a.example.com');
    await context.check({}, 'x/*', 'b.example.com');
    await context.check({ 'X-Meshgate-Method': undefined as never }, '-', '-');
    const all = Object.entries(await scrape()).filter(([name]) => name.startsWith('decisions'));
    expect(all).toEqual([['decisions_total{route="",rule="",decision="refused",reason="route_unknown"}', 2]]);
  });

  it('are made if the zone has no room, and each that is not counted is counted as lost', async () => {
    const context = new Context();
    await context.check({}, 'public/*');
    fake.zones.counts.room = 0;
    expect(await context.check({})).toMatchObject({ status: 401 });
    expect(await context.check({}, 'public/*')).toMatchObject({ status: 204 });
    fake.zones.counts.room = Number.POSITIVE_INFINITY;
    const reported = await scrape();
    expect(reported[decision('*', `${wiki}/*#1`, 'credential_missing')]).toBeUndefined();
    expect(reported.counts_lost_total).toBe(1);
  });

  it('are all counted as lost if the zone of names has no room, and are counted when it has room again', async () => {
    const context = new Context();
    await context.check({}, 'public/*');
    await scrape();
    fake.zones.series.room = 0;
    for (let i = 0; i < 3; i++) expect(await context.check({})).toMatchObject({ status: 401 });
    const lost = await scrape();
    expect([lost.counts_lost_total, lost[decision('*', `${wiki}/*#1`, 'credential_missing')]]).toEqual([3, undefined]);
    fake.zones.series.room = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 2; i++) await context.check({});
    expect(await scrape()).toMatchObject({
      [decision('*', `${wiki}/*#1`, 'credential_missing')]: 2,
      [decision('public/*', 'public#1')]: 1,
      counts_lost_total: 3,
    });
  });

  it('keep their names if two workers take the same place in the list', async () => {
    const { counts, series } = fake.zones;
    increment(counterName('session', ['started']));
    // Another worker has its place, and has not counted it yet.
    series.set('2', counterName('session', ['ended']));
    counts.set(counterName('session', ['ended']), 1);
    increment(counterName('session', ['continued']));
    counts.incr('listed', 1);
    expect(await scrape()).toMatchObject({
      'session_events_total{event="started"}': 1,
      'session_events_total{event="ended"}': 1,
      'session_events_total{event="continued"}': 1,
    });
  });
});

describe('counters', () => {
  it('of an earlier policy stay, unless they take half of the room', async () => {
    const name = counterName('session', ['started']);
    increment(name);
    await scrape('p1');
    expect(await scrape('p2')).toMatchObject({ 'session_events_total{event="started"}': 1 });
    fake.zones.counts.taken = 0.6;
    expect(await scrape('p2')).toMatchObject({ 'session_events_total{event="started"}': 1 });
    expect(await scrape('p3')).not.toHaveProperty('session_events_total{event="started"}');
    fake.zones.counts.taken = 0;
    increment(name);
    expect(await scrape('p3')).toMatchObject({ 'session_events_total{event="started"}': 1 });
  });
});

describe('the histogram of the check’s time', () => {
  const slow = (time: string) => countSlow({ variables: { request_time: time } } as unknown as NginxHTTPRequest);

  it('counts slow checks by their time, and all others as fast', async () => {
    const context = new Context();
    for (let i = 0; i < 5; i++) await context.check({}, 'public/*');
    for (const time of ['0.006', '0.010', '0.300', '11.000']) expect(slow(time)).toBe('');
    expect(await scrape()).toMatchObject({
      'check_duration_seconds_bucket{le="0.005"}': 1,
      'check_duration_seconds_bucket{le="0.01"}': 3,
      'check_duration_seconds_bucket{le="0.25"}': 3,
      'check_duration_seconds_bucket{le="0.5"}': 4,
      'check_duration_seconds_bucket{le="10"}': 4,
      'check_duration_seconds_bucket{le="+Inf"}': 5,
      check_duration_seconds_count: 5,
      check_duration_seconds_sum: 11.316,
    });
  });

  it('never shows fewer checks than before', async () => {
    const context = new Context();
    for (let i = 0; i < 2; i++) await context.check({}, 'public/*');
    expect((await scrape()).check_duration_seconds_count).toBe(2);
    slow('0.100');
    const reported = await scrape();
    expect(reported['check_duration_seconds_bucket{le="0.005"}']).toBe(2);
    expect(reported.check_duration_seconds_count).toBe(3);
  });
});
