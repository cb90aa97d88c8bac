import { hasSeveral } from '../../policy/ingress.ts';
import { atIngress, type Ruled } from '../../rules/at-ingress.ts';
import type { Emitted, Gap, MeshOptions, MeshTarget } from '../types.ts';

/** The files for one ingress. Gaps about services of other ingresses are left out. */
function emitAt(target: MeshTarget, whole: Ruled, name: string, options: MeshOptions): Emitted {
  const { policy, rules } = atIngress(whole, name);
  if (rules.length === 0) return { files: {}, gaps: [] };
  const { files, gaps } = target.emit(policy, rules, options);
  const isOther = ({ part }: Gap): boolean =>
    Object.values(whole.policy.services).some((it) => it.direct === undefined && part === `services.${it.name}`) &&
    policy.services[part.slice('services.'.length)]?.direct !== undefined;
  return { files, gaps: gaps.filter((gap) => !isOther(gap)) };
}

/** Renders a policy for its mesh. If the policy has several ingresses, the files for each ingress are in a folder with
 * its name, unless the target renders all ingresses together.
 * @param only the name of an ingress: then only its files are rendered, without a folder */
export function emitMesh(target: MeshTarget, whole: Ruled, options: MeshOptions, only?: string): Emitted {
  const { policy, rules } = whole;
  if (only !== undefined) return emitAt(target, whole, only, options);
  if (!hasSeveral(policy) || target.together) return target.emit(policy, rules, options);
  const all = Object.keys(policy.mesh?.ingresses ?? {}).map((name) => ({
    name,
    ...emitAt(target, whole, name, options),
  }));
  const gaps = new Map(all.flatMap((it) => it.gaps).map((gap) => [JSON.stringify(gap), gap]));
  return {
    files: Object.fromEntries(
      all.flatMap(({ name, files }) => Object.entries(files).map(([path, text]) => [`${name}/${path}`, text])),
    ),
    gaps: [...gaps.values()],
  };
}
