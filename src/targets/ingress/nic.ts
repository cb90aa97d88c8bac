import { objectName } from '../kit/owner.ts';
import { UNGUARDED } from '../nginx/server/controller.ts';
import { VARIABLES_HASH_SIZE } from '../nginx/server/http-level.ts';
import { addedPaths, besideIngress, droppedSnippets, snippetOwners } from './gaps.ts';
import { CLOSED_SNIPPET, closedService, hostLabel, httpSnippet, serverSnippet, tlsSecret } from './objects.ts';
import type { FormInput, FormOutput, IngressForm } from './types.ts';

/** The size of the buckets of maps that NIC sets. */
const MAP_BUCKET = 256;

/** NIC's JavaScript for API keys, which does not run in QuickJS. The gateway mounts its own file over it. */
const APIKEY = '/etc/nginx/njs/apikey_auth.js';

/** The values of NIC's Helm chart. `server-snippets` reach the servers of all hosts without such an annotation, also
 * VirtualServers whose snippets NIC drops. They concern only hosts of the policy. */
function values(input: FormInput, snippets: boolean, http: readonly string[]): object {
  const { mapBucket, grpc, volume, mounts } = input;
  return {
    controller: {
      ...(snippets && { enableSnippets: true }),
      config: {
        entries: {
          'main-snippets': 'pcre_jit on;\n',
          'http-snippets': `${http.join('\n')}\n`,
          'server-snippets': `if ($${UNGUARDED}) { return 503; }\n`,
          'variables-hash-max-size': String(VARIABLES_HASH_SIZE),
          ...(mapBucket > MAP_BUCKET && { 'map-hash-bucket-size': String(mapBucket) }),
          ...(grpc && { http2: 'true' }),
        },
      },
      volumes: [volume],
      volumeMounts: [
        ...mounts,
        { name: (mounts[0] as { name: string }).name, mountPath: APIKEY, subPath: 'apikey_auth.js', readOnly: true },
      ],
    },
  };
}

const closedName = ({ owner }: FormInput): string => objectName(owner, 'closed');

const notesOf = ({ grpc }: FormInput): readonly string[] =>
  grpc ? ['values.yaml sets http2, which gRPC needs, for all hosts of the controller'] : [];

/** The certificate of a host, with which NIC also redirects plain HTTP. Without HTTPS of the gateway, another proxy has it,
 * and a redirect would never end. */
const withTls = <T>({ policy }: FormInput, tls: T) => (policy.gateway.insecureHttp ? {} : { tls });

/** A rendered Ingress.
 * @param type the type of a mergeable Ingress; absent: one Ingress for the host */
function ingress(input: FormInput, host: string, type?: 'master' | 'minion'): object {
  const { labels, owner } = input;
  const path = {
    path: '/',
    pathType: 'Prefix',
    backend: { service: { name: closedName(input), port: { number: 80 } } },
  };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: objectName(owner, `${hostLabel(host)}${type === 'minion' ? '---root' : ''}`),
      labels,
      annotations: {
        ...(type && { 'nginx.org/mergeable-ingress-type': type }),
        ...(type !== 'minion' && { 'nginx.org/server-snippets': `${serverSnippet(input, host)}\n` }),
        'nginx.org/location-snippets': `${CLOSED_SNIPPET}\n`,
      },
    },
    spec: {
      ingressClassName: 'nginx',
      ...(type !== 'minion' && withTls(input, [{ hosts: [host], secretName: tlsSecret(host) }])),
      rules: [{ host, ...(type !== 'master' && { http: { paths: [path] } }) }],
    },
  };
}

function virtualServer(input: FormInput, host: string): object {
  const { labels, owner } = input;
  return {
    apiVersion: 'k8s.nginx.org/v1',
    kind: 'VirtualServer',
    metadata: { name: objectName(owner, hostLabel(host)), labels },
    spec: {
      ingressClassName: 'nginx',
      host,
      ...withTls(input, { secret: tlsSecret(host), redirect: { enable: true } }),
      'server-snippets': `${serverSnippet(input, host)}\n`,
      upstreams: [{ name: 'closed', service: closedName(input), port: 80 }],
      routes: [{ path: '/', 'location-snippets': `${CLOSED_SNIPPET}\n`, action: { pass: 'closed' } }],
    },
  };
}

/** A form whose objects name a host each, and include the gateway by snippets. */
const withObjects = (
  object: (input: FormInput, host: string) => readonly object[],
  gaps: (host: string) => FormOutput['gaps'],
): IngressForm => ({
  ownServers: false,
  write: (input) => ({
    documents: {
      'values.yaml': [values(input, true, [httpSnippet(input)])],
      'hosts.yaml': [closedService(input, closedName(input)), ...input.hosts.flatMap((host) => object(input, host))],
    },
    gaps: input.hosts.flatMap(gaps),
    notes: notesOf(input),
  }),
});

/** The forms of NGINX Ingress Controller. */
export const nicForms = {
  /** The gateway's own servers in `http-snippets`. There is no object for a host. */
  configmap: {
    ownServers: true,
    write: (input) => ({
      documents: {
        'values.yaml': [values(input, false, [httpSnippet(input), `include ${input.options.dir}/servers.conf;`])],
      },
      gaps: input.hosts.map(besideIngress),
      notes: notesOf(input),
    }),
  },
  ingress: withObjects(
    (input, host) => [ingress(input, host)],
    (host) => [snippetOwners(host, 'people who may change the Ingress')],
  ),
  mergeable: withObjects(
    (input, host) => [ingress(input, host, 'master'), ingress(input, host, 'minion')],
    (host) => [
      snippetOwners(host, 'owners of minions of any namespace, if they may write snippets,'),
      addedPaths(host),
    ],
  ),
  virtualserver: withObjects(
    (input, host) => [virtualServer(input, host)],
    (host) => [droppedSnippets(host), snippetOwners(host, 'people who may change the VirtualServer')],
  ),
} as const satisfies Readonly<Record<string, IngressForm>>;
