import { istioObject, type KubeObject, type Metadata, selector } from './objects.ts';

/** Name of the extension provider in Istio's mesh config; docs/istio.md has its text. */
export const LOG_PROVIDER = 'meshgate';

/** An access log with trace and peer, by the provider that the mesh config defines. */
export function telemetry(meta: Metadata, labels: Readonly<Record<string, string>>): KubeObject {
  return istioObject('Telemetry', meta, {
    ...selector(labels),
    accessLogging: [{ providers: [{ name: LOG_PROVIDER }] }],
  });
}
