import * as z from 'zod';
import * as a from '../forms/addresses.ts';
import type { At, Locate } from '../forms/at.ts';
import { hints } from '../forms/hints.ts';
import { key, named, onlyTrue, optional, teamMapping, teamStrict, usually } from '../forms/mapping.ts';
import { ROUTES, routePath } from '../forms/path.ts';
import * as s from '../forms/scalars.ts';
import type { Agent } from './agent.ts';
import { usualConnect } from './failover.ts';
import { type DeclaredHeaders, type Headers, headers, mergeHeaders } from './headers.ts';
import { placeLimit } from './limits.ts';
import type { Provider } from './provider.ts';
import type { Service } from './service.ts';
import { passingOn, type ServiceCredential, serviceCredential } from './service-credential.ts';
import { anyone, insecure, listed } from './team-limits.ts';
import { listenerTls, plainHttp, shown, type Tls } from './tls.ts';
import { type Cors, cors, corsOf, type Proxying, proxy, proxying } from './traffic.ts';

const URL_PART = '[A-Za-z0-9._~:/?#@!$&()*+,;=%-]';
const FILLED = '\\{(?:reason|request_id|route)\\}';

/** The template of a link for access. Placeholders come after the host name, so that values cannot change the host. */
const ASK = new RegExp(
  `^(?=.{1,500}$)(?:https://${a.LABEL}(?:\\.${a.LABEL})*(?::\\d{1,5})?(?:[/?](?:${URL_PART}|${FILLED})*)?|mailto:[A-Za-z0-9._%+-]+@${a.LABEL}(?:\\.${a.LABEL})*(?:\\?(?:${URL_PART}|${FILLED})*)?)$`,
);

/** The keys that hosts and routes have in common. A key of a route replaces the same key of its host. */
const shared = {
  headers: key({ decides: 'destination', team: 'free' }, headers.optional()),
  proxy: key({ decides: 'destination', team: { may: 'proxy' } }, proxy.optional()),
  cors: key({ decides: 'request', team: 'free' }, cors.optional()),
  limit: key({ decides: 'request', team: { may: 'limits' } }, placeLimit.optional()),
  owner: optional(
    { decides: 'nothing', team: 'free' },
    s.plainText,
    'The owner, which refusal pages name: people ask the owner for access.',
  ),
  ask: optional(
    { decides: 'nothing', team: 'free' },
    s.text(ASK, {
      what: 'an https: or mailto: link',
      write: 'https://tickets.example.com/new?reason={reason}; the gateway fills in {reason}, {request_id} and {route}',
      fix: (value) => (typeof value === 'string' && ASK.test(`mailto:${value}`) ? `mailto:${value}` : undefined),
    }),
    'Link on the refusal page to ask for access. The gateway fills in {reason}, {request_id} and {route}.',
  ),
};

const CREDENTIALS = ['bearer', 'session', 'certificate'] as const;

export type CredentialKind = (typeof CREDENTIALS)[number];

const spelledOut = teamMapping(
  {
    role: optional({ decides: 'request', team: { text: anyone } }, s.reference('role'), 'Callers with this role.'),
    agent: optional(
      { decides: 'request', team: 'free' },
      s.reference('agent'),
      'This agent, for a person that another rule of the route allows, or alone if the agent may act alone.',
    ),
    who: optional(
      { decides: 'request', team: { text: anyone } },
      z.enum(['authenticated', 'anyone']),
      'Callers with a valid credential, or all callers.',
    ),
    methods: optional(
      { decides: 'request', team: 'free' },
      s.list(z.enum(s.METHODS), '[GET, POST]'),
      'Methods that the rule covers, in upper case; GET includes HEAD. Default: all.',
    ),
    tools: optional(
      {
        decides: 'request',
        team: 'free',
        noEffectWithout: { agent: 'no effect: tools are for rules of agents; write agent: NAME, or remove this' },
      },
      s.list(s.tool, '[search_*]'),
      'MCP tools that the agent may call, as the headers of SEP-2243 name them. Listings and notifications also pass.',
    ),
    service: optional(
      { decides: 'request', team: 'free' },
      s.reference('service'),
      'The service that these callers reach instead of the route’s service.',
    ),
    as: usually(
      { decides: 'request', team: 'free' },
      s.reference('identity'),
      'default',
      'The mesh identity with which nginx connects.',
    ),
  },
  {
    oneOf: {
      what: 'rule',
      keys: ['role', 'who', 'agent'],
      none: 'this rule names no caller; write role: NAME, or who: authenticated',
    },
  },
);

type DeclaredRule = z.output<typeof spelledOut>;

const rule = z
  .union([
    s
      .reference('role')
      .describe('A role, authenticated or anyone.')
      .transform((role): DeclaredRule => ({ role, as: 'default' })),
    spelledOut,
  ])
  .register(hints, {
    what: 'a rule',
    write: 'a role, authenticated, anyone, or { role: editor, methods: [GET], as: wiki-editor }',
  });

export const route = teamMapping({
  service: key(
    { decides: 'request', team: 'free' },
    s.reference('service').describe('The service that receives the requests.'),
  ),
  accept: optional(
    { decides: 'request', team: 'free' },
    s.list(z.enum(CREDENTIALS), '[bearer]'),
    'Accepted credentials. Default: bearer if a provider has audiences, session if one has a client; certificate is never a default.',
  ),
  audiences: optional(
    { decides: 'request', team: { text: listed('audiences', 'audience') } },
    s.list(s.plainText, '[https://mcp.example.com/mcp]'),
    '"aud" must contain one of these on this route, instead of the providers’ audiences (RFC 8707).',
  ),
  service_credential: key({ decides: 'request', team: { may: 'service_credentials' } }, serviceCredential.optional()),
  allow: key(
    { decides: 'request', team: { text: anyone } },
    s.list(rule, '[staff]').describe('The callers that may pass; the first rule that matches decides.'),
  ),
  ...shared,
  service_workers: key(
    {
      decides: 'request',
      team: 'free',
      excludes: { insecure_service_workers: 'no effect together with insecure_service_workers; remove one of the two' },
    },
    onlyTrue(
      'Pages may register service workers from below a folder of this route. Default: none, if people sign in at the host.',
    ),
  ),
  insecure_service_workers: key(
    { decides: 'request', team: insecure },
    onlyTrue(
      'Pages may register service workers from any path of this route: a worker can see the provider’s answers to /.meshgate/.',
    ),
  ),
})
  .register(hints, { what: 'a route', write: '{ service: wiki, allow: [staff] }' })
  .describe('/x/* covers /x and all paths below /x; /x covers only itself; /* covers all paths.');

type DeclaredRoute = z.output<typeof route>;

export const host = teamStrict({
  providers: optional(
    { decides: 'request', team: 'free' },
    s.list(s.reference('provider'), '[okta]'),
    'Providers whose tokens this host accepts; required if the policy has several.',
  ),
  tls: key({ decides: 'nothing', team: 'inside', excludes: plainHttp }, listenerTls.optional()),
  name: optional(
    { decides: 'request', team: 'free' },
    s.text(a.HOST_NAME, {
      what: 'the name of a host',
      write: 'a DNS name in lower case, as in wiki.example.com or *.example.com',
    }),
    'The name of the host, if it is not the key: in another stage, or from a variable.',
  ),
  ...shared,
  [ROUTES]: key({ decides: 'request', team: 'inside' }, z.record(z.string(), route)),
})
  .register(hints, { what: 'a host', write: '/*: { service: wiki, allow: [staff] } below it' })
  .describe('Routes of one host, by path.');

/** A host. Its key is its name by now. */
type DeclaredHost = Omit<z.output<typeof host>, 'name'>;

export type PersonWho =
  | { readonly kind: 'anyone' | 'authenticated' }
  | { readonly kind: 'role'; readonly role: string };

export type Who = PersonWho | AgentWho;

/** The agent that a rule is for. It acts alone, or for a person that another rule allows by one of these roles. */
export interface AgentWho {
  readonly kind: 'agent';
  readonly agent: string;
  /** The roles of the people that the agent may act for. Empty: it acts for no person. */
  readonly actsFor: readonly string[];
  readonly alone?: true;
  /** Tools that the agent may call, by name or prefix (`search_*`). Absent: the gateway does not check tools. */
  readonly tools?: readonly string[];
}

export interface Allow extends Pick<DeclaredRule, 'service'> {
  readonly who: Who;
  /** Methods in upper case; absent: all methods. GET includes HEAD. */
  readonly methods?: readonly string[];
  /** The name of the mesh identity with which nginx connects. Empty if nginx connects to the service directly. */
  readonly as: string;
  readonly at: At;
}

/** The keys that are built from more than one place. */
type Built = 'allow' | 'headers' | 'proxy' | 'cors' | 'serviceCredential' | 'serviceWorkers' | 'insecureServiceWorkers';

export interface Route extends Omit<DeclaredRoute, Built> {
  /** Host and path as written, e.g. `wiki.example.com/rest/*`. Logs and the check's path contain this name. */
  readonly name: string;
  readonly host: string;
  /** The path without the `/*` of a prefix; the empty text is the prefix of all paths. */
  readonly path: string;
  /** A prefix covers the path itself and all paths below it, by whole segments. */
  readonly kind: 'exact' | 'prefix';
  readonly accept: readonly CredentialKind[];
  readonly allow: readonly Allow[];
  /** The headers of the policy, the host and the route, merged by name, without those that are `null`. */
  readonly headers: Headers;
  /** The proxy settings; absent: the defaults. */
  readonly proxy?: Proxying;
  /** Which `Authorization` headers belong to the service. Absent: all of them are for the gateway. */
  readonly serviceCredential?: ServiceCredential;
  /** Which scripts may be service workers. Absent: no scripts, if people sign in at this host. */
  readonly serviceWorkers?: 'folder' | 'anywhere';
  /** The CORS settings; absent: pages of other origins may not send requests. */
  readonly cors?: Cors;
  readonly at: At;
}

/** A host. With `limit: null`, it has no limit; without `limit`, the gateway's limit applies. */
export interface Host extends Pick<DeclaredRoute, 'limit'> {
  /** The team in whose file it is; absent: it is not in the file of a team. */
  readonly team?: string;
  /** `wiki.example.com` or `*.example.com`, in lower case. */
  readonly name: string;
  readonly providers: readonly string[];
  readonly tls?: Tls;
  /** The CA for clients' certificates, of the host or else the gateway. Absent: nginx requests no certificates. */
  readonly clientCaFile?: string;
  readonly routes: readonly Route[];
  readonly at: At;
}

/** The other parts of the policy that routes depend on. */
export interface Around {
  readonly sessions: boolean;
  readonly clientCaFile: string | undefined;
  readonly assertionLifetime: number | undefined;
  readonly headers: DeclaredHeaders;
  readonly providers: Readonly<Record<string, Provider>>;
  readonly agents: Readonly<Record<string, Agent>>;
  readonly services: Readonly<Record<string, Service>>;
}

function whoOf({ role = '', who, agent, tools }: DeclaredRule, { agents }: Around): Who {
  if (agent === undefined) {
    const name = who ?? role;
    return name === 'anyone' || name === 'authenticated' ? { kind: name } : { kind: 'role', role: name };
  }
  const { actsFor = [], alone } = agents[agent] ?? {};
  return { kind: 'agent', agent, actsFor, ...(alone && { alone }), ...(tools && { tools }) };
}

function buildRule(rule: DeclaredRule, routed: string, around: Around, at: At): Allow {
  const { methods, tools, service, as } = rule;
  return {
    who: whoOf(rule, around),
    // An MCP message is a POST request (Streamable HTTP).
    ...((methods || tools) && { methods: methods ?? ['POST'] }),
    ...(service !== undefined && { service }),
    as: around.services[service ?? routed]?.direct === undefined ? as : '',
    at,
  };
}

/** Returns the credentials of a route without `accept`: bearer tokens and sessions, if the providers support them. */
function usualAccept(route: DeclaredRoute, names: readonly string[], { sessions, providers }: Around) {
  const own = names.flatMap((name) => providers[name] ?? []);
  const bearer = route.audiences !== undefined || own.some((it) => it.audiences.length > 0 || it.anyAudience);
  const session = sessions && own.some((it) => it.client !== undefined);
  return [...(bearer || !session ? (['bearer'] as const) : []), ...(session ? (['session'] as const) : [])];
}

function buildRoute(
  place: { readonly host: string; readonly providers: readonly string[] } & Pick<DeclaredHost, keyof typeof shared>,
  path: string,
  { insecureServiceWorkers, serviceWorkers, serviceCredential, ...declared }: DeclaredRoute,
  around: Around,
  at: Locate,
): Route {
  const { host, providers, ...outer } = place;
  const where = routePath(host, path);
  const { protocol, ingresses } = around.services[declared.service] ?? {};
  const grpc = protocol === 'grpc';
  const connect = usualConnect(ingresses, around.assertionLifetime);
  const hasProxySettings = outer.proxy !== undefined || declared.proxy !== undefined || grpc || ingresses !== undefined;
  const workers = insecureServiceWorkers ? ('anywhere' as const) : serviceWorkers && ('folder' as const);
  return named({
    name: host + path,
    host,
    path: path.endsWith('/*') ? path.slice(0, -2) : path,
    kind: path.endsWith('/*') ? ('prefix' as const) : ('exact' as const),
    ...declared,
    accept: declared.accept ?? usualAccept(declared, providers, around),
    serviceWorkers: workers,
    serviceCredential: serviceCredential && passingOn(serviceCredential, declared.service),
    allow: declared.allow.map((rule, i) => buildRule(rule, declared.service, around, at([...where, 'allow', i]))),
    headers: mergeHeaders(around.headers, outer.headers, declared.headers),
    proxy: hasProxySettings ? proxying(outer.proxy, declared.proxy, grpc, connect) : undefined,
    cors: corsOf(declared.cors === undefined ? outer.cors : declared.cors, declared.allow),
    owner: declared.owner ?? outer.owner,
    ask: declared.ask ?? outer.ask,
    at: at(where),
  });
}

export function buildHost(name: string, declared: DeclaredHost, around: Around, at: Locate): Host {
  const { [ROUTES]: routes, providers = Object.keys(around.providers), tls, limit } = declared;
  const place = { ...declared, host: name, providers };
  return named({
    name,
    providers,
    ...shown(tls),
    clientCaFile: tls?.clientCaFile ?? around.clientCaFile,
    limit,
    routes: Object.entries(routes).map(([path, route]) => buildRoute(place, path, route, around, at)),
    at: at(['hosts', name]),
  });
}
