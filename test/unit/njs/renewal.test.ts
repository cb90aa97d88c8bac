import { beforeEach, expect, it, vi } from 'vitest';
import { askRenewal } from '../../../src/njs/callers/ask-renewal.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/** Checks that request the renewal of a session from the sign-in's side. */

const fake = fakeNgx();
stopClock(fake);

beforeEach(() => {
  for (const zone of Object.values(fake.zones)) zone.clear();
});

const renew = (provider = 'okta') =>
  askRenewal('/run/check.sock', { provider, host: 'wiki.example.com', text: 'cookie' }, true);

it('waiting checks of a dead worker keep no other check from its turn, while requests go on', async () => {
  fake.fetch = () => new Promise(() => {});
  for (let i = 0; i < 128; i++) void renew();
  fake.fetch = async () => ({ status: 200, text: async () => 'renewed' });
  expect(await renew()).toEqual({ kind: 'alone' });
  for (let second = 0; second < 30; second++) {
    fake.clock += 1000;
    vi.setSystemTime(fake.clock);
    await renew();
  }
  expect(await renew()).toEqual({ kind: 'renewed', text: 'renewed' });
});

it('checks that wait for one provider keep no session of another from its renewal', async () => {
  fake.fetch = () => new Promise(() => {});
  for (let i = 0; i < 128; i++) void renew();
  fake.fetch = async () => ({ status: 200, text: async () => 'renewed' });
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(await renew('partners')).toEqual({ kind: 'renewed', text: 'renewed' });
});
