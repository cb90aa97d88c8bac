import { afterEach, beforeEach, vi } from 'vitest';

/** The shared dicts of njs, in Node: expiry by a clock that the test moves, and a size in entries. */
export class FakeDict<V extends string | number> {
  readonly #entries = new Map<string, { value: V; until: number }>();
  readonly #now: () => number;
  /** The highest number of entries; beyond, `set` and `add` throw as a full zone without `evict` does. */
  room = Number.POSITIVE_INFINITY;
  /** Bytes, as {@link freeSpace} counts. */
  readonly capacity = 4_000_000;

  /** The part of it that is used, 0 to 1, whatever its entries. */
  taken = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  #live(key: string): { value: V; until: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.until > this.#now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  get(key: string): V | undefined {
    return this.#live(key)?.value;
  }

  has(key: string): boolean {
    return this.#live(key) !== undefined;
  }

  set(key: string, value: V, ttl = Number.POSITIVE_INFINITY): this {
    for (const known of [...this.#entries.keys()]) this.#live(known);
    if (!this.#entries.has(key) && this.#entries.size >= this.room) throw new Error('');
    this.#entries.set(key, { value, until: this.#now() + ttl });
    return this;
  }

  add(key: string, value: V, ttl?: number): boolean {
    if (this.has(key)) return false;
    this.set(key, value, ttl);
    return true;
  }

  incr(key: string, by: number, init = 0, ttl?: number): number {
    const value = ((this.get(key) as number | undefined) ?? init) + by;
    this.set(key, value as V, ttl);
    return value;
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  keys(max = 1024): string[] {
    return [...this.#entries.keys()].filter((key) => this.has(key)).slice(0, max);
  }

  items(max = 1024): [string, V][] {
    return this.keys(max).map((key) => [key, this.get(key) as V]);
  }

  size(): number {
    return this.keys(Number.POSITIVE_INFINITY).length;
  }

  freeSpace(): number {
    return Math.round(this.capacity * (1 - this.taken));
  }

  clear(): void {
    this.#entries.clear();
  }
}

const ZONES = [
  'answers',
  'inactive',
  'active',
  'keys',
  'tokens',
  'locks',
  'renewals',
  'signins',
  'svids',
  'sessions',
  'once',
  'revoked',
  'budgets',
  'addresses',
  'proofs',
  'proof_keys',
  'counts',
  'series',
] as const;

/** The parts of {@link fakeNgx} that a test reads and sets. */
export interface FakeNgx {
  readonly zones: Record<(typeof ZONES)[number], FakeDict<string | number>>;
  readonly logged: string[];
  /** Milliseconds. */
  clock: number;
  fetch: (url: string, options?: NgxFetchOptions) => Promise<unknown>;
}

type Made = FakeNgx & { readonly ngx: object };

function make(): Made {
  const fake = {} as Made;
  const zones = {} as FakeNgx['zones'];
  for (const zone of ZONES) zones[zone] = new FakeDict(() => fake.clock);
  const ngx = {
    shared: Object.fromEntries(ZONES.map((zone) => [`meshgate_${zone}`, zones[zone]])),
    ERR: 4,
    WARN: 5,
    INFO: 7,
    log: (_: number, line: string) => fake.logged.push(line),
    fetch: (url: string, options?: NgxFetchOptions) => fake.fetch(url, options),
  };
  return Object.assign(fake, { zones, logged: [], ngx });
}

/**
 * Puts a fake `ngx` where the modules under `src/njs/` look for it; one for all tests of a file. Modules keep the zones
 * that they found, so the next file of a worker gets the same ones, emptied.
 */
export function fakeNgx(): FakeNgx {
  const held = globalThis as { meshgateFake?: Made };
  held.meshgateFake ??= make();
  const fake = held.meshgateFake;
  for (const zone of Object.values(fake.zones)) {
    zone.clear();
    Object.assign(zone, { room: Number.POSITIVE_INFINITY, taken: 0 });
  }
  fake.logged.length = 0;
  fake.clock = Date.now();
  fake.fetch = () => Promise.reject(new Error('nothing listens'));
  Object.assign(globalThis, { ngx: fake.ngx });
  return fake;
}

/**
 * Stops the clock in each test of a file, at `at` (Unix seconds; without it, at the time when the test begins): a machine
 * that stalls between two readings of the clock changes no answer.
 */
export function stopClock(fake: FakeNgx, at?: number): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: at === undefined ? Date.now() : at * 1000 });
    fake.clock = Date.now();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}
