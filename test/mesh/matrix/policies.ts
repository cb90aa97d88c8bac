import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { formatError, type Policy, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import type { Rule } from '../../../src/rules/types.ts';

/** A policy of the matrix, as one kind of mesh gets it. */
export interface Subject {
  readonly name: string;
  readonly text: string;
  readonly policy: Policy;
  readonly rules: readonly Rule[];
}

// biome-ignore lint/suspicious/noExplicitAny: a policy's text as YAML has it, before it is checked
export type Yaml = any;

export const SERVICES_HOST = 'services';
/** The addresses of the keys with which the gateway and the ingress verify. */
export const KEYS_FILE = '/run/keys/assertion.jwks';
export const JWKS_FILE = '/run/ingress/jwks.json';
const FIRST_PORT = 9000;

/** The demo's own policy, without its agent, its sign-in and its sealed log; its provider is a made-up one here. */
export async function demo(): Promise<Yaml> {
  const yaml: Yaml = parse(await readFile(new URL('../../demo/meshgate.yaml', import.meta.url), 'utf8'));
  delete yaml.agents;
  delete yaml.headers['X-Forwarded-Actor'];
  for (const service of Object.values<Yaml>(yaml.services)) delete service.spiffe;
  for (const key of ['session', 'public_port', 'health', 'audit']) delete yaml.gateway[key];
  for (const provider of Object.values<Yaml>(yaml.providers))
    for (const key of ['client', 'signin']) delete provider[key];
  for (const host of Object.values<Yaml>(yaml.hosts)) for (const key of ['owner', 'ask']) delete host[key];
  for (const route of Object.values<Yaml>(yaml.hosts).flatMap((host) => Object.values<Yaml>(host))) {
    route.allow = route.allow.filter((rule: Yaml) => rule.agent === undefined);
  }
  return yaml;
}

const mesh = (identities: readonly string[]): Yaml => ({
  kind: 'envoy',
  trust_domain: 'example.org',
  ingress: { address: 'ingress:8443', server_name: 'ingress.mesh', ca_file: '/run/mesh/ca.pem' },
  identities: Object.fromEntries(
    identities.map((name) => [
      name,
      { spiffe: `spiffe://example.org/ns/edge/sa/${name}`, pem_file: `/run/mesh/${name}.pem` },
    ]),
  ),
});

/** Prefixes with exceptions, methods, a public path, a stream, and calls of machines. */
export function confluence(): Yaml {
  const wiki = (...allow: Yaml[]) => ({ service: 'confluence', allow });
  return {
    version: 1,
    providers: { acme: { audiences: ['wiki'] } },
    roles: {
      reader: { group: 'readers' },
      editor: { group: 'editors' },
      admin: { all: ['editor', { group: 'wiki-admins' }] },
      indexer: { claim: 'client_id', is: 'wiki-index' },
    },
    mesh: mesh(['default', 'wiki-admin', 'index']),
    services: {
      confluence: { authority: 'confluence.wiki.svc.cluster.local' },
      synchrony: { authority: 'synchrony.wiki:8091' },
    },
    hosts: {
      'wiki.example.com': {
        '/*': wiki({ role: 'editor' }, { role: 'reader', methods: ['GET'] }),
        '/rest/*': wiki(
          { role: 'editor' },
          { role: 'reader', methods: ['GET'] },
          { role: 'indexer', methods: ['GET'], as: 'index' },
        ),
        '/rest/api/admin/*': wiki({ role: 'admin', as: 'wiki-admin' }),
        '/admin/*': wiki({ role: 'admin', as: 'wiki-admin' }),
        '/plugins/servlet/applinks': wiki({ role: 'indexer', methods: ['GET', 'POST'], as: 'index' }),
        '/rest/token-auth/api/*': wiki('authenticated'),
        '/status': wiki('anyone'),
        '/synchrony/*': { service: 'synchrony', allow: ['editor'] },
      },
    },
  };
}

/**
 * Services that act for people, with their own identity and with the shared one, and a bot that also acts alone; a role
 * that does not travel.
 */
export function agents(): Yaml {
  const service = (name: string) => ({
    authority: `${name}.mesh`,
    spiffe: `spiffe://example.org/ns/${name}/sa/${name}`,
  });
  return {
    version: 1,
    providers: { acme: { audiences: ['wiki'] } },
    roles: {
      reader: { group: 'readers' },
      editor: { group: 'editors' },
      admin: { all: ['editor', { group: 'admins' }] },
    },
    agents: {
      pages: { match: { service: 'wiki' }, acts_for: ['reader', 'editor'] },
      indexer: { match: { service: 'search' }, acts_for: ['reader'], hops: 2 },
      bot: { match: { client_id: 'bot' }, acts_for: ['reader'], alone: true, bound: 'none' },
    },
    mesh: mesh(['default', 'hop']),
    services: { wiki: service('wiki'), search: service('search'), dashboard: { authority: 'dashboard.mesh' } },
    hosts: {
      'wiki.example.com': {
        '/*': {
          service: 'wiki',
          allow: [
            'editor',
            { role: 'reader', methods: ['GET'] },
            { agent: 'indexer', methods: ['GET'] },
            { agent: 'bot', methods: ['GET', 'POST'] },
          ],
        },
        '/search/*': { service: 'search', allow: ['authenticated'] },
      },
      'dashboard.example.com': {
        '/*': {
          service: 'dashboard',
          allow: [
            { role: 'editor', methods: ['GET', 'POST'] },
            { role: 'reader', methods: ['GET'] },
            { agent: 'pages', methods: ['GET', 'POST', 'DELETE'], as: 'hop' },
          ],
        },
        '/admin/*': { service: 'dashboard', allow: ['admin'] },
        '/me': { service: 'dashboard', allow: ['authenticated', { agent: 'pages', as: 'hop' }] },
        '/open': { service: 'dashboard', allow: ['anyone'] },
      },
    },
  };
}

/** Agents that may call tools of an MCP server, some of them the same ones, beside people and an agent that may call
 * all. */
export function tools(): Yaml {
  return {
    version: 1,
    providers: { acme: { audiences: ['mcp'] } },
    roles: { reader: { group: 'readers' }, editor: { group: 'editors' } },
    agents: {
      pages: { match: { client_id: 'pages' }, acts_for: ['reader'], bound: 'none' },
      bot: { match: { client_id: 'bot' }, acts_for: ['editor'], alone: true, bound: 'none' },
      night: { match: { client_id: 'night' }, acts_for: ['reader'], bound: 'none' },
    },
    mesh: mesh(['default', 'agent']),
    services: { wiki: { authority: 'wiki.mesh' }, files: { authority: 'files.mesh' } },
    hosts: {
      'mcp.example.com': {
        '/mcp': {
          service: 'wiki',
          allow: [
            { agent: 'pages', tools: ['search_*', 'read_page'], as: 'agent' },
            { agent: 'bot', tools: ['*'], as: 'agent' },
            { agent: 'night', as: 'agent' },
            'reader',
            { role: 'editor', methods: ['GET', 'POST'] },
          ],
        },
        '/files/*': { service: 'files', allow: [{ agent: 'pages', tools: ['read_file'] }, 'reader'] },
      },
    },
  };
}

/** Many hosts, each with its own service, and two rules for each. */
export function hosts(count: number): Yaml {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  return {
    version: 1,
    providers: { acme: { audiences: ['apps'] } },
    roles: Object.fromEntries([1, 2, 3, 4].map((n) => [`team${n}`, { group: `team-${n}` }])),
    mesh: mesh(['default', 'writer']),
    services: Object.fromEntries(numbers.map((n) => [`app${n}`, { authority: `app${n}.apps` }])),
    hosts: Object.fromEntries(
      numbers.map((n) => [
        n % 10 === 0 ? `*.app${n}.example.com` : `app${n}.example.com`,
        {
          '/*': {
            service: `app${n}`,
            allow: [
              { role: `team${(n % 4) + 1}`, as: 'writer' },
              n % 5 === 0 ? 'authenticated' : { role: `team${((n + 1) % 4) + 1}`, methods: ['GET'] },
            ],
          },
          ...(n % 8 === 0 && { [`/open/v${n}.0`]: { service: `app${n}`, allow: ['anyone'] } }),
        },
      ]),
    ),
  };
}

/** Adapts a policy to the lab: the provider, the places of services, and how the ingress verifies. */
export function fitted(yaml: Yaml, issuer: string, own: boolean): string {
  const { services } = yaml;
  for (const provider of Object.values<Yaml>(yaml.providers)) {
    provider.issuer = issuer;
    provider.ca_file = '/run/provider/ca.pem';
  }
  Object.keys(services).forEach((name, i) => {
    services[name].endpoint = `${SERVICES_HOST}:${FIRST_PORT + i}`;
  });
  yaml.mesh.ingress = {
    ...yaml.mesh.ingress,
    address: 'ingress:8443',
    server_name: 'ingress.mesh',
    own: {
      cert_file: '/run/ingress/tls.crt',
      key_file: '/run/ingress/tls.key',
      client_ca_file: '/run/ingress/ca.pem',
      listen: 8443,
      ...(own && { assertion_jwks_file: JWKS_FILE }),
    },
  };
  const assertion = { issuer: 'https://gateway.test', keys_file: KEYS_FILE, lifetime: '10m' };
  const tls = { cert_file: '/run/inner/tls.crt', key_file: '/run/inner/tls.key' };
  const hops = Object.values<Yaml>(yaml.agents ?? {}).some(({ match }) => match.service !== undefined);
  const inner = hops && { inner: { client_ca_file: '/run/inner/services.pem', tls } };
  yaml.gateway = { insecure_http: true, listen: 8080, clock_skew: '30s', assertion, ...inner };
  delete yaml.tests;
  return stringify(yaml, { aliasDuplicateObjects: false });
}

/** A policy as it is tried. */
export function subject(name: string, text: string): Subject {
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(`${name}:\n${errors.map(formatError).join('\n')}`);
  return { name, text, policy, rules: compile(policy) };
}

/** The policies for plain Envoy; the demo's also as it is, without assertions at the ingress. */
export async function envoySubjects(issuer: string): Promise<readonly Subject[]> {
  return [
    subject('demo', fitted(await demo(), issuer, true)),
    subject('demo, by certificate only', fitted(await demo(), issuer, false)),
    subject('confluence', fitted(confluence(), issuer, true)),
    subject('agents', fitted(agents(), issuer, true)),
    subject('40 hosts', fitted(hosts(40), issuer, true)),
  ];
}
