import { objectName } from '../kit/owner.ts';
import type { Gap } from '../types.ts';
import { snippetOwners } from './gaps.ts';
import { CLOSED_SNIPPET, closedService, hostLabel, httpSnippet, serverSnippet } from './objects.ts';
import type { FormInput, IngressForm } from './types.ts';

/** The size of the buckets of maps that NGF sets. It cannot be changed. */
const MAP_BUCKET = 512;

const closedName = ({ owner }: FormInput): string => objectName(owner, 'closed');

/** The NginxProxy of NGF's installation. */
const PROXY = { name: 'nginx-gateway-proxy-config', namespace: 'nginx-gateway' };

/** The part of the NginxProxy that mounts the files into the pods of nginx. */
const nginxProxy = ({ volume, mounts }: FormInput): object => ({
  apiVersion: 'gateway.nginx.org/v1alpha2',
  kind: 'NginxProxy',
  metadata: PROXY,
  spec: { kubernetes: { deployment: { pod: { volumes: [volume] }, container: { volumeMounts: mounts } } } },
});

const filterName = ({ owner }: FormInput, host: string): string => objectName(owner, hostLabel(host));

/** The filter of a host. The http level has one for all hosts, so only the filter of the first host has its snippet. */
const filter = (input: FormInput, host: string): object => ({
  apiVersion: 'gateway.nginx.org/v1alpha1',
  kind: 'SnippetsFilter',
  metadata: { name: filterName(input, host), labels: input.labels },
  spec: {
    snippets: [
      ...(host === input.hosts[0]
        ? [
            { context: 'main', value: 'pcre_jit on;\n' },
            { context: 'http', value: `${httpSnippet(input)}\n` },
          ]
        : []),
      { context: 'http.server', value: `${serverSnippet(input, host)}\n` },
      { context: 'http.server.location', value: `${CLOSED_SNIPPET}\n` },
    ],
  },
});

/** The Gateway that routes belong to. */
export function parent(gateway = 'gateway'): object {
  const parts = gateway.split('/');
  const [namespace, name, sectionName] = parts.length === 1 ? [undefined, ...parts] : parts;
  return { ...(namespace && { namespace }), name, ...(sectionName && { sectionName }) };
}

const route = (input: FormInput, host: string): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: filterName(input, host), labels: input.labels },
  spec: {
    parentRefs: [parent(input.gateway)],
    hostnames: [host],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        filters: [
          {
            type: 'ExtensionRef',
            extensionRef: { group: 'gateway.nginx.org', kind: 'SnippetsFilter', name: filterName(input, host) },
          },
        ],
        backendRefs: [{ name: closedName(input), port: 80 }],
      },
    ],
  },
});

function bucketGap({ mapBucket }: FormInput): readonly Gap[] {
  if (mapBucket <= MAP_BUCKET) return [];
  const text = `a name or path of the policy needs buckets of maps with ${mapBucket} bytes, and NGF sets ${MAP_BUCKET}: nginx does not accept the files; use a shorter path`;
  return [{ part: 'hosts', text }];
}

/** The forms of NGINX Gateway Fabric. */
export const ngfForms = {
  snippets: {
    ownServers: false,
    write: (input) => ({
      documents: {
        'nginxproxy.yaml': [nginxProxy(input)],
        'hosts.yaml': [
          closedService(input, closedName(input)),
          ...input.hosts.flatMap((host) => [filter(input, host), route(input, host)]),
        ],
      },
      gaps: [
        ...bucketGap(input),
        ...input.hosts.map((host) =>
          snippetOwners(host, 'owners of other routes of this host, if they may write SnippetsFilters,'),
        ),
      ],
      notes: ['NGF reads SnippetsFilters only with the flag --snippets (Helm: nginxGateway.snippets.enable)'],
    }),
  },
} as const satisfies Readonly<Record<string, IngressForm>>;
