import fc from 'fast-check';
import { parse, parseAllDocuments } from 'yaml';
import type { Policy, Service } from '../../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { linkerd } from '../../../../src/targets/linkerd/index.ts';
import { policy } from '../../rules/arbitrary.ts';

const HEAD = `
version: 1
gateway: { insecure_http: true }
providers: { okta: { issuer: "https://login.example.com", audiences: [wiki] } }
`;

const identity = (name: string, path: string) =>
  `${name}: { spiffe: "spiffe://example.org${path}", pem_file: /run/mesh/${name}.pem }`;

const IDENTITIES: Readonly<Record<string, string>> = {
  default: identity('default', '/ns/edge/sa/gateway'),
  'wiki-editor': identity('wiki-editor', '/ns/edge/sa/wiki-editor'),
};

export const WORKLOAD = 'namespace: wiki, labels: { app: confluence }, port: 8090';
export const WIKI = `services: { wiki: { authority: confluence.wiki.svc.cluster.local, ${WORKLOAD} } }\n`;
export const INGRESS = 'namespace: edge, service_account: ingress';

/** Roles and a mesh, with the parts that the policy uses, because an unused part is an error. */
function meshFor(rest: string, ingress: string, gateway: string): string {
  const roles = ['reader', 'editor'].filter((role) => new RegExp(`[ [{]${role}[,\\] }]`).test(rest));
  const identities = Object.entries(IDENTITIES).filter(([name]) => name === 'default' || rest.includes(`as: ${name}`));
  return `${HEAD.replace('insecure_http: true', `insecure_http: true${gateway}`)}
roles: { ${roles.map((role) => `${role}: { group: ${role}s }`).join(', ')} }
mesh:
  kind: linkerd
  trust_domain: example.org
  ingress: { ${ingress === '' ? '' : `address: "ingress.mesh:8443", ${ingress}, `}ca_file: /run/mesh/ca.pem }
  identities: { ${identities.map(([, text]) => text).join(', ')} }
`;
}

export interface Sample {
  /** Keys of mesh.ingress; '' for services with a service account each. */
  readonly ingress?: string;
  /** More keys of gateway, with a comma before them. */
  readonly gateway?: string;
  /** Another kind of mesh, which needs fewer settings. */
  readonly kind?: string;
}

/** A policy of these services and hosts, compiled and rendered. */
export function render(rest: string, { ingress = INGRESS, gateway = '', kind = 'linkerd' }: Sample = {}) {
  // Without an ingress, nginx connects to the workloads themselves.
  const own = ingress === '' ? rest.replace(/(namespace: \w+), labels/g, '$1, service_account: web, labels') : rest;
  const text = meshFor(rest, ingress, gateway).replace('kind: linkerd', `kind: ${kind}`) + own;
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const rules = compile(policy);
  const { files, gaps } = linkerd.emit(policy, rules);
  const yaml = files['linkerd.yaml'] ?? '';
  const objects = parseAllDocuments(yaml).map((document) => document.toJS());
  const of = (kind: string) => objects.filter((object) => object?.kind === kind);
  return {
    policy,
    rules,
    files,
    gaps,
    text: yaml,
    objects,
    of,
    kustomization: parse(files['kustomization.yaml'] ?? ''),
  };
}

/** A policy whose services are workloads; two of them may share one, as canaries of an authority do not. */
export function workloads(policy: Policy, shared: boolean, ingress: boolean): Policy {
  const place = (name: string): Partial<Service> => ({
    namespace: 'apps',
    labels: { app: shared ? 'both' : name },
    port: 8080,
  });
  const services = Object.entries(policy.services).map(([name, own]) => [name, { ...own, ...place(name) }]);
  const { mesh } = policy;
  if (mesh === undefined) throw new Error('no mesh');
  const where = ingress ? { namespace: 'edge', serviceAccount: 'ingress' } : {};
  return {
    ...policy,
    services: Object.fromEntries(services),
    mesh: { ...mesh, kind: 'linkerd', ingress: { ...mesh.ingress, ...where } },
  };
}

/** Random policies for Linkerd. */
export const linkerdPolicy = (shared: boolean): fc.Arbitrary<Policy> =>
  fc.tuple(policy, fc.boolean()).map(([policy, ingress]) => workloads(policy, shared, ingress));
