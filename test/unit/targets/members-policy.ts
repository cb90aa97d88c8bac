import type { MeshKind, Policy } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import type { Schema } from './schemas/types.ts';

/** The gateway's public keys, without a private key. */
export const JWKS = '{"keys":[{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"a"}]}';

const CONSUL = '11111111-2222-3333-4444-555555555555.consul';

const INGRESS: Readonly<Record<MeshKind, string>> = {
  istio: 'namespace: edge, labels: { app: ingress }, service_account: ingress',
  linkerd: 'namespace: edge, service_account: ingress',
  consul: 'consul_service: ingress',
  envoy:
    'own: { cert_file: /run/own/tls.crt, key_file: /run/own/tls.key, client_ca_file: /run/own/ca.pem, assertion_jwks_file: /run/own/jwks.json, listen: 8443 }',
};

const spiffe = (kind: MeshKind, name: string) =>
  kind === 'consul' ? `spiffe://${CONSUL}/ns/default/dc/dc1/svc/${name}` : `spiffe://example.org/ns/edge/sa/${name}`;

/** A policy for a mesh with the service wiki, and the named services beside it. */
export function policyText(
  kind: MeshKind,
  roles: string,
  hosts: string,
  more: readonly string[] = [],
  agents = '',
): string {
  const port = kind === 'linkerd' ? ', port: 8090' : '';
  const inKubernetes = kind === 'istio' || kind === 'linkerd';
  const place = (app: string) => (inKubernetes ? `, namespace: wiki, labels: { app: ${app} }${port}` : '');
  const services = ['wiki', ...more].map((it) => `${it}: { authority: ${it}.wiki.svc.cluster.local${place(it)} }`);
  return `
version: 1
gateway: { insecure_http: true, assertion: { issuer: "https://gw.test", keys_file: /run/keys } }
providers: { okta: { issuer: "https://login.example.com", audiences: [wiki] } }
roles: { ${roles} }
${agents}
mesh:
  kind: ${kind}
  trust_domain: ${kind === 'consul' ? CONSUL : 'example.org'}
  ingress: { address: "ingress.mesh:8443", server_name: ingress.mesh, ca_file: /run/ca.pem, ${INGRESS[kind]} }
  identities: { default: { spiffe: "${spiffe(kind, 'gateway')}", pem_file: /run/gateway.pem } }
services: { ${services.join(', ')} }
hosts:${hosts}
`;
}

/** A small policy with each form that a mesh renders: a prefix with an exception, roles, an agent, anyone. */
export function policyFor(kind: MeshKind): Policy {
  const roles = 'reader: { group: readers }, editor: { group: editors }';
  const hosts = `
  w.test:
    /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, editor, { agent: bot, methods: [POST] }] }
    /a!/*: { service: wiki, allow: [{ role: editor, methods: [PUT] }] }
    /b: { service: wiki, allow: [{ role: editor, methods: [DELETE] }] }
  p.test: { /*: { service: pages, allow: [anyone] } }`;
  const agents = 'agents: { bot: { match: { client_id: bot }, acts_for: [editor], bound: none } }';
  const { policy, errors } = parsePolicy(policyText(kind, roles, hosts, ['pages'], agents), 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map((it) => formatError(it)).join('\n'));
  return policy;
}

/** The type of a rendered object. */
export function rootOf(kind: MeshKind, object: unknown, { roots }: Pick<Schema, 'roots'>): string {
  const own = object as { readonly kind?: string; readonly Kind?: string };
  return roots[kind === 'envoy' ? 'Bootstrap' : (own.kind ?? own.Kind ?? '')] ?? '';
}
