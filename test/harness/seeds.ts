import stored from '../seeds.json' with { type: 'json' };

/**
 * The seeds that a run draws from: those that `test/seeds.json` stores, so that every run draws the same. A run with
 * `MESHGATE_SEED` draws both from that text.
 */
export const seeds: Readonly<Record<'properties' | 'hunts', string>> = process.env.MESHGATE_SEED
  ? { properties: process.env.MESHGATE_SEED, hunts: process.env.MESHGATE_SEED }
  : stored;
