/** A path of an Ingress: host, path, service and its port, and the type of the path. */
type Path = readonly [host: string, path: string, service: string, port?: number | string, type?: string];

const PREFIX = 'nginx.ingress.kubernetes.io';

/** Writes an Ingress. Annotations without a slash get the prefix of ingress-nginx. */
export function ingress(
  name: string,
  annotations: Readonly<Record<string, string>>,
  paths: readonly Path[],
  spec: object = {},
): string {
  const named = Object.entries(annotations).map(([key, value]) => [
    key.includes('/') ? key : `${PREFIX}/${key}`,
    value,
  ]);
  return `---\n${JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'apps', annotations: Object.fromEntries(named) },
    spec: {
      ingressClassName: 'nginx',
      ...spec,
      rules: paths.map(([host, path, service, port = 80, pathType = 'Prefix']) => ({
        host,
        http: {
          paths: [
            {
              path,
              pathType,
              backend: {
                service: { name: service, port: typeof port === 'number' ? { number: port } : { name: port } },
              },
            },
          ],
        },
      })),
    },
  })}\n`;
}
