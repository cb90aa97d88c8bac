import { quote, ROUTES } from './path.ts';
import { METHODS } from './scalars.ts';
import type { Grant, Permission } from './team.ts';
import { addressesOf, coversAddress, coversFile, coversHost, coversName } from './team-names.ts';
import { hostPort } from './units.ts';

/** A team and what the policy grants to it. */
export interface Granted {
  readonly name: string;
  readonly grant: Grant;
}

/** What limits a value in a team's file. A text is checked by itself, also in a list. */
export type Limit =
  /** Nothing: the value concerns only the team's own hosts and services. References are checked with their kind. */
  | 'free'
  | { readonly never: string }
  | { readonly may: Permission }
  | { readonly text: (text: string, given: Granted) => string | undefined }
  /** The limits of the keys of a mapping. A key that is not here is refused, so that each new key is decided on. */
  | {
      readonly keys: () => Readonly<Record<string, Limit>>;
      readonly text?: (text: string, given: Granted) => string | undefined;
    }
  /** The limit of each element of a list, or of each value of a mapping. */
  | { readonly each: Limit };

/** Says what to write instead of something that the grant does not cover. */
export const beyond = (
  { name }: Granted,
  what: string,
  key: keyof Grant,
  covered: readonly string[],
  add: string = what,
): string => {
  const own = covered.length === 0 ? '' : `write one that the grant covers (${covered.slice(0, 8).join(', ')}), or `;
  return `${what} is not granted to team ${name}; ${own}ask the owners of the policy to add ${add} to teams.${name}.${key}`;
};

const address =
  (port: number, of: (text: string) => string = (text) => text) =>
  (text: string, given: Granted): string | undefined => {
    const { host, port: own } = hostPort(of(text).toLowerCase(), port);
    const covered = addressesOf(given.grant);
    if (covered.some((it) => coversAddress(it, `${host}:${own}`))) return undefined;
    return beyond(given, `the address ${quote(text)}`, 'addresses', covered, `${host}:${own}`);
  };

const listed =
  (key: 'namespaces' | 'audiences', what: string) =>
  (text: string, given: Granted): string | undefined =>
    given.grant[key].includes(text)
      ? undefined
      : beyond(given, `the ${what} ${quote(text)}`, key, given.grant[key], quote(text));

const FILE: Limit = {
  text: (text, given) =>
    given.grant.files.some((it) => coversFile(it, text))
      ? undefined
      : beyond(given, `the file ${quote(text)}`, 'files', given.grant.files, 'it or its folder'),
};

const insecure: Limit = {
  never: 'an option that begins with insecure_ weakens the gateway, so no team may write it; remove it',
};

/** The name of a service, as the grant covers it. */
export const serviceName = (text: string, given: Granted): string | undefined =>
  given.grant.services.some((it) => coversName(it, text))
    ? undefined
    : beyond(given, `the service ${quote(text)}`, 'services', given.grant.services, text);

/** The name of a host, as the grant covers it. */
export const hostName = (text: string, given: Granted): string | undefined =>
  given.grant.hosts.some((it) => coversHost(it, text))
    ? undefined
    : beyond(given, `the host ${quote(text)}`, 'hosts', given.grant.hosts, text);

const urlHost = (url: string): string => hostPort(/^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? url, 443).host;

const anyone = (text: string, given: Granted): string | undefined =>
  text === 'anyone' && !given.grant.may.includes('anyone')
    ? forbidden(given, 'anyone', 'a rule for anyone')
    : undefined;

/** Says which permission is missing. */
export const forbidden = ({ name }: Granted, permission: Permission, what: string): string =>
  `team ${name} may not write ${what}; remove it, or ask the owners of the policy to add ${permission} to teams.${name}.may`;

const SERVICE: Readonly<Record<string, Limit>> = {
  authority: { text: address(80) },
  endpoint: { text: address(80) },
  protocol: 'free',
  mesh: 'free',
  ingress: 'free',
  ingresses: 'free',
  url: { text: address(443, (text) => text.replace(/^https:\/\//, '')) },
  insecure_url: insecure,
  ca_file: FILE,
  server_name: 'free',
  namespace: { text: listed('namespaces', 'namespace') },
  labels: 'free',
  port: 'free',
  service_account: 'free',
  request_headers: 'free',
  response_headers: {
    never:
      'these headers concern the whole host, also what other teams serve there; ask the owners of the policy to write them, and remove it',
  },
  spiffe: { never: 'only an agent needs this, and the owners of the policy define agents; remove it' },
  consul_service: { text: serviceName },
};

const SHARED: Readonly<Record<string, Limit>> = {
  headers: 'free',
  proxy: { may: 'proxy' },
  cors: 'free',
  limit: { may: 'limits' },
  owner: 'free',
  ask: 'free',
};

const TLS: Readonly<Record<string, Limit>> = {
  cert_file: FILE,
  key_file: FILE,
  client_ca_file: {
    never: 'a CA could vouch for callers that hold roles at other hosts; remove it, and the CA of the gateway applies',
  },
};

const RULE: Readonly<Record<string, Limit>> = {
  role: { text: anyone },
  agent: 'free',
  who: { text: anyone },
  methods: 'free',
  tools: 'free',
  service: 'free',
  as: 'free',
};

const ROUTE: Readonly<Record<string, Limit>> = {
  service: 'free',
  accept: 'free',
  audiences: { text: listed('audiences', 'audience') },
  service_credential: { may: 'service_credentials' },
  allow: { each: { keys: () => RULE, text: anyone } },
  ...SHARED,
  service_workers: 'free',
  insecure_service_workers: insecure,
};

const HOST: Readonly<Record<string, Limit>> = {
  name: 'free',
  providers: 'free',
  tls: { keys: () => TLS },
  ...SHARED,
  [ROUTES]: { each: { keys: () => ROUTE } },
};

const FACT: Readonly<Record<string, Limit>> = {
  group: 'free',
  claim: { may: 'claims' },
  is: 'free',
  has: 'free',
  like: 'free',
  scope: 'free',
  acr: 'free',
  max_age: 'free',
  bound: 'free',
  network: { may: 'networks' },
  certificate: { may: 'certificates' },
  provider: 'free',
  any: { each: { keys: () => FACT } },
  all: { each: { keys: () => FACT } },
  none: { each: { keys: () => FACT } },
};

const TEST: Readonly<Record<string, Limit>> = {
  as: 'free',
  ...Object.fromEntries(
    METHODS.map((method): [string, Limit] => [method, { text: (url, given) => hostName(urlHost(url), given) }]),
  ),
  service_credential: 'free',
  tool: 'free',
  mcp: 'free',
  expect: 'free',
};

/** What a team's file may contain, by section. A team's names are checked besides. */
export const TEAM_SECTIONS: Readonly<Record<string, Limit>> = {
  roles: { each: { keys: () => FACT } },
  services: { each: { keys: () => SERVICE } },
  hosts: { each: { keys: () => HOST } },
  tests: { each: { keys: () => TEST } },
};
