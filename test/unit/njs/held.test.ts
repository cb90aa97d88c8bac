import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Hold, heldNow, holdUpTo, release, hold as take } from '../../../src/njs/shared/held.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/** The holds of all workers at a time. */

const fake = fakeNgx();
stopClock(fake, 1_800_000_000);
const { locks } = fake.zones;

const SPAN = 10_000;

const pass = (milliseconds: number): void => {
  fake.clock += milliseconds;
  vi.setSystemTime(fake.clock);
};

beforeEach(() => locks.clear());

const hold = (span: number, ...name: string[]): Hold => take(span, ...name) as Hold;

describe('a hold', () => {
  it('is counted by its name, and free once it is released', () => {
    const [one] = [hold(SPAN, 'a'), hold(SPAN, 'a'), hold(SPAN, 'b')];
    expect([heldNow(SPAN, 'a'), heldNow(SPAN, 'b'), heldNow(SPAN, 'c')]).toEqual([2, 1, 0]);
    release(one);
    expect(heldNow(SPAN, 'a')).toBe(1);
  });

  it('counts for its whole span, whenever it was taken', () => {
    for (let at = 0; at < SPAN; at += 1000) {
      locks.clear();
      const one = hold(SPAN, 'a');
      pass(SPAN - 1);
      expect([heldNow(SPAN, 'a'), hold(SPAN, 'a').count]).toEqual([1, 2]);
      release(one);
      expect(heldNow(SPAN, 'a')).toBe(1);
      pass(1001);
    }
  });

  it('is free after a worker died, however many others are taken and released meanwhile', () => {
    for (let i = 0; i < 24; i++) hold(SPAN, 'a');
    for (let second = 0; second < 20; second++) {
      pass(1000);
      release(hold(SPAN, 'a'));
    }
    expect(hold(SPAN, 'a').count).toBe(1);
  });

  it('does not free the holds of others when it is released too late', () => {
    const late = hold(SPAN, 'a');
    pass(2 * SPAN);
    hold(SPAN, 'a');
    release(late);
    expect(heldNow(SPAN, 'a')).toBe(1);
  });

  it('leaves nothing in memory when all holds are released or expired', () => {
    const all: Hold[] = [];
    for (let i = 0; i < 15; i++) {
      all.push(hold(SPAN, `address ${i % 3}`));
      pass(1000);
    }
    for (const one of all) release(one);
    expect(locks.keys()).toEqual([]);
    hold(SPAN, 'dead');
    pass(2 * SPAN);
    expect(locks.keys()).toEqual([]);
  });

  it('never exceeds its limit, over the end of a period as well', () => {
    const taken: (Hold | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      taken.push(holdUpTo(3, SPAN, 'a'));
      pass(1000);
    }
    expect(taken.map((one) => one !== undefined)).toEqual([true, true, true, false, false, false, false, false]);
    release(taken[1] as Hold);
    expect(holdUpTo(3, SPAN, 'a')).toBeDefined();
    expect(holdUpTo(3, SPAN, 'a')).toBeUndefined();
  });
});

describe('without room to count', () => {
  it('nothing is held, and nothing throws', () => {
    const one = hold(SPAN, 'a') as Hold;
    locks.room = 0;
    expect([hold(SPAN, 'b'), holdUpTo(3, SPAN, 'b'), heldNow(SPAN, 'b')]).toEqual([undefined, undefined, 0]);
    locks.clear();
    release(one);
    locks.room = Number.POSITIVE_INFINITY;
    expect(heldNow(SPAN, 'a')).toBe(0);
  });
});
