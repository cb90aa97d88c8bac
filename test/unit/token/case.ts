import type { ReasonCode } from '../../../src/base/reasons.ts';
import type { ImportedKeys } from '../../../src/token/keys/import.ts';
import { readKeySet } from '../../../src/token/keys/jwks.ts';
import type { ProviderKey, TokenProvider } from '../../../src/token/types.ts';
import { verifyToken } from '../../../src/token/verify.ts';

/** One token with all data of its check, as JSON, so that any engine can run it. */
export interface TokenCase {
  readonly name: string;
  readonly token: string;
  readonly providers: readonly TokenProvider[];
  /** JWKS document by provider; none: the provider has no keys yet. */
  readonly keys: Readonly<Record<string, string>>;
  readonly now: number;
  readonly skew: number;
  readonly expected: Expected;
}

/** The expected result: `verified`, or a reason, with its detail if that matters. */
export interface Expected {
  readonly outcome: 'verified' | ReasonCode;
  /** The whole detail; `null`: there must be none. */
  readonly detail?: string | null;
  /** Needs Ed25519, which nginx's module may lack. */
  readonly ed25519?: true;
}

export interface Outcome {
  readonly name: string;
  readonly outcome: string;
  readonly detail?: string;
}

/** Runs cases one after the other with the same imported keys, as one nginx worker would. No Node in here. */
export function caseRunner(): (testCase: TokenCase) => Promise<Outcome> {
  const imported: ImportedKeys = new Map();
  const sets = new Map<string, readonly ProviderKey[]>();

  async function keysFrom(document: string): Promise<readonly ProviderKey[]> {
    let keys = sets.get(document);
    if (keys === undefined) {
      const set = await readKeySet(document);
      keys = set.ok ? set.keys : [];
      sets.set(document, keys);
    }
    return keys;
  }

  return async ({ name, token, providers, keys, now, skew }) => {
    const known = new Map<string, readonly ProviderKey[]>();
    for (const [provider, document] of Object.entries(keys)) known.set(provider, await keysFrom(document));
    try {
      const keysOf = (provider: TokenProvider) => known.get(provider.name);
      const result = await verifyToken(token, providers, now, { keysOf, skew, imported }, (it) => it, undefined);
      if (result.ok) return { name, outcome: 'verified' };
      return { name, outcome: result.reason, ...(result.detail !== undefined && { detail: result.detail }) };
    } catch (error) {
      return { name, outcome: `thrown: ${error instanceof Error ? error.message : String(error)}` };
    }
  };
}

const missingEd25519 = 'Ed25519 is missing in this build of nginx; let the provider sign with ES256 or RS256';

/** The difference between the actual and the expected result, or `undefined`. */
export function mismatch({ expected }: TokenCase, got: Outcome, hasEd25519 = true): string | undefined {
  const wanted: Expected =
    expected.ed25519 && !hasEd25519 ? { outcome: 'algorithm_refused', detail: missingEd25519 } : expected;
  const sameDetail = wanted.detail === undefined || wanted.detail === (got.detail ?? null);
  if (got.outcome === wanted.outcome && sameDetail) return undefined;
  const words = (outcome: string, detail?: string | null) => (detail == null ? outcome : `${outcome} (${detail})`);
  return `${got.name}: got ${words(got.outcome, got.detail)}, expected ${words(wanted.outcome, wanted.detail)}`;
}
