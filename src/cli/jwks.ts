import { parsePublishedKeys } from '../assertion/published.ts';
import type { MeshOptions } from '../targets/types.ts';
import { WrongUse } from './context.ts';
import { readFile, utf8 } from './load.ts';
import type { Runtime } from './runtime.ts';

/** The key set that `--assertion-jwks` gives to a mesh, as /.meshgate/jwks publishes it, without private parts. */
export function meshOptions(runtime: Runtime, file: string | undefined): MeshOptions {
  if (file === undefined) return {};
  const keys = parsePublishedKeys(utf8(readFile(runtime, file, 'the key set')) ?? '');
  if (typeof keys === 'string') throw new WrongUse(`--assertion-jwks ${file}: ${keys}`);
  return { assertionJwks: keys.jwks };
}

/** `--assertion-jwks`, the same for every command that renders. */
export const assertionJwksFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'FILE',
  brief: 'Public keys of the gateway, as /.meshgate/jwks serves them, for a mesh whose files contain them',
} as const;
