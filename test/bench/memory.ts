import { setTimeout } from 'node:timers/promises';
import { inputFile } from './cpu.ts';
import { must } from './guards.ts';
import { eventsPath, type HeldPath, Hold, holdOpen, socketPath } from './hold.ts';
import { run } from './load.ts';
import type { Nginx } from './nginx.ts';
import { median } from './stats.ts';
import { type Ground, startSystem } from './systems.ts';

/** The ports that the memory measurements use. */
export interface Ports {
  readonly port: number;
  readonly backend: number;
  readonly hold: number;
}

const inFlight = 1000;
const distinct = 10_000;

/**
 * Kilobytes that one slow request holds in the worker: the pages written with 1,000 requests in flight, minus those
 * before. The instance is fresh, because memory of an earlier burst would hide the difference.
 *
 * @param seconds how long they stay open before the worker's memory is read
 */
async function perRequest(
  ground: Ground,
  runs: 'bare' | 'gateway',
  at: Ports,
  token: string,
  path?: HeldPath,
  seconds = 0,
): Promise<number> {
  const hold = await Hold.start(at.hold);
  try {
    const nginx = await startSystem(ground, runs, {
      ...{ name: `inflight-${runs}`, port: at.port, backend: at.hold },
      ...(path === socketPath && { sockets: true }),
    });
    await nginx.untilOpen('/', token);
    const before = (await nginx.worker.memory()).privateDirty;
    const requests = {
      port: nginx.port,
      tokens: Array.from({ length: inFlight }, () => token),
      ...(path && { path }),
    };
    const { answered, value } = await holdOpen(hold, requests, async () => {
      await setTimeout(seconds * 1000);
      return nginx.worker.memory();
    });
    must(answered === inFlight, 'inflight', `${answered} of ${inFlight} requests were answered`);
    await nginx.stop();
    return (value.privateDirty - before) / inFlight;
  } finally {
    hold.close();
  }
}

/** Kilobytes that a slow request needs beyond a bare proxy on the same transport. */
export async function inflight(ground: Ground, at: Ports, token: string): Promise<{ bare: number; gateway: number }> {
  const bare = await perRequest(ground, 'bare', at, token);
  return { bare, gateway: await perRequest(ground, 'gateway', at, token) };
}

/** The same for an open event stream that has sent its first event. */
export async function streams(ground: Ground, at: Ports, token: string): Promise<{ bare: number; gateway: number }> {
  const bare = await perRequest(ground, 'bare', at, token, eventsPath);
  return { bare, gateway: await perRequest(ground, 'gateway', at, token, eventsPath) };
}

/** The same for an open WebSocket that has received a message and stays idle. */
export async function sockets(
  ground: Ground,
  at: Ports,
  token: string,
  seconds: number,
): Promise<{ bare: number; gateway: number }> {
  const bare = await perRequest(ground, 'bare', at, token, socketPath, seconds);
  return { bare, gateway: await perRequest(ground, 'gateway', at, token, socketPath, seconds) };
}

/** Megabytes of resident memory in a fresh worker after 10,000 tokens, including shared dictionaries and libraries. */
export async function worker10k(ground: Ground, at: Ports, tokens: readonly string[]): Promise<number> {
  must(new Set(tokens).size === distinct, 'worker_10k', `${new Set(tokens).size} tokens where ${distinct} are wanted`);
  const nginx = await startSystem(ground, 'gateway', { name: 'worker-10k', port: at.port, backend: at.backend });
  await nginx.untilOpen('/', tokens[0]!);
  const counted = await load(ground, nginx, tokens, distinct);
  must(counted.refused === 0 && counted.requests === distinct, 'worker_10k', 'not every token was let through');
  const { rss } = await nginx.worker.memory();
  await nginx.stop();
  return rss / 1024;
}

/** The credentials of ten requests of the growth measurement: eight valid tokens, an invalid one, none. One fifth is
 * refused. */
export function mixture(good: readonly string[], bad: readonly string[]): (string | undefined)[] {
  return good.flatMap((token, i) => (i % 8 === 7 ? [token, bad[(i >> 3) % bad.length], undefined] : [token]));
}

/**
 * Kilobytes by which the worker grew during the requests, after enough requests to fill every cache.
 *
 * @returns the growth, and what the worker held at each of the looks
 */
export async function growth(
  ground: Ground,
  at: Ports,
  mixed: readonly (string | undefined)[],
  count: number,
): Promise<{ readonly kb: number; readonly looks: readonly number[] }> {
  const nginx = await startSystem(ground, 'gateway', { name: 'growth', port: at.port, backend: at.backend });
  await nginx.untilOpen('/', mixed[0]!);
  const looks: number[] = [];
  const step = Math.ceil(count / 10 / mixed.length) * mixed.length;
  // The first steps fill contexts, caches and the log's buffers.
  for (let sent = -2 * step; sent <= count; sent += step) {
    if (sent >= 0) looks.push((await nginx.worker.memory()).rss);
    if (sent >= count) break;
    const counted = await load(ground, nginx, mixed, step);
    must(counted.refused === step / 5, 'growth', `${counted.refused} of ${step} requests were refused`);
    await nginx.forget();
  }
  await nginx.stop();
  return { kb: grown(looks), looks };
}

/** Compares the last samples with the first, the middle one of three each, because a worker varies by some hundred
 * KB. */
export function grown(looks: readonly number[]): number {
  return median(looks.slice(-3)) - median(looks.slice(0, 3));
}

async function load(ground: Ground, nginx: Nginx, tokens: readonly (string | undefined)[], count: number) {
  const file = inputFile(ground, ['/'], tokens);
  return run({ port: nginx.port, file, count, connections: 32 }, () => {});
}
