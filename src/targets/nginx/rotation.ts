import { DEFAULTS } from '../../policy/bounds.ts';
import type { Scene } from './scene.ts';

/** Times in seconds. */
interface RotationTimes {
  /** The time after which nginx reads the files of a certificate again. */
  readonly cache: number;
  /** nginx closes a connection after the first request that ends later than this. */
  readonly time: number;
  /** nginx closes a connection that is idle for this long. */
  readonly idle: number;
}

/** How long nginx may keep a certificate and its connections. After the files were replaced, the last request with the
 * old certificate must begin within `mesh.rotation`. In the worst case, nginx opens a connection at the last moment of
 * the cache, which counts whole seconds. The connection returns to the pool at the end of its time, is idle for as
 * long as it may be, and is used once more. */
export function rotationTimes({ policy }: Scene): RotationTimes {
  const rotation = policy.mesh?.rotation ?? DEFAULTS.rotation;
  const cache = Math.min(10, Math.floor(rotation / 7));
  const rest = rotation - cache - 1;
  const idle = Math.min(30, Math.floor(rest / 2));
  return { cache, time: rest - idle, idle };
}
