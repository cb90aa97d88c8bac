import type { MeshKind, Policy } from '../policy/types.ts';
import type { MeshRule, Rule } from '../rules/types.ts';

/** A part of the policy that the target does not enforce, or enforces differently. Each gap is printed. */
export interface Gap {
  /** The part of the policy: a rule id, `services.wiki`, `gateway.resolver`. */
  readonly part: string;
  /** What happens instead, and what to do about it, in one sentence. */
  readonly text: string;
}

/** Path of each file in a folder → its text. */
export type Files = Readonly<Record<string, string>>;

/** What a target renders. */
export interface Emitted {
  readonly files: Files;
  readonly gaps: readonly Gap[];
}

/** The error for files that contain nothing of the mesh, or nothing readable: probably the wrong files were named. */
export class Foreign extends Error {
  override readonly name = 'Foreign';
  /** The file that it is about; absent: all of them. */
  readonly file?: string;

  constructor(message: string, file?: string) {
    super(message);
    if (file !== undefined) this.file = file;
  }
}

/** How well a target enforces one part of the policy by itself. */
export type Coverage =
  | { readonly kind: 'exact' }
  /** It allows more than the rule; another layer has to enforce the rest. */
  | { readonly kind: 'wider'; readonly text: string }
  | { readonly kind: 'none'; readonly text: string };

/** Options for rendering a mesh, besides the policy. */
export interface MeshOptions {
  /** The gateway's public keys, a JWKS, for targets whose files contain them. */
  readonly assertionJwks?: string;
}

/** A target that enforces the rules. */
export interface Target<Options> {
  readonly name: string;
  emit(policy: Policy, rules: readonly Rule[], options: Options): Emitted;
  /** How well one rule is enforced. */
  covers(rule: Rule, policy: Policy): Coverage;
}

/** A mesh that enforces the rules: a target of `render` and of `prove`. */
export interface MeshTarget extends Target<MeshOptions> {
  readonly name: MeshKind;
  /** Whether it uses {@link MeshOptions.assertionJwks}. */
  readonly takesJwks: boolean;
  /** Whether all ingresses are rendered together, because their objects are in one place and share names. */
  readonly together?: true;
  /** What a result of `prove` assumes about the mesh; absent: nothing besides the documentation. */
  readonly assumes?: string;
  emit(policy: Policy, rules: readonly Rule[], options?: MeshOptions): Emitted;
  /** Reads rendered or live files back as rules. `prove` compares them with the policy's rules as `project` returns
   * them.
   *
   * @throws Foreign, and Error for rules that meshgate did not render
   */
  read(files: Files): readonly MeshRule[];
  /** The rules as far as the mesh keeps them. */
  project(policy: Policy, rules: readonly Rule[]): readonly MeshRule[];
  /** How files differ from the rendered ones in anything but the rules, one line for each difference. */
  drift(policy: Policy, rules: readonly Rule[], options: MeshOptions, files: Files): readonly string[];
  /** Says whether no rendered object is in force for a host of the projected rules. Then the mesh's own default
   * decides, and missing rules deny nothing. */
  unguarded?(policy: Policy, rules: readonly Rule[], files: Files): (host: string) => boolean;
}
