import type { MeshKind, Policy } from '../policy/types.ts';
import type { MeshRule, Rule } from '../rules/types.ts';

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

/** Files that hold nothing of the mesh, or nothing that can be read: somebody named the wrong ones. */
export class Foreign extends Error {
  override readonly name = 'Foreign';
  /** The one that it is about; absent: all of them. */
  readonly file?: string;

  constructor(message: string, file?: string) {
    super(message);
    if (file !== undefined) this.file = file;
  }
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
 * rendered files back into rules, so that `read(emit(rules))` can be compared with what `project` leaves of `rules`.
 */
export interface Target<Options> {
  readonly name: string;
  emit(policy: Policy, rules: readonly Rule[], options: Options): Emitted;
  covers(rule: Rule, policy: Policy): Coverage;
  /** @throws Foreign, and Error for rules that it did not render */
  read?(files: Readonly<Record<string, string>>): readonly MeshRule[];
  /** The rules as far as the target keeps them. */
  project?(policy: Policy, rules: readonly Rule[]): readonly MeshRule[];
}

/** What meshes are rendered with besides the policy. */
export interface MeshOptions {
  /** The gateway's public keys, a JWKS, for targets that take them into what they render. */
  readonly assertionJwks?: string;
}

/** A mesh as a target. */
export interface MeshTarget extends Target<MeshOptions> {
  readonly name: MeshKind;
  /** It takes {@link MeshOptions.assertionJwks}. */
  readonly takesJwks: boolean;
  /** All ingresses are rendered at once: what is for them lies in one place, under names that they share. */
  readonly together?: true;
  /**
   * Tells of a host of the projected rules whether nothing of ours guards it in the files: then the mesh's own default
   * decides, so that rules which are not there refuse nothing.
   */
  unguarded?(
    policy: Policy,
    rules: readonly Rule[],
    files: Readonly<Record<string, string>>,
  ): (host: string) => boolean;
  /** What the answer takes for granted of the mesh; absent: nothing but what the documentation says. */
  readonly assumes?: string;
  /** How files differ from what the policy renders to in anything but the rules; a line for each difference. */
  drift?(
    policy: Policy,
    rules: readonly Rule[],
    options: MeshOptions,
    files: Readonly<Record<string, string>>,
  ): readonly string[];
}
