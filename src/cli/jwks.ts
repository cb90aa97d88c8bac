import { parsePublishedKeys } from '../assertion/published.ts';
import type { MeshOptions } from '../targets/types.ts';
import { flag, WrongUse } from './context.ts';
import { readText } from './load.ts';
import type { Runtime } from './runtime.ts';

/** Reads the key set for `--assertion-jwks`, and returns only public keys, as /.meshgate/jwks publishes them. */
export function meshOptions(runtime: Runtime, file: string | undefined): MeshOptions {
  if (file === undefined) return {};
  const keys = parsePublishedKeys(readText(runtime, file, 'the key set'));
  if (typeof keys === 'string') throw new WrongUse(`--assertion-jwks ${file}: ${keys}`);
  return { assertionJwks: keys.jwks };
}

/** The flag `--assertion-jwks`, which is the same for every command that renders. */
export const assertionJwksFlag = flag(
  'FILE',
  'Public keys of the gateway, as /.meshgate/jwks serves them, for a mesh whose files contain them',
);
