import hash from 'crypto';
import type { ReasonCode } from '../../../../src/base/reasons.ts';
import type { ExpectedProof } from '../../../../src/token/proof/types.ts';
import { type ProofContext, verifyDpopProof } from '../../../../src/token/proof/verify.ts';

/** One proof with all data of its check, as JSON, so that any engine can run it. */
export interface ProofCase {
  readonly name: string;
  readonly proof: string;
  readonly expected: ExpectedProof;
  readonly outcome: 'proved' | ReasonCode;
  /** The whole detail, where it matters. */
  readonly detail?: string | undefined;
}

/** Runs cases one after the other with the same keys, as one nginx worker would; returns the mistakes. No Node in
 * here. */
export function proofRunner(): (one: ProofCase) => Promise<string | undefined> {
  const context: ProofContext = {
    known: new Map(),
    imported: new Map(),
    digest: (text) => hash.createHash('sha256').update(text).digest('base64url'),
  };
  return async ({ name, proof, expected, outcome, detail }) => {
    const got = await Promise.resolve(verifyDpopProof(proof, expected, context, (it) => it, undefined)).catch(
      (error: unknown) => ({ ok: false as const, reason: `thrown: ${error}`, detail: undefined }),
    );
    const word = got.ok ? 'proved' : got.reason;
    const reported = got.ok ? undefined : got.detail;
    if (word === outcome && (detail === undefined || detail === reported)) return undefined;
    return `${name}: got ${word} (${reported}), expected ${outcome} (${detail})`;
  };
}
