import { MAX_KEYS_PER_PROVIDER } from '../../base/limits.ts';
import type { ProviderKey } from '../types.ts';
import type { AlgorithmEntry } from './algorithms.ts';

/** A key that was imported with this engine's `crypto.subtle`. */
export type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Imported keys by algorithm and thumbprint. The owner of the map decides how long it is kept. */
export type ImportedKeys = Map<string, ImportedKey>;

type ImportAlgorithm = Parameters<typeof crypto.subtle.importKey>[2];

/** Imports a public key for one algorithm. Do not read the properties of the result: for EC keys, njs 1.0.2 reports
 * wrong names there.
 * @throws if the key is broken, or the engine lacks the algorithm */
export function importKey(key: ProviderKey, entry: AlgorithmEntry): Promise<ImportedKey> {
  const algorithm = entry.import as unknown as ImportAlgorithm;
  return key.raw === undefined
    ? crypto.subtle.importKey('jwk', key.jwk as never, algorithm, false, ['verify'])
    : crypto.subtle.importKey('raw', key.raw as never, algorithm, false, ['verify']);
}

/** Returns the name of an imported key in {@link ImportedKeys}. */
export const importName = (key: ProviderKey, entry: AlgorithmEntry): string => entry.alg + key.thumbprint;

export async function importOnce(
  key: ProviderKey,
  entry: AlgorithmEntry,
  imported: ImportedKeys,
): Promise<ImportedKey> {
  const made = await importKey(key, entry);
  // Keys that the provider has removed stay in the map. Clearing the whole map costs less than tracking them.
  if (imported.size >= 2 * MAX_KEYS_PER_PROVIDER) imported.clear();
  imported.set(importName(key, entry), made);
  return made;
}

let ed25519: Promise<boolean> | undefined;

/** A key that every engine with Ed25519 can import (RFC 8032 section 7.1, test 1). */
const ed25519Probe = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };

/** Whether this engine supports Ed25519. nginx's module of njs 1.0.2 does not. */
export function hasEd25519(): Promise<boolean> {
  ed25519 ??= (async () => {
    try {
      const name = { name: 'Ed25519' } as unknown as ImportAlgorithm;
      await crypto.subtle.importKey('jwk', ed25519Probe as never, name, false, ['verify']);
      return true;
    } catch {
      return false;
    }
  })();
  return ed25519;
}
