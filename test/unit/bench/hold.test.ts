import { expect, test } from 'vitest';
import { eventsPath, Hold, holdOpen, socketPath } from '../../bench/hold.ts';
import { checkFree } from '../../bench/ports.ts';

test('requests are held until their release, and all are answered then', async () => {
  const hold = await Hold.start(0);
  const tokens = ['a', 'b', 'c'];
  const held = await holdOpen(hold, { port: hold.port, tokens }, async () => hold.waiting);
  expect(held).toEqual({ answered: 3, value: 3 });
  hold.close();
});

test('event streams send one event each while they are held, and end after their release', async () => {
  const hold = await Hold.start(0);
  const requests = { port: hold.port, tokens: ['a', 'b', 'c'], path: eventsPath } as const;
  expect(await holdOpen(hold, requests, async () => hold.waiting)).toEqual({ answered: 3, value: 3 });
  hold.close();
});

test('WebSockets send one message each while they are held, and end after their release', async () => {
  const hold = await Hold.start(0);
  const requests = { port: hold.port, tokens: ['a', 'b', 'c'], path: socketPath } as const;
  expect(await holdOpen(hold, requests, async () => hold.waiting)).toEqual({ answered: 3, value: 3 });
  hold.close();
});

test('a missing server is an error with its reason, not a wait', async () => {
  const hold = await Hold.start(0);
  const { port } = hold;
  hold.close();
  await expect(holdOpen(hold, { port, tokens: ['a'] }, async () => 0)).rejects.toThrow('ECONNREFUSED');
});

test('a port that is in use is named, with the setting to change', async () => {
  const hold = await Hold.start(0);
  await expect(checkFree(hold.port)).rejects.toThrow(`port ${hold.port} on 127.0.0.1 is taken: set BENCH_PORT`);
  hold.close();
});
