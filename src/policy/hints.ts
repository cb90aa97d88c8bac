import * as z from 'zod';

// zod must not build functions from text: njs has no `new Function`.
z.config({ jitless: true });

/** Kinds of things that a policy defines and refers to. */
export type Named = 'provider' | 'role' | 'agent' | 'service' | 'ingress' | 'identity';

/** The texts of an error about a value that does not fit its schema. */
export interface Hint {
  /** What is expected, with its article: `a duration`. */
  readonly what: string;
  /** What to write: `30s, 5m, 1h or 1d`. */
  readonly write: string;
  /** A replacement for this value, if there is an obvious one. */
  readonly fix?: (value: unknown) => string | undefined;
  /** What is wrong with a value of this form, if anything is. */
  readonly mistake?: (value: string) => string | undefined;
  /** The value is the name of one of these. */
  readonly refers?: Named;
  /** The keys are names of these. */
  readonly keysRefer?: Named;
}

/** Hints by schema; shape.ts reads them. */
export const hints = z.registry<Hint>();
