import * as z from 'zod';

// zod must not build functions from text: njs has no business with `new Function`.
z.config({ jitless: true });

/** Things that a policy names and refers to. */
export type Named = 'provider' | 'role' | 'agent' | 'service' | 'ingress' | 'identity';

/** What an error says about a value that does not fit its schema. */
export interface Hint {
  /** What is expected, with its article: `a duration`. */
  readonly what: string;
  /** What to write: `30s, 5m, 1h or 1d`. */
  readonly write: string;
  /** A concrete replacement for this value, if one can be told. */
  readonly fix?: (value: unknown) => string | undefined;
  /** The value is the name of one of these. */
  readonly refers?: Named;
  /** The keys are the names of these. */
  readonly keysRefer?: Named;
}

/** Hints by schema; shape.ts reads them. */
export const hints = z.registry<Hint>();
