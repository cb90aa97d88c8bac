import type { MonitoredFile } from '../../health/types.ts';
import { meshesOf, meshOf } from '../../policy/checked/ingresses.ts';
import type { Client, Identity, Policy, Tls } from '../../policy/checked/types.ts';
import { isReachedItself, linkerdNames } from '../../policy/checked/workload.ts';
import { isQueried } from './client-table.ts';

function clientFile(name: string, { auth }: Client): readonly MonitoredFile[] {
  switch (auth.kind) {
    case 'client_secret_basic':
    case 'client_secret_post':
      return [{ kind: 'client_secret', name, path: auth.secretFile }];
    case 'client_secret_jwt':
      return [{ kind: 'client_secret', name, path: auth.secretFile, signs: true }];
    case 'private_key_jwt':
      return [{ kind: 'client_keys', name, path: auth.keysFile }];
    case 'tls_client_auth':
      return [{ kind: 'client_certificate', name, path: auth.certFile, keyPath: auth.keyFile }];
    default:
      return [];
  }
}

/** The files of the credentials with which the gateway authenticates at providers. */
const clientFiles = ({ gateway, providers }: Policy): readonly MonitoredFile[] =>
  Object.values(providers).flatMap((provider) => {
    const { name, client, signin } = provider;
    const used = (gateway.session !== undefined && signin !== undefined) || isQueried(provider);
    return client !== undefined && used ? clientFile(name, client) : [];
  });

const keysFile = (
  kind: 'session' | 'proof' | 'assertion' | 'pseudonyms',
  path: string | undefined,
): readonly MonitoredFile[] => (path === undefined ? [] : [{ kind, name: '', path }]);

/** The certificates of the image's listeners. */
function listenerFiles({ gateway, hosts }: Policy): readonly MonitoredFile[] {
  const certificate = (name: string, tls: Tls | undefined): readonly MonitoredFile[] =>
    tls === undefined ? [] : [{ kind: 'listener', name, path: tls.certFile, keyPath: tls.keyFile }];
  const inner = certificate('gateway.inner', gateway.inner?.tls);
  if (gateway.insecureHttp) return inner;
  return [
    ...certificate('gateway', gateway.tls),
    ...inner,
    ...certificate('gateway.signin', gateway.signin?.tls),
    ...hosts.flatMap(({ name, tls }) => certificate(name, tls)),
  ];
}

/** The files of the policy, if their paths are known on the machine of the gateway. */
function policyFiles({ hosts, providers, services }: Policy): readonly MonitoredFile[] {
  const parts = [...hosts, ...Object.values(providers), ...Object.values(services)];
  const paths = new Set(parts.map(({ at }) => at.file).filter((path) => path.startsWith('/')));
  return [...paths].map((path) => ({ kind: 'policy', name: '', path }));
}

/** Returns the files that the health check reads: the policy, keys, secrets and certificates. */
export function monitoredFiles(policy: Policy): readonly MonitoredFile[] {
  const { audit, session, proof, assertion } = policy.gateway;
  return [
    ...policyFiles(policy),
    ...keysFile('session', session?.keysFile),
    ...keysFile('proof', proof?.keysFile),
    ...keysFile('assertion', assertion?.keysFile),
    ...keysFile('pseudonyms', audit?.pseudonyms?.keyFile),
    ...clientFiles(policy),
    ...listenerFiles(policy),
  ];
}

/** Returns the names of an identity for Linkerd's proxies, if nginx connects to workloads of its mesh itself.
 * @param mesh the name of the mesh, if the policy has several */
export function namesAtWorkloads(policy: Policy, mesh: string | undefined, spiffe: string) {
  const isUsed = Object.values(policy.services).some((service) => {
    const own = service.direct === undefined ? meshOf(policy, service) : undefined;
    return own !== undefined && (mesh ?? own.name) === own.name && isReachedItself(own, service);
  });
  return isUsed ? { names: linkerdNames(spiffe) } : {};
}

const caFiles = (cas: readonly (readonly [name: string, path: string | undefined])[]): readonly MonitoredFile[] =>
  cas.flatMap(([name, path]) => (path === undefined ? [] : [{ kind: 'ca', name, path }]));

/** Returns the CAs of the witnesses. Only a gateway that seals its log asks them. */
export const witnessFiles = ({ gateway }: Policy): readonly MonitoredFile[] =>
  caFiles((gateway.audit?.witnesses ?? []).map(({ key, caFile }) => [`witness ${key.split('+')[0]}`, caFile]));

/** Returns all files that the gateway reads: also CAs, and the SVIDs of the identities that rules use.
 * @param identities the identities that rules use */
export function gatewayFiles(policy: Policy, identities: readonly Identity[]): readonly MonitoredFile[] {
  const { gateway, hosts, providers, services } = policy;
  const cas = caFiles([
    ...Object.values(providers).map(({ name, caFile }) => [`provider ${name}`, caFile] as const),
    ...Object.values(services).map(({ name, direct }) => [`service ${name}`, direct?.caFile] as const),
    ...(identities.length === 0 ? [] : meshesOf(policy).flatMap((mesh) => Object.values(mesh.ingresses))).map(
      ({ name, mesh, caFile }) => [`ingress ${mesh === undefined ? name : `${mesh}/${name}`}`, caFile] as const,
    ),
    ['gateway.inner', gateway.inner?.clientCaFile],
    ...hosts.map(({ name, clientCaFile }) => [name, clientCaFile] as const),
  ]);
  return [
    ...monitoredFiles(policy),
    ...cas,
    ...identities.map(
      ({ name, mesh, spiffe, certFile, keyFile }): MonitoredFile => ({
        kind: 'identity',
        name: mesh === undefined ? name : `${mesh}/${name}`,
        spiffe,
        path: certFile,
        keyPath: keyFile,
        ...namesAtWorkloads(policy, mesh, spiffe),
      }),
    ),
  ];
}
