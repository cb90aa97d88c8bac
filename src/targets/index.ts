import type { MeshKind } from '../policy/types.ts';
import { consul } from './consul/render.ts';
import { envoy } from './envoy/render.ts';
import { istio } from './istio/render.ts';
import { linkerd } from './linkerd/render.ts';
import { unawareOfTools } from './tool-gaps.ts';
import type { MeshTarget } from './types.ts';

/** Every mesh that policies can be rendered for, whatever their own `mesh.kind` is. */
export const meshTargets: Readonly<Partial<Record<MeshKind, MeshTarget>>> = {
  envoy,
  istio,
  linkerd: unawareOfTools(linkerd, 'Linkerd'),
  consul,
};

/** Their names, in the order of help texts. */
export const meshTargetNames = Object.keys(meshTargets) as MeshKind[];

/** The target of a name. */
export function meshTarget(name: MeshKind): MeshTarget {
  const found = meshTargets[name];
  if (found === undefined) throw new Error(`no target ${name}`);
  return found;
}
