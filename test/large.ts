import type { MeshKind } from '../src/policy/checked/types.ts';

export interface Large {
  readonly routes: number;
  readonly roles: number;
  /** The number of roles that may use each route. */
  readonly rolesOfRoute: number;
  readonly kind?: MeshKind;
}

const HOST_ROUTES = 20;
const IDENTITIES = 5;

/** Routes inside others, beside others and exact ones: twenty for each host, each with its own service. */
function pathOf(index: number): string {
  const own = index % HOST_ROUTES;
  if (own === 0) return '/*';
  if (own % 5 === 4) return `/area-${own}`;
  return own % 5 === 3 ? `/area-${own - 1}/inner/*` : `/area-${own}/*`;
}

function allowed(index: number): string {
  const as = index % IDENTITIES;
  return index % 2 === 0
    ? `{ role: role-${index}, as: id-${as} }`
    : `{ role: role-${index}, methods: [GET, POST]${as === 0 ? '' : `, as: id-${as}`} }`;
}

/** A policy with many routes and roles that every target can render, for measurements and for nginx itself. */
export function largePolicy({ routes, roles, rolesOfRoute, kind = 'envoy' }: Large): string {
  const count = (length: number) => Array.from({ length }, (_, i) => i);
  const lines = count(routes).map((i) => {
    const allow = count(rolesOfRoute).map((k) => allowed((i * 7 + k) % roles));
    const host = Math.floor(i / HOST_ROUTES);
    const head = i % HOST_ROUTES === 0 ? `  app-${host}.example.com:\n` : '';
    return `${head}    ${pathOf(i)}: { service: app-${host}, allow: [${allow.join(', ')}] }\n`;
  });
  const isConsul = kind === 'consul';
  const domain = isConsul ? '0b9ce1f2-7a3e-4c53-9f0e-000000000001.consul' : 'example.org';
  const services = count(Math.ceil(routes / HOST_ROUTES)).map(
    (i) =>
      `  app-${i}: { authority: app-${i}.apps.svc.cluster.local, endpoint: app-${i}:8080${isConsul ? '' : `, namespace: apps, labels: { app: app-${i} }, port: 8080`} }\n`,
  );
  const identity = (name: string) =>
    `    ${name}: { spiffe: spiffe://${domain}/ns/${isConsul ? `default/dc/dc1/svc` : 'edge/sa'}/${name}, pem_file: /run/mesh/${name}.pem }\n`;
  return `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  resolver: [127.0.0.1]
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://apps] }
roles:
${count(roles)
  .map((i) => `  role-${i}: { group: group-${i} }\n`)
  .join('')}mesh:
  kind: ${kind}
  trust_domain: ${domain}
  ingress:
    address: ingress.mesh:8443
    ca_file: /run/mesh/ca.pem
${isConsul ? '    consul_service: ingress\n' : '    namespace: edge\n    labels: { app: ingress }\n    service_account: ingress\n'}    own: { cert_file: /run/own/tls.crt, key_file: /run/own/tls.key, client_ca_file: /run/own/ca.pem, listen: 8443 }
  identities:
${identity('default')}${count(IDENTITIES)
  .map((i) => identity(`id-${i}`))
  .join('')}services:
${services.join('')}hosts:
${lines.join('')}`;
}
