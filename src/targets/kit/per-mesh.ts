import { hasSeveralIngresses, hasSeveralMeshes, meshesOf } from '../../policy/checked/ingresses.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { atIngress, atMesh, type Ruled } from '../../rules/decide/at-ingress.ts';
import type { Emitted, Gap, MeshOptions, MeshTarget } from '../types.ts';

/** Renders a part of a policy. Gaps about services of other parts are left out. */
function emitPart(entire: Ruled, part: Ruled, emit: (part: Ruled) => Emitted): Emitted {
  if (part.rules.length === 0) return { files: {}, gaps: [] };
  const { gaps, ...emitted } = emit(part);
  const isDirect = (name: string, { policy }: Ruled): boolean => policy.services[name]?.direct !== undefined;
  const others = Object.keys(part.policy.services).filter((name) => isDirect(name, part) && !isDirect(name, entire));
  return { ...emitted, gaps: gaps.filter((gap) => !others.some((name) => gap.part === `services.${name}`)) };
}

/** Renders each part into a folder with its name. Equal gaps are printed once. */
function inFolders(names: readonly string[], emit: (name: string) => Emitted): Emitted {
  const all = names.map((name) => ({ name, ...emit(name) }));
  const gaps = new Map(all.flatMap((it) => it.gaps).map((gap) => [JSON.stringify(gap), gap]));
  return {
    files: Object.fromEntries(
      all.flatMap(({ name, files }) => Object.entries(files).map(([path, text]) => [`${name}/${path}`, text])),
    ),
    gaps: [...gaps.values()],
    notes: all.flatMap(({ notes = [] }) => notes),
  };
}

/** Renders a policy for its only mesh. If the mesh has several ingresses, the files for each ingress are in a folder
 * with its name, unless the target renders all ingresses together.
 * @param only the name of an ingress: then only its files are rendered, without a folder */
export function emitMesh(target: MeshTarget, entire: Ruled, options: MeshOptions, only?: string): Emitted {
  const { policy, rules } = entire;
  const emitAt = (name: string): Emitted =>
    emitPart(entire, atIngress(entire, name), (part) => target.emit(part.policy, part.rules, options));
  if (only !== undefined) return emitAt(only);
  if (!policy.mesh || !hasSeveralIngresses(policy.mesh) || target.together) return target.emit(policy, rules, options);
  return inFolders(Object.keys(policy.mesh.ingresses), emitAt);
}

/** The names of the meshes that a target renders: of several meshes, those of its kind. The only mesh of a policy can
 * be rendered for any target. */
export const meshesFor = ({ name: kind }: Pick<MeshTarget, 'name'>, policy: Policy): readonly string[] =>
  meshesOf(policy).flatMap((mesh, _, all) => (all.length === 1 || mesh.kind === kind ? mesh.name : []));

/** The keys of a policy's only mesh in the texts of gaps. */
const MESH_KEYS = /(?<![\w.])mesh\.(kind|trust_domain|rotation|ingress|ingresses|identities|assertion_ca_file)\b/g;

/** What to render of a policy. */
interface Choice {
  /** One of several meshes: then only its files are rendered, without a folder. */
  readonly mesh?: string | undefined;
  /** One of several ingresses, see {@link emitMesh}. */
  readonly ingress?: string | undefined;
}

/** Renders a policy for a target. If several meshes are of the target's kind, the files for each mesh are in a folder
 * with its name. */
export function emitPolicy(target: MeshTarget, entire: Ruled, options: MeshOptions, { mesh, ingress }: Choice = {}) {
  if (!hasSeveralMeshes(entire.policy)) return emitMesh(target, entire, options, ingress);
  const names = mesh === undefined ? meshesFor(target, entire.policy) : [mesh];
  /** One of several meshes. Its gaps name it. */
  const emit = (name: string): Emitted => {
    const { gaps, ...emitted } = emitPart(entire, atMesh(entire, name), (part) =>
      emitMesh(target, part, options, ingress),
    );
    const named = ({ part, text }: Gap): Gap => ({
      part: part.replace(/^mesh(?![^.])/, `meshes.${name}`),
      text: text.replace(MESH_KEYS, `meshes.${name}.$1`),
    });
    return { ...emitted, gaps: gaps.map(named) };
  };
  const [first] = names;
  return names.length === 1 && first !== undefined ? emit(first) : inFolders(names, emit);
}
