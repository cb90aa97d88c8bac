import { beforeEach, expect, it } from 'vitest';
import { composed } from '../../../src/composed.ts';
import { KeyStore } from '../../../src/njs/keys.ts';
import type { TokenProvider } from '../../../src/token/types.ts';
import { table } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/** Checks that wait for keys that another worker fetches. */

const fake = fakeNgx();
stopClock(fake);
const { locks } = fake.zones;

const keys = new KeyStore(table);
const provider = table.providers.okta as TokenProvider;
const fetching = composed('fetch', 'okta');

beforeEach(() => locks.clear());

/** Another worker fetches, and whoever comes meanwhile waits. */
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
