import { until } from '../../harness/index.ts';
import { HUNG_MS } from './hung.ts';
import { rootNamespace } from './istiod.ts';
import type { Kube } from './kube.ts';
import type { KubeObject } from './objects.ts';

/**
 * Makes the API server ask istiod about each object, as an installed Istio does: definitions check shapes, and istiod
 * checks their meaning.
 */
export async function installWebhook(kube: Kube): Promise<void> {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'istio-ca-secret', namespace: rootNamespace } };
  // State: the secret with the certificate that istiod serves its webhook with is there.
  const { data } = await until(() => kube.read(secret), { what: "istiod's certificate", timeoutMs: HUNG_MS });
  const caBundle = (data as Record<string, string>)['ca-cert.pem'];
  const rule = {
    apiGroups: ['security', 'networking', 'telemetry', 'extensions'].map((group) => `${group}.istio.io`),
    apiVersions: ['*'],
    operations: ['CREATE', 'UPDATE'],
    resources: ['*'],
  };
  await kube.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'istiod' },
    webhooks: [
      {
        name: 'validation.istio.io',
        clientConfig: { url: `https://istiod.${rootNamespace}.svc:15017/validate`, caBundle },
        rules: [rule],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  // State: istiod denied an object that only istiod denies, so the API server asks it.
  await until(() => isDenied(kube), { what: "istiod's webhook to be asked", timeoutMs: HUNG_MS });
}

async function isDenied(kube: Kube): Promise<boolean> {
  const verdict = await kube.verdict(nonsense).catch(() => undefined);
  return verdict?.accepted === false && verdict.words.includes('denied the request');
}

/** Its shape is valid: only istiod refuses it. */
const nonsense: KubeObject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name: 'nonsense', namespace: rootNamespace },
  spec: { servers: [{ port: { number: 443, name: 'x', protocol: 'NONSENSE' }, hosts: ['*'] }] },
};
