import { beforeEach, describe, expect, it, vi } from 'vitest';
import { composed } from '../../../src/base/composed-key.ts';
import { KeyStore } from '../../../src/njs/keys/fetched-keys.ts';
import type { TokenProvider } from '../../../src/token/types.ts';
import { publicJwk } from '../token/maker.ts';
import { table } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/** Checks that wait for keys that another worker fetches. */

const fake = fakeNgx();
stopClock(fake);
const { locks } = fake.zones;

const keys = new KeyStore(table);
const provider = table.providers.okta as TokenProvider;
const fetching = composed('fetch', 'okta');

beforeEach(() => {
  locks.clear();
  locks.room = Number.POSITIVE_INFINITY;
});

/** Another worker fetches, and requests in the meantime wait. */
const begins = () => {
  locks.set(fetching, 1);
  locks.set(composed('cool', 'okta'), 1);
};

it('any number of tokens with unknown keys that are told to retry leave others their turn', async () => {
  begins();
  const waiting = Array.from({ length: 16 }, () => keys.refetch(provider));
  for (let i = 0; i < 50; i++) expect(await keys.refetch(provider)).toBe('busy');
  locks.delete(fetching);
  expect([...new Set(await Promise.all(waiting))]).toEqual(['unchanged']);
  begins();
  const next = keys.refetch(provider);
  locks.delete(fetching);
  expect(await next).toBe('unchanged');
});

it('no key is fetched while the zone of locks is full, and nothing rejects', async () => {
  locks.room = 0;
  fake.fetch = () => expect.unreachable();
  expect(await keys.refetch(provider)).toBe('unchanged');
  await keys.refresh();
  locks.room = Number.POSITIVE_INFINITY;
  locks.set(fetching, 1);
  locks.room = 0;
  expect(await keys.refetch(provider)).toBe('busy');
});

it('a fetch ends before the next run of the job, even if the provider has a longer time-out', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const urls: string[] = [];
  // The discovery document arrives late, and the keys never arrive.
  fake.fetch = (async (_: string, { headers }: { headers: Record<string, string> }) => {
    const url = headers['X-Meshgate-Url'] as string;
    urls.push(url);
    if (!url.includes('.well-known')) return new Promise(() => {});
    await new Promise((resolve) => setTimeout(resolve, 3900));
    const { issuer } = provider;
    const text = async () => JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` });
    return { status: 200, headers: new Headers(), text };
  }) as never;
  let ended = false;
  const run = keys.refresh().then(() => {
    ended = true;
  });
  await vi.advanceTimersByTimeAsync(3900);
  expect([urls.some((url) => url.endsWith('/keys')), ended]).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(4000);
  expect(ended).toBe(true);
  expect(fake.logged.splice(0).join()).toContain('no answer within 4 s');
  await run;
  vi.useRealTimers();
});

describe('the room for keys', () => {
  const { keys: zone } = fake.zones;
  const text = (kid: (i: number) => string, count = 1): string =>
    JSON.stringify({ keys: Array.from({ length: count }, (_, i) => ({ ...publicJwk('p256'), kid: kid(i) })) });
  const published = new Map<string, string>();

  beforeEach(() => {
    zone.clear();
    zone.room = Number.POSITIVE_INFINITY;
    fake.logged.length = 0;
    published.clear();
    fake.fetch = async (_, options) => {
      const url = String((options as { headers: Record<string, string> }).headers['X-Meshgate-Url']);
      const body = url.endsWith('/.well-known/openid-configuration')
        ? JSON.stringify({ issuer: new URL(url).origin, jwks_uri: `${new URL(url).origin}/jwks` })
        : (published.get(new URL(url).origin) ?? text(() => 'k'));
      return { status: 200, headers: new Headers(), text: async () => body };
    };
  });

  const two = {
    ...table,
    providers: Object.fromEntries(
      ['a', 'b'].map((name) => [name, { ...provider, name, issuer: `https://${name}.example.com` }]),
    ),
  };
  const held = (name: string) => new KeyStore(two).of(name, Date.now() / 1000)?.map(({ kid }) => kid);

  it('does not stop another provider from being fetched when it is full, and the log says so', async () => {
    // The epoch, and one provider.
    zone.room = 2;
    await new KeyStore(two).refresh();
    expect([held('a'), held('b')].filter((kids) => kids !== undefined)).toEqual([['k']]);
    expect(fake.logged).toEqual([expect.stringMatching(/keys of provider [ab]: the zone meshgate_keys has no room/)]);
  });

  it('has a part for each provider, which keeps its earlier keys beyond that', async () => {
    await new KeyStore(two).refresh();
    published.set(
      'https://a.example.com',
      text((i) => `${i} `.padEnd(500, 'x'), 100),
    );
    published.set(
      'https://b.example.com',
      text(() => 'new'),
    );
    fake.clock += 3_600_000;
    vi.setSystemTime(fake.clock);
    await new KeyStore(two).refresh();
    expect([held('a'), held('b')]).toEqual([['k'], ['new']]);
    expect(fake.logged).toEqual([expect.stringMatching(/keys of provider a: .* bytes, which is more than 65536/)]);
    expect(Math.max(...zone.items().map(([, value]) => String(value).length))).toBeLessThan(65_536);
  });

  it('holds no key with a name that is too long', async () => {
    published.set(
      'https://a.example.com',
      text((i) => (i === 0 ? 'x'.repeat(513) : 'x'.repeat(512)), 2),
    );
    await new KeyStore(two).refresh();
    expect(held('a')).toEqual(['x'.repeat(512)]);
    expect(fake.logged.join()).toContain('"kid" has more than 512 characters');
  });
});
