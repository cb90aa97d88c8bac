import type { MeshKind, Policy, Service } from '../policy/checked/types.ts';
import type { MeshRule, Rule } from '../rules/types.ts';
import type { Guard } from './kit/guards.ts';

/** A part of the policy that the target does not enforce, or that it enforces in another way. Each gap is printed. */
export interface Gap {
  /** The part of the policy: the id of a rule, or a path such as `services.wiki` or `gateway.resolver`. */
  readonly part: string;
  /** One sentence that says what happens instead and what to do about it. */
  readonly text: string;
}

/** The text of each file in a folder, by its path. */
export type Files = Readonly<Record<string, string>>;

/** What a target renders. */
export interface Emitted {
  readonly files: Files;
  readonly gaps: readonly Gap[];
  /** What people should know about the files, although it is no gap. */
  readonly notes?: readonly string[];
}

/** The error for files that cannot be read, or that contain nothing of the mesh: probably the wrong files. */
export class Foreign extends Error {
  override readonly name = 'Foreign';
  /** The file that the error is about; absent: the error is about all files. */
  readonly file?: string;

  constructor(message: string, file?: string) {
    super(message);
    if (file !== undefined) this.file = file;
  }
}

/** How well a target enforces one part of the policy by itself. */
export type Coverage =
  | { readonly kind: 'exact' }
  /** The target allows more than the rule. Another layer must enforce the rest. */
  | { readonly kind: 'wider'; readonly text: string }
  | { readonly kind: 'none'; readonly text: string };

/** The options for rendering a mesh. They are not a part of the policy. */
export interface MeshOptions {
  /** The gateway's public keys as a JWKS. Some targets need them in their files. */
  readonly assertionJwks?: string;
  /** Whether to render copies that decide while the objects are replaced, instead of the objects. */
  readonly forUpdate?: boolean;
}

/** A target that enforces the rules. */
interface Target<Options> {
  readonly name: string;
  emit(policy: Policy, rules: readonly Rule[], options: Options): Emitted;
  /** How well the target enforces a rule. */
  covers(rule: Rule, policy: Policy): Coverage;
}

/** A mesh that enforces the rules: a target of `render` and of `prove`. */
export interface MeshTarget extends Target<MeshOptions> {
  readonly name: MeshKind;
  /** Whether the target uses {@link MeshOptions.assertionJwks}. */
  readonly takesJwks: boolean;
  /** Whether the target uses {@link MeshOptions.forUpdate}. */
  readonly takesForUpdate?: true;
  /** Set if all ingresses are rendered together, because their objects are in one place and share names. */
  readonly together?: true;
  /** What `prove` assumes about the mesh, for its output; absent: nothing besides the documentation. */
  readonly assumes?: string;
  emit(policy: Policy, rules: readonly Rule[], options?: MeshOptions): Emitted;
  /** Reads rendered or live files back as rules. `prove` compares them with the result of `project` for the policy's
   * rules. Objects of other owners (kit/owner.ts) are left out.
   * @param owner the owner of the policy's objects; absent: that of a policy without a name
   * @throws Foreign; Error for rules that meshgate did not render */
  read(files: Files, owner?: string): readonly MeshRule[];
  /** The rules, reduced to what the mesh can express. */
  project(policy: Policy, rules: readonly Rule[]): readonly MeshRule[];
  /** How files differ from the rendered ones, apart from the rules. There is one line for each difference. */
  drift(policy: Policy, rules: readonly Rule[], options: MeshOptions, files: Files): readonly string[];
  /** The places at which the mesh denies requests to a service, where nginx can tell that it does. */
  guards(policy: Policy, rules: readonly Rule[], service: Service): readonly Guard[];
  /** Returns a function that says whether no rendered object is in force for a host of the projected rules. Then the
   * mesh's own default decides, and missing rules deny nothing. */
  unguarded?(policy: Policy, rules: readonly Rule[], files: Files): (host: string) => boolean;
}
