import { readCompiled } from '../../audit/replay/compiled.ts';
import { Decider } from '../../audit/replay/decider.ts';
import type { Ruled } from '../../rules/decide/at-ingress.ts';
import { digestOf, policyDigest } from '../../rules/digest.ts';
import { WrongUse } from '../common/context.ts';
import { loadValid, readText } from '../common/load.ts';
import type { Source } from '../common/source.ts';
import type { Runtime } from '../machine/runtime.ts';

const NOT_COMPILED =
  'not a compiled policy; "meshgate render" writes it, as audit/policy-DIGEST.json, if the policy has gateway.audit';

/** A policy with its digest. */
export interface Digested extends Ruled {
  readonly digest: string;
}

/** Loads a policy from its file, or from a file with its compiled text. */
export function loadAny(runtime: Runtime, source: Source): Digested {
  if (!source.file.endsWith('.json')) {
    const loaded = loadValid(runtime, source);
    return { ...loaded, digest: policyDigest(loaded.policy, loaded.rules) };
  }
  const text = readText(runtime, source.file, 'the compiled policy');
  const ruled = readCompiled(text);
  if (ruled === undefined) throw new WrongUse(`${source.file}: ${NOT_COMPILED}`);
  return { ...ruled, digest: digestOf(text) };
}

/** The policies by which lines are decided, by their digests. */
export class CompiledPolicies {
  readonly #all = new Map<string, Decider>();

  add(digest: string, ruled: Ruled): void {
    this.#all.set(digest, new Decider(ruled));
  }

  /** Adds a policy from its compiled text. Returns false if the text is not that of a policy.
   * @param digest the digest that the text must have; default: the one that it has */
  addText(text: string, digest = digestOf(text)): boolean {
    const ruled = readCompiled(text);
    if (ruled === undefined || digest !== digestOf(text)) return false;
    this.add(digest, ruled);
    return true;
  }

  get digests(): ReadonlySet<string> {
    return new Set(this.#all.keys());
  }

  /** Returns the policy with the digest in a line. */
  of(digest: string): Decider | undefined {
    return this.#all.get(digest);
  }
}
