import { parse } from 'yaml';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { envoy } from '../../../../src/targets/envoy/index.ts';

const HEAD = `
version: 1
gateway: { insecure_http: true }
providers: { okta: { issuer: "https://login.example.com", audiences: [wiki] } }
`;

const SPIFFE: Readonly<Record<string, string>> = {
  default: 'spiffe://example.org/gateway',
  'wiki-editor': 'spiffe://example.org/wiki-editor',
};

/** Roles and a mesh, with the parts that the policy uses, because an unused part is an error. */
function meshFor(rest: string): string {
  const roles = ['reader', 'editor'].filter((role) => new RegExp(`[ [{]${role}[,\\] }]`).test(rest));
  const identities = Object.entries(SPIFFE).filter(([name]) => name === 'default' || rest.includes(`as: ${name}`));
  return `
roles: { ${roles.map((role) => `${role}: { group: ${role}s }`).join(', ')} }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress:
    address: ingress.mesh:8443
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/own/tls.crt, key_file: /run/own/tls.key, client_ca_file: /run/own/ca.pem, listen: 9443 }
  identities: { ${identities.map(([name, id]) => `${name}: { spiffe: "${id}", pem_file: /run/mesh/${name}.pem }`).join(', ')} }
`;
}

/** A policy of these services and hosts, compiled and rendered. */
export function render(rest: string, mesh = meshFor(rest)) {
  const { policy, errors } = parsePolicy(HEAD + mesh + rest, 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const rules = compile(policy);
  const { files, gaps } = envoy.emit(policy, rules);
  const text = files['envoy.yaml'] ?? '';
  return { policy, rules, files, gaps, text, tree: parse(text) };
}
