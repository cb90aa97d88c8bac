import type { MeshKind } from '../policy/checked/types.ts';
import { consul } from './consul/index.ts';
import { envoy } from './envoy/index.ts';
import { istio } from './istio/index.ts';
import { linkerd } from './linkerd/index.ts';
import type { MeshTarget } from './types.ts';

/** Every mesh for which a policy can be rendered, whatever its own `mesh.kind` is. */
const meshes: Readonly<Record<MeshKind, MeshTarget>> = { envoy, istio, linkerd, consul };

/** The names of the meshes, in the order of help texts. */
export const meshTargetNames = Object.keys(meshes) as MeshKind[];

export const meshTarget = (name: MeshKind): MeshTarget => meshes[name];
