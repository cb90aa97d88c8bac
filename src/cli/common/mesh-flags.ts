import { parsePublishedKeys } from '../../assertion/published.ts';
import { hasSeveralIngresses, hasSeveralMeshes, meshesOf } from '../../policy/checked/ingresses.ts';
import { atIngress, atMesh } from '../../rules/decide/at-ingress.ts';
import { meshesFor } from '../../targets/kit/per-mesh.ts';
import type { MeshOptions, MeshTarget } from '../../targets/types.ts';
import type { Runtime } from '../machine/runtime.ts';
import { flag, WrongUse } from './context.ts';
import { type Loaded, readText } from './load.ts';

/** Reads the key set for `--assertion-jwks`, and returns only public keys, as /.meshgate/jwks publishes them. */
export function meshOptions(runtime: Runtime, file: string | undefined): MeshOptions {
  if (file === undefined) return {};
  const keys = parsePublishedKeys(readText(runtime, file, 'the key set'));
  if (typeof keys === 'string') throw new WrongUse(`--assertion-jwks ${file}: ${keys}`);
  return { assertionJwks: keys.jwks };
}

/** The flag `--assertion-jwks`, which is the same for every command that renders. */
export const assertionJwksFlag = flag(
  'FILE',
  'Public keys of the gateway, as /.meshgate/jwks serves them, for a mesh whose files contain them',
);

/** The flag `--ingress`, for commands that concern one ingress of several. */
export const ingressFlag = flag('NAME', 'The ingress, if the mesh has several');

/** The flag `--mesh-name`, for commands that concern one mesh of several. `test` has another flag `--mesh`. */
export const meshNameFlag = flag('NAME', 'The mesh, if the policy has several');

/** Returns the name of the mesh that a command concerns: the given one, or the only mesh of the target's kind. The
 * result is undefined if the policy has several such meshes. */
export function meshName(
  { policy }: Loaded,
  given: string | undefined,
  target?: Pick<MeshTarget, 'name'>,
): string | undefined {
  const names = meshesOf(policy).map(({ name }) => name);
  if (!hasSeveralMeshes(policy)) {
    if (given !== undefined) throw new WrongUse('--mesh-name has no effect for a policy without several meshes');
    return names[0];
  }
  if (given !== undefined) {
    if (!names.includes(given)) throw new WrongUse(`the policy has no mesh ${given}; it has ${names.join(', ')}`);
    return given;
  }
  const [first, other] = target === undefined ? names : meshesFor(target, policy);
  if (first === undefined)
    throw new WrongUse(
      `no mesh of the policy is of the kind ${target?.name}: add --mesh-name with one of ${names.join(', ')}`,
    );
  return other === undefined ? first : undefined;
}

/** Returns the policy as its only mesh, or the named one, sees it. */
export function ofMesh(loaded: Loaded, given: string | undefined, target?: Pick<MeshTarget, 'name'>): Loaded {
  const name = meshName(loaded, given, target);
  if (name !== undefined) return atMesh(loaded, name);
  if (!hasSeveralMeshes(loaded.policy)) return loaded;
  const names =
    target === undefined ? meshesOf(loaded.policy).map(({ name }) => name) : meshesFor(target, loaded.policy);
  throw new WrongUse(`the policy has several meshes: add --mesh-name with one of ${names.join(', ')}`);
}

const ingressesOf = ({ policy }: Loaded): readonly string[] => Object.keys(policy.mesh?.ingresses ?? {});

const hasSeveral = ({ policy: { mesh } }: Loaded): boolean => mesh !== undefined && hasSeveralIngresses(mesh);

/** Returns the given name if the policy's mesh has several ingresses and one of them has this name.
 * @param loaded a policy with one mesh, as {@link ofMesh} returns it */
export function ingressName(loaded: Loaded, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const names = ingressesOf(loaded);
  if (!hasSeveral(loaded)) throw new WrongUse('--ingress has no effect for a policy without mesh.ingresses');
  if (!names.includes(given)) throw new WrongUse(`the policy has no ingress ${given}; it has ${names.join(', ')}`);
  return given;
}

/** Rejects `--ingress` if the target renders all ingresses together. */
export function checkTogether({ name, together }: MeshTarget, given: string | undefined): void {
  if (together && given !== undefined)
    throw new WrongUse(`--ingress has no effect for ${name}, which renders all ingresses`);
}

/** Returns the policy as the named ingress sees it. A policy with one ingress is returned unchanged.
 * @param loaded a policy with one mesh, as {@link ofMesh} returns it */
export function seenFrom(loaded: Loaded, given: string | undefined): Loaded {
  const name = ingressName(loaded, given);
  if (name !== undefined) return atIngress(loaded, name);
  if (!hasSeveral(loaded)) return loaded;
  throw new WrongUse(`the policy has several ingresses: add --ingress with one of ${ingressesOf(loaded).join(', ')}`);
}
