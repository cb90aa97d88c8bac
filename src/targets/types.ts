import type { Policy } from '../policy/types.ts';
import type { Rule } from '../rules/types.ts';

/** Something that the policy says and the target does not hold, or holds differently. Each is printed, never silent. */
export interface Gap {
  /** The part of the policy: a rule id, `services.wiki`, `gateway.resolver`. */
  readonly part: string;
  /** What happens instead and what to do about it, in one sentence. */
  readonly text: string;
}

/** What a target renders. */
export interface Emitted {
  /** Path below the output directory → text. */
  readonly files: Readonly<Record<string, string>>;
  readonly gaps: readonly Gap[];
}

/** How well a target enforces one part of the policy by itself. */
export type Coverage =
  | { readonly kind: 'exact' }
  /** It lets more through than the rule says; another layer has to hold the rest. */
  | { readonly kind: 'wider'; readonly text: string }
  | { readonly kind: 'none'; readonly text: string };

/**
 * A back end that enforces the rules.
 *
 * `emit` renders them, `covers` says how well one of them is held, and `read`, where the target has it, turns the
 * rendered files back into rules, so that `read(emit(rules))` can be compared with `rules`.
 */
export interface Target<Options> {
  readonly name: string;
  emit(policy: Policy, rules: readonly Rule[], options: Options): Emitted;
  covers(rule: Rule, policy: Policy): Coverage;
  read?(files: Readonly<Record<string, string>>): readonly Rule[];
}
