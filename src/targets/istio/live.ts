import { type KubeFiles, kubeFiles } from '../kube-files.ts';
import { groupOf, type LiveObject, titleOf } from '../kube-object.ts';
import { Foreign } from '../types.ts';
import { LAYER, type Layer, MANAGED_BY } from './objects.ts';

/** Every kind that tells what the mesh lets through. */
const ASK =
  'ask for all of its policies: kubectl get gateways.networking.istio.io,virtualservices.networking.istio.io,authorizationpolicies.security.istio.io,requestauthentications.security.istio.io,peerauthentications.security.istio.io,telemetries.telemetry.istio.io,envoyfilters.networking.istio.io,wasmplugins.extensions.istio.io -A -o yaml';

/**
 * The objects in some files, of Istio's and of all other kinds.
 *
 * @throws Foreign where none is Istio's
 */
export function liveFiles(files: Readonly<Record<string, string>>): KubeFiles {
  const found = kubeFiles(files, ASK);
  if (!found.objects.some((it) => groupOf(it).endsWith('.istio.io'))) {
    const [other] = found.objects;
    throw new Foreign(`no object of Istio${other ? `, but ${titleOf(other)}` : ''}; ${ASK}`);
  }
  return found;
}

/** The layer of an object that meshgate rendered; undefined for anybody else's. */
export function layerOf({ metadata: { labels } }: LiveObject): Layer | undefined {
  const layer = labels?.[LAYER];
  return labels?.[MANAGED_BY] === 'meshgate' && (layer === 'ingress' || layer === 'workload') ? layer : undefined;
}
