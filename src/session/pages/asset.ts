import crypto from 'crypto';
import type { Asset } from './types.ts';

/** A stylesheet, and the name that changes with it. */
export function styleAsset(text: string): Asset {
  return { name: `style-${crypto.createHash('sha256').update(text).digest('hex').slice(0, 16)}.css`, text };
}
