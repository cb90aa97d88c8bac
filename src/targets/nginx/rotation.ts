import { DEFAULTS } from '../../limits.ts';
import type { Scene } from './scene.ts';

/** Seconds. */
interface RotationTimes {
  /** nginx reads a certificate's files again after this. */
  readonly cache: number;
  /** A connection is closed after the first request that ends later than this. */
  readonly time: number;
  /** A connection that waits this long is closed. */
  readonly idle: number;
}

/**
 * How long nginx may keep what it made with a certificate, so that the last request begins with the old one no later
 * than `mesh.rotation` after its files were replaced: a connection of the last moment of the cache, which counts whole
 * seconds, goes back to the pool at the end of its time, waits there to the end of its patience, and is taken once more.
 */
export function rotationTimes({ policy }: Scene): RotationTimes {
  const rotation = policy.mesh?.rotation ?? DEFAULTS.rotation;
  const cache = Math.min(10, Math.floor(rotation / 7));
  const rest = rotation - cache - 1;
  const idle = Math.min(30, Math.floor(rest / 2));
  return { cache, time: rest - idle, idle };
}
