import * as z from 'zod';

// zod must not build functions from text, because njs has no `new Function`.
z.config({ jitless: true });

/** Kinds of things that a policy defines and refers to. */
export type Named = 'provider' | 'role' | 'agent' | 'service' | 'mesh' | 'ingress' | 'identity';

/** The texts of an error about a value that does not fit its schema. */
export interface Hint {
  /** What the schema expects, with its article: `a duration`. */
  readonly what: string;
  /** What to write: `30s, 5m, 1h or 1d`. */
  readonly write: string;
  /** Returns a replacement for a wrong value, if there is an obvious one. */
  readonly fix?: (value: unknown) => string | undefined;
  /** Returns what is wrong with a value of this form; undefined if it is right. */
  readonly mistake?: (value: string) => string | undefined;
  /** Returns the part of a wrong value that may be a credential. Errors do not repeat it. */
  readonly secret?: (value: string) => string | undefined;
  /** The value is the name of a thing of this kind. */
  readonly refers?: Named;
  /** The keys of the mapping are names of things of this kind. */
  readonly keysRefer?: Named;
  /** No two elements of the list may be equal without case; errors call an element so. */
  readonly distinct?: string;
  /** An overlay replaces the mapping as a whole, because it is one statement, or because the order of its keys matters. */
  readonly entire?: true;
}

export const hints = z.registry<Hint>();
