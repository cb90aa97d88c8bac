import fc from 'fast-check';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { consul } from '../../../../src/targets/consul/index.ts';
import type { ConsulPermission } from '../../../../src/targets/consul/permissions.ts';
import type { MeshOptions } from '../../../../src/targets/types.ts';
import { policy } from '../../rules/arbitrary.ts';

export const DOMAIN = '11111111-2222-3333-4444-555555555555.consul';
/** The gateway's public keys, without a private key. */
export const JWKS = '{"keys":[{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"a"}]}';

export const spiffe = (service: string): string => `spiffe://${DOMAIN}/ns/default/dc/dc1/svc/${service}`;

const identity = (name: string) => `${name}: { spiffe: "${spiffe(name)}", pem_file: /run/mesh/${name}.pem }`;

export const ASSERTION = 'assertion: { issuer: "https://gw.test", keys_file: /run/keys }';
export const WIKI = 'services: { wiki: { authority: wiki.apps } }\n';

export interface Sample {
  /** Keys of mesh.ingress. */
  readonly ingress?: string;
  /** More keys of gateway. */
  readonly gateway?: string;
  /** More keys of mesh. */
  readonly mesh?: string;
  readonly options?: MeshOptions;
}

/** Roles and a mesh, with the parts that the policy uses, because an unused part is an error. */
function text(rest: string, { ingress = 'consul_service: ingress', gateway = ASSERTION, mesh = '' }: Sample): string {
  const roles = ['reader', 'editor'].filter((role) => new RegExp(`[ [{]${role}[,\\] }]`).test(rest));
  const identities = ['default', 'wiki-editor'].filter((name) => name === 'default' || rest.includes(`as: ${name}`));
  return `
version: 1
gateway: { insecure_http: true${gateway === '' ? '' : `, ${gateway}`} }
providers: { okta: { issuer: "https://login.example.com", audiences: [wiki] } }
roles: { ${roles.map((role) => `${role}: { group: ${role}s }`).join(', ')} }
mesh:
  kind: consul
  trust_domain: ${DOMAIN}
  ingress: { address: "ingress.mesh:8443", ca_file: /run/mesh/ca.pem${ingress === '' ? '' : `, ${ingress}`} }
  identities: { ${identities.map(identity).join(', ')} }
${mesh === '' ? '' : `  ${mesh}\n`}${rest}`;
}

/** A policy of these services and hosts, compiled and rendered. */
export function render(rest: string, sample: Sample = {}) {
  const { policy, errors } = parsePolicy(text(rest, sample), 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const rules = compile(policy);
  const { files, gaps, notes } = consul.emit(policy, rules, sample.options ?? { assertionJwks: JWKS });
  // biome-ignore lint/suspicious/noExplicitAny: entries of several kinds, as JSON has them
  const entries: readonly any[] = Object.values(files).map((file) => JSON.parse(file));
  const of = (kind: string) => entries.filter(({ Kind }) => Kind === kind);
  const permissions = (source: string, name = 'wiki'): readonly ConsulPermission[] =>
    of('service-intentions')
      .find(({ Name }) => Name === name)
      ?.Sources.find(({ Name }: { Name: string }) => Name === source)?.Permissions ?? [];
  return { policy, rules, files, gaps, notes, entries, of, permissions };
}

/** Random policies for Consul. */
export const consulPolicy: fc.Arbitrary<Policy> = fc
  .tuple(policy, fc.boolean(), fc.boolean())
  .map(([policy, ingress, signs]) => {
    const { mesh, gateway } = policy;
    if (mesh === undefined) throw new Error('no mesh');
    const identities = Object.values(mesh.identities).map((it) => [it.name, { ...it, spiffe: spiffe(it.name) }]);
    const assertion = { issuer: 'https://gw.test', keysFile: '/run/keys', lifetime: 60, byRole: true as const };
    return {
      ...policy,
      gateway: { ...gateway, ...(signs && { assertion }) },
      mesh: {
        ...mesh,
        kind: 'consul',
        trustDomain: DOMAIN,
        identities: Object.fromEntries(identities),
        ingress: { ...mesh.ingress, ...(ingress && { consulService: 'ingress' }) },
      },
    };
  });
