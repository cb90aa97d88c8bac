import { beforeEach, expect, it } from 'vitest';
import { EPOCH } from '../../../src/njs/epoch.ts';
import { keepRevoked } from '../../../src/njs/revoked.ts';
import { ofAny, ofProvider, revocationKey } from '../../../src/session/revocation.ts';
import { fakeNgx } from './fake-ngx.ts';

const fake = fakeNgx();
const { keys, revoked } = fake.zones;
const now = Date.now() / 1000;

beforeEach(() => {
  keys.clear();
  revoked.clear();
  revoked.room = Number.POSITIVE_INFINITY;
  fake.clock = Date.now();
});

it('keeps revocations until they run out, and has what is known looked at again', () => {
  keepRevoked([{ kind: 'sub', value: ofProvider('okta', 'u1'), before: 900, until: now + 60 }]);
  expect(revoked.get(revocationKey('sub', ofProvider('okta', 'u1')))).toBe('900');
  expect(keys.get(EPOCH)).toMatch(/!$/);
  fake.clock += 61_000;
  expect(revoked.get(revocationKey('sub', ofProvider('okta', 'u1')))).toBeUndefined();
});

it('takes nothing back, and says nothing twice', () => {
  keepRevoked([{ kind: 'sub', value: ofProvider('okta', 'u1'), before: 900, until: now + 60 }]);
  const epoch = keys.get(EPOCH);
  keepRevoked([{ kind: 'sub', value: ofProvider('okta', 'u1'), before: 800, until: now + 60 }]);
  keepRevoked([{ kind: 'sid', value: ofAny('s'), before: 800, until: now - 60 }]);
  expect(revoked.items()).toEqual([[revocationKey('sub', ofProvider('okta', 'u1')), '900']]);
  expect(keys.get(EPOCH)).toBe(epoch);
});

it('says that there is no room, and what it kept holds', () => {
  revoked.room = 1;
  const all = ['a', 'b'].map((value) => ({ kind: 'sid' as const, value: ofAny(value), before: 900, until: now + 60 }));
  expect(() => keepRevoked(all)).toThrow('meshgate_revoked is full');
  expect(revoked.keys()).toEqual([revocationKey('sid', ofAny('a'))]);
  expect(keys.get(EPOCH)).toMatch(/!$/);
});
