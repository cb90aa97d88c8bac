import hash from 'crypto';
import type { SealerLeaf } from '../log/leaf.ts';

/** A compiled policy that was sealed. */
interface SealedPolicy {
  readonly digest: string;
  readonly text: string;
}

/** Maximum number of leaves of one policy: each has up to 19,000 characters. */
const MAX_PARTS = 4096;

/** The digest in a line has 32 digits. */
const DIGEST = /^[0-9a-f]{16,64}$/;

type PolicyPart = Extract<SealerLeaf, { kind: 'policy' }>;

/** Joins the leaves of policies, in the order of the log. The leaves of one policy follow each other, and its digest is
 * that of its text. */
export class SealedPolicies {
  #open: { readonly digest: string; readonly parts: number; readonly texts: string[] } | undefined;

  /** Adds the next entry of the log.
   * @param leaf undefined if the entry is a line
   * @returns a policy if the entry completes it, or what is wrong */
  add(leaf: SealerLeaf | undefined): { readonly policy?: SealedPolicy; readonly problem?: string } {
    const problem = leaf?.kind === 'policy' ? undefined : this.end();
    return leaf?.kind === 'policy' ? this.#part(leaf) : problem === undefined ? {} : { problem };
  }

  /** Ends the log. Returns what is wrong if a policy is not complete. */
  end(): string | undefined {
    const open = this.#open;
    this.#open = undefined;
    return open && `the policy ${open.digest} has ${open.texts.length} of ${open.parts} parts`;
  }

  #part({ digest, part, parts, text }: PolicyPart): { readonly policy?: SealedPolicy; readonly problem?: string } {
    const before = this.#open;
    const isNext = before !== undefined && before.digest === digest && before.parts === parts;
    const isInOrder = part === (before === undefined ? 1 : before.texts.length + 1) && part <= parts;
    if (!DIGEST.test(digest) || parts > MAX_PARTS || !isInOrder || (before !== undefined && !isNext)) {
      this.#open = undefined;
      return { problem: `the leaf of the policy ${digest.slice(0, 64)} is not the next part of a policy` };
    }
    const texts = before?.texts ?? [];
    texts.push(text);
    this.#open = { digest, parts, texts };
    if (part < parts) return {};
    this.#open = undefined;
    const entire = texts.join('');
    const sha256 = hash.createHash('sha256').update(entire).digest('hex');
    return sha256.startsWith(digest)
      ? { policy: { digest, text: entire } }
      : { problem: `the policy ${digest} in the log does not have this digest` };
  }
}
