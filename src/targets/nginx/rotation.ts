import { DEFAULTS } from '../../policy/bounds.ts';
import type { Scene } from './scene.ts';

/** Seconds. */
interface RotationTimes {
  /** Time after which nginx reads a certificate's files again. */
  readonly cache: number;
  /** A connection is closed after the first request that ends later than this. */
  readonly time: number;
  /** A connection that is idle for this long is closed. */
  readonly idle: number;
}

/** How long nginx may keep what it made with a certificate, so that the last request with the old one begins no later
 * than `mesh.rotation` after its files were replaced. The worst case is a connection from the last moment of the cache,
 * which counts whole seconds: it returns to the pool at the end of its time, is idle as long as allowed, and is used
 * once more. */
export function rotationTimes({ policy }: Scene): RotationTimes {
  const rotation = policy.mesh?.rotation ?? DEFAULTS.rotation;
  const cache = Math.min(10, Math.floor(rotation / 7));
  const rest = rotation - cache - 1;
  const idle = Math.min(30, Math.floor(rest / 2));
  return { cache, time: rest - idle, idle };
}
