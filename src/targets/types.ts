import type { MeshKind, Policy } from '../policy/types.ts';
import type { MeshRule, Rule } from '../rules/types.ts';

/** Something that the policy says and the target does not hold, or holds differently. Each is printed, never silent. */
export interface Gap {
  /** The part of the policy: a rule id, `services.wiki`, `gateway.resolver`. */
  readonly part: string;
  /** What happens instead and what to do about it, in one sentence. */
  readonly text: string;
}

/** Path of each file, below a folder → its text. */
export type Files = Readonly<Record<string, string>>;

/** What a target renders. */
export interface Emitted {
  readonly files: Files;
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

/** What meshes are rendered with besides the policy. */
export interface MeshOptions {
  /** The gateway's public keys, a JWKS, for targets that take them into what they render. */
  readonly assertionJwks?: string;
}

/** What enforces the rules. */
export interface Target<Options> {
  readonly name: string;
  /** Renders the rules. */
  emit(policy: Policy, rules: readonly Rule[], options: Options): Emitted;
  /** How well one rule is held. */
  covers(rule: Rule, policy: Policy): Coverage;
}

/** A mesh that enforces the rules: a target of `render` and of `prove`. */
export interface MeshTarget extends Target<MeshOptions> {
  readonly name: MeshKind;
  /** It takes {@link MeshOptions.assertionJwks}. */
  readonly takesJwks: boolean;
  /** All ingresses are rendered at once: what is for them lies in one place, under names that they share. */
  readonly together?: true;
  /** What an answer of `prove` takes for granted of the mesh; absent: nothing but what the documentation says. */
  readonly assumes?: string;
  emit(policy: Policy, rules: readonly Rule[], options?: MeshOptions): Emitted;
  /**
   * Turns rendered or live files back into rules, which `prove` compares with what `project` leaves of the policy's.
   *
   * @throws Foreign, and Error for rules that it did not render
   */
  read(files: Files): readonly MeshRule[];
  /** The rules as far as the mesh keeps them. */
  project(policy: Policy, rules: readonly Rule[]): readonly MeshRule[];
  /** How files differ from what the policy renders to in anything but the rules; a line for each difference. */
  drift(policy: Policy, rules: readonly Rule[], options: MeshOptions, files: Files): readonly string[];
  /**
   * Tells of a host of the projected rules whether nothing of ours guards it in the files: then the mesh's own default
   * decides, so that rules which are not there refuse nothing.
   */
  unguarded?(policy: Policy, rules: readonly Rule[], files: Files): (host: string) => boolean;
}
