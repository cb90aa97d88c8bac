/** A real Kubernetes API and a real istiod with real Envoys, without a cluster: see ../README.md. */
export * from './crds.ts';
export * from './dump.ts';
export * from './fence.ts';
export * from './hung.ts';
export * from './image.ts';
export * from './ingress.ts';
export * from './istiod.ts';
export * from './kube.ts';
export * from './lab.ts';
export * from './mesh-envoy.ts';
export * from './objects.ts';
export { plainService } from './pod.ts';
export * from './policy.ts';
export * from './wait-until-enforced.ts';
export * from './workload.ts';
