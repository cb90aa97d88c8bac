import stored from '../seeds.json' with { type: 'json' };

const fresh = process.env.MESHGATE_SEED;

/**
 * The seeds that a run draws from. They are stored, so that every run draws the same. With `MESHGATE_SEED`, properties
 * and hunts draw from that text instead; the values that other tests are written for stay.
 */
export const seeds: Readonly<Record<'properties' | 'hunts' | 'values', string>> = fresh
  ? { ...stored, properties: fresh, hunts: fresh }
  : stored;
