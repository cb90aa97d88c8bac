import { partings } from './partings.ts';

/** What `kubectl apply -k` reads first: the files of a folder that it applies. */
export const kustomization = (resources: readonly string[]) => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources,
});

/** Whether kustomize takes a document for its own: by the file's name alone, too. */
export function isKustomization(file: string, value: unknown): boolean {
  const { apiVersion, kind } = (value ?? {}) as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const isNamed = /^(.*\/)?kustomization(\.ya?ml)?$/i.test(file);
  return isNamed || (kind === 'Kustomization' && /^kustomize\.config\.k8s\.io\//.test(String(apiVersion)));
}

/** How kustomizations differ from what is rendered, a line each: a patch may change every object beside it. */
export const kustomizationLines = (live: readonly unknown[], resources: readonly string[]): readonly string[] =>
  live.flatMap((it) => partings(kustomization(resources), it).map((text) => `kustomization.yaml: ${text}`));
