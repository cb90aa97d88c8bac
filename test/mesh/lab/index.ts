/** A real Kubernetes API and a real istiod with real Envoys, without a cluster: see ../README.md. */
export * from './crds.ts';
export * from './image.ts';
export * from './kube.ts';
export * from './objects.ts';
