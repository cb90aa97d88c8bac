import { beforeEach, describe, expect, it } from 'vitest';
import { EPOCH, hasRevocations, newEpoch } from '../../../src/njs/shared/epoch.ts';
import { fakeNgx } from './fake-ngx.ts';

const fake = fakeNgx();
const { keys, revoked } = fake.zones;

describe('an epoch', () => {
  beforeEach(() => {
    keys.clear();
    revoked.clear();
  });

  const epoch = () => keys.get(EPOCH) as string | undefined;

  it('differs each time', () => {
    newEpoch();
    const first = epoch();
    newEpoch();
    expect(epoch()).not.toBe(first);
  });

  it('that is missing counts as one with revocations', () => {
    expect(hasRevocations(epoch())).toBe(true);
  });

  it('says whether anything is revoked', () => {
    newEpoch();
    expect(hasRevocations(epoch())).toBe(false);
    revoked.set('sid x', '5', 1000);
    newEpoch();
    expect(hasRevocations(epoch())).toBe(true);
    fake.clock += 2000;
    newEpoch();
    expect(hasRevocations(epoch())).toBe(false);
  });

  it('misses no revocation of another worker meanwhile', () => {
    const set = keys.set.bind(keys);
    keys.set = (key, value) => {
      keys.set = set;
      // The other worker's own epoch comes before this one is written.
      revoked.set('sid x', '5');
      newEpoch();
      return set(key, value);
    };
    newEpoch();
    expect(hasRevocations(epoch())).toBe(true);
  });
});
