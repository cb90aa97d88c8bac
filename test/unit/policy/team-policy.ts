import { expect } from 'vitest';
import { formatError, type Parsed, type Policy, parsePolicy, type Stage } from '../../../src/policy/index.ts';

/** A policy with two teams. Tests change one line of it, or one file of a team. */
export const PLATFORM = `version: 1
gateway:
  assertion: { issuer: https://wiki.example.com, keys_file: /run/secrets/assertion.jwks }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { host: auth.example.com }
  limits: { callers: { rate: 600/m } }
providers:
  okta:
    issuer: https://example.okta.com/oauth2/default
    audiences: [api://wiki]
    client: { id: 0oa1, secret_file: /run/secrets/okta }
    subject: { prefix: okta- }
  ci: { issuer: https://token.actions.githubusercontent.com, audiences: [api://wiki], subject: { prefix: ci- } }
roles:
  staff: { group: staff, provider: okta }
  deployer: { claim: repository_id, is: "42", provider: ci }
agents:
  bot: { match: { client_id: 0oa-bot, provider: okta }, acts_for: [staff], bound: none }
mesh:
  kind: istio
  trust_domain: example.org
  ingress:
    address: ingress.mesh:8443
    ca_file: /run/mesh/ca.pem
    namespace: istio-system
    labels: { istio: ingressgateway }
    service_account: ingress
  identities:
    default: { spiffe: spiffe://example.org/ns/edge/sa/gateway, pem_file: /run/mesh/gateway.pem }
    wiki-editor: { spiffe: spiffe://example.org/ns/edge/sa/wiki-editor, pem_file: /run/mesh/editor.pem }
services:
  wiki: { authority: wiki.wiki.svc.cluster.local, namespace: wiki, labels: { app: wiki } }
  search: { authority: search.shared.svc.cluster.local, namespace: shared, labels: { app: search } }
teams:
  pay:
    file: teams/pay.yaml
    hosts: [pay.example.com, "*.pay.example.com"]
    services: [pay-*, search]
    namespaces: [pay]
    providers: [okta]
  ops:
    file: teams/ops.yaml
    hosts: [ops.example.com]
    services: [ops-*]
    namespaces: [ops]
    addresses: ["ops.internal:8443"]
    providers: [okta, ci]
    identities: [default, wiki-editor]
    audiences: [https://ops.example.com/mcp]
    files: [/run/teams/ops]
    headers: [X-Ops-User]
    variables: [STAGE]
    may: [anyone, networks, certificates, claims, limits, proxy, service_credentials]
hosts:
  wiki.example.com:
    providers: [okta]
    headers: { X-Wiki-User: subject }
    /*: { service: wiki, allow: [staff] }
`;

export const PAY = `roles:
  pay.clerk: { group: clerks, provider: okta }
services:
  pay-web: { authority: web.pay.svc.cluster.local, namespace: pay, labels: { app: web } }
hosts:
  pay.example.com:
    providers: [okta]
    /*: { service: pay-web, allow: [staff, pay.clerk] }
tests:
  - { as: { roles: [pay.clerk] }, GET: https://pay.example.com/x, expect: allowed }
`;

/** The file of a team that uses its whole grant. */
export const OPS = `version: 1
roles:
  ops.admin: { all: [{ claim: team, is: ops, provider: okta }, { network: [10.0.0.0/8] }] }
  ops.release: { all: [deployer, { claim: ref, is: refs/heads/main, provider: ci }] }
services:
  ops-web: { authority: web.ops.svc.cluster.local, namespace: ops, labels: { app: web } }
  ops-api: { url: https://ops.internal:8443, ca_file: /run/teams/ops/ca.pem }
hosts:
  ops.example.com:
    providers: [okta, ci]
    limit: { rate: 10/s }
    tls: { cert_file: /run/teams/ops/tls.crt, key_file: /run/teams/ops/tls.key }
    headers: { X-Ops-User: subject, X-Remote-User: { claim: name } }
    /*: { service: ops-web, allow: [ops.admin, { role: staff, as: wiki-editor }] }
    /api/*: { service: ops-api, audiences: [https://ops.example.com/mcp], allow: [ops.release], proxy: { read_timeout: 5m } }
    /hook: { service: ops-api, service_credential: { schemes: [basic] }, allow: [anyone] }
`;

const profile = (policy: string) => `profile: 1
about: An application
roles: {}
options: {}
policy:
${policy}`;

const PROFILES: Readonly<Record<string, string>> = {
  small: profile(`  hosts:
    $host:
      providers: [okta]
      /*: { service: $service, allow: [staff] }
      /status: { service: $service, allow: [anyone] }
`),
  named: profile(`  roles: { app-users: { group: users, provider: okta } }
  hosts: { $host: { providers: [okta], /*: { service: $service, allow: [app-users] } } }
`),
  wide: profile(`  gateway: { clock_skew: 5m }
  hosts: { $host: { providers: [okta], /*: { service: $service, allow: [staff] } } }
`),
};

export interface Texts {
  readonly platform?: string;
  readonly pay?: string | undefined;
  readonly ops?: string | undefined;
}

/** Parses the policy with the files of its teams; an absent file is `undefined`. */
export function parseTexts(
  { platform = PLATFORM, ...texts }: Texts,
  stage: Omit<Stage, 'readTeam'> = { variables: new Map([['STAGE', 'prod']]) },
): Parsed {
  const files: Readonly<Record<string, string | undefined>> = {
    'teams/pay.yaml': 'pay' in texts ? texts.pay : PAY,
    'teams/ops.yaml': 'ops' in texts ? texts.ops : OPS,
  };
  return parsePolicy(platform, 'm.yaml', {
    profiles: {
      names: () => Object.keys(PROFILES),
      read: (use) => {
        const text = PROFILES[use];
        return text === undefined ? { mistake: `no profile ${use}` } : { name: `profiles/${use}.yaml`, text };
      },
    },
    ...stage,
    readTeam: (name) => {
      const text = files[name];
      return text === undefined ? { problem: 'there is no such file' } : { name, text };
    },
  });
}

export const errorsIn = (texts: Texts, stage?: Omit<Stage, 'readTeam'>): readonly string[] =>
  parseTexts(texts, stage).errors.map(formatError);

export function policyIn(texts: Texts): Policy {
  const { policy, errors } = parseTexts(texts);
  expect(errors.map(formatError)).toEqual([]);
  return policy as Policy;
}
