/**
 * Linkerd's policy objects as its API server and admission webhook take them: defaults filled in, anything unknown
 * refused. The definitions are those of linkerd2 b24cd405, charts/linkerd-crds/templates/policy.
 */
import { expressionOf } from './expressions.ts';
import { isInNetwork, networkOf } from './networks.ts';
import type {
  AuthorizationPolicy,
  Condition,
  HttpRoute,
  LinkerdObject,
  Match,
  MeshTlsAuthentication,
  NetworkAuthentication,
  Selector,
  Server,
} from './objects.ts';

const GROUP = 'policy.linkerd.io';

/** Versions that the definitions serve. */
const VERSIONS: Readonly<Record<LinkerdObject['kind'], readonly string[]>> = {
  Server: ['v1beta1', 'v1beta2', 'v1beta3'],
  HTTPRoute: ['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3'],
  AuthorizationPolicy: ['v1alpha1'],
  MeshTLSAuthentication: ['v1alpha1'],
  NetworkAuthentication: ['v1alpha1'],
};

const ACCESS = [
  ...['all-unauthenticated', 'all-authenticated', 'cluster-authenticated', 'cluster-unauthenticated'],
  ...['deny', 'audit'],
];
const PROTOCOLS = ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

type Fields = Readonly<Record<string, unknown>>;

class Refused extends Error {}

/** The fields of a mapping: only these, and all required ones. */
function fields(value: unknown, known: readonly string[], required: readonly string[] = known): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused('not a mapping');
  for (const key of Object.keys(value)) if (!known.includes(key)) throw new Refused(`unknown field ${key}`);
  for (const key of required) if (!Object.hasOwn(value, key)) throw new Refused(`missing field ${key}`);
  return value as Fields;
}

function text(value: unknown, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new Refused(`invalid value ${JSON.stringify(value)}`);
  return value;
}

function oneOf<T extends string>(value: unknown, values: readonly T[]): T {
  const found = values.find((it) => it === value);
  if (found === undefined) throw new Refused(`unsupported value ${JSON.stringify(value)}`);
  return found;
}

function list(value: unknown, most = 1000, least = 0): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most || value.length < least)
    throw new Refused('not a list of that size');
  return value;
}

const NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAMESPACE = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const HOSTNAME = /^(?=.{1,253}$)(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const HEADER = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}$/;
/** The checks of the admission webhook: policy-controller/runtime/src/validation.rs. */
const IDENTITY =
  /^(spiffe:\/\/[a-z0-9._-]+(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)*|(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$/;

const ANY = /^.{1,253}$/;

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A reference to one of these kinds, as `group/Kind`. The case of the kind means nothing. */
function reference(value: unknown, kinds: readonly string[], more: readonly string[] = []): Reference {
  const { group = '', kind, name, namespace } = fields(value, ['group', 'kind', 'name', ...more], ['kind', 'name']);
  const reported = `${text(group, /^$|^(?!.*[A-Z])/).replace(/^core$/, '')}/${kind}`.toLowerCase();
  const found = kinds.find((it) => it.toLowerCase() === reported);
  if (found === undefined) throw new Refused(`unsupported kind ${reported}`);
  if (found === '/Namespace' && namespace !== undefined) throw new Refused('a namespace has no namespace');
  const at = namespace === undefined ? {} : { namespace: text(namespace, NAMESPACE) };
  return { kind: reported.split('/')[1] as string, name: text(name, ANY), ...at };
}

type Meta = Pick<Server, 'namespace' | 'name' | 'created'>;

function selector(value: unknown): Selector {
  const { matchLabels = {}, matchExpressions = [] } = fields(value, ['matchLabels', 'matchExpressions'], []);
  const expressions = list(matchExpressions).map((it) => {
    const { key, operator, values = [] } = fields(it, ['key', 'operator', 'values'], ['key', 'operator']);
    return { key: text(key, ANY), operator: oneOf(operator, OPERATORS), values: list(values).map(String) };
  });
  return { labels: matchLabels as Record<string, string>, expressions };
}

function server(meta: Meta, value: unknown, version: string): Server {
  const access = version === 'v1beta3' ? ['accessPolicy'] : [];
  const spec = fields(value, ['podSelector', 'port', 'proxyProtocol', ...access], ['podSelector', 'port']);
  const { port } = spec;
  const isPort = typeof port === 'string' || (typeof port === 'number' && port >= 1 && port <= 65535);
  if (!isPort) throw new Refused('port');
  return {
    kind: 'Server',
    ...meta,
    pods: selector(spec.podSelector),
    port,
    accessPolicy: oneOf(spec.accessPolicy ?? 'deny', ACCESS),
    protocol: oneOf(spec.proxyProtocol ?? 'unknown', PROTOCOLS),
  };
}

function expression(value: string): string {
  try {
    expressionOf(value);
  } catch (error) {
    throw new Refused((error as Error).message);
  }
  return value;
}

function conditions(value: unknown): readonly Condition[] {
  const all = list(value ?? [], 16).map((it): Condition => {
    const { name, value: own, type = 'Exact' } = fields(it, ['name', 'value', 'type'], ['name', 'value']);
    const isExpression = oneOf(type, ['Exact', 'RegularExpression']) === 'RegularExpression';
    const reported = text(own, /^.{1,4096}$/s);
    return { name: text(name, /^.{1,256}$/), value: isExpression ? expression(reported) : reported, isExpression };
  });
  if (new Set(all.map(({ name }) => name)).size < all.length) throw new Refused('a name twice');
  return all;
}

function match(value: unknown): Match {
  const { path = {}, method, headers, queryParams } = fields(value, ['path', 'method', 'headers', 'queryParams'], []);
  const { type = 'PathPrefix', value: own = '/' } = fields(path, ['type', 'value'], []);
  const kind = oneOf(type, ['Exact', 'PathPrefix', 'RegularExpression'] as const);
  const found = text(own, kind === 'RegularExpression' ? /^.{0,1024}$/ : /^\/.{0,1023}$/);
  const named = conditions(headers);
  for (const { name } of named) text(name, HEADER);
  return {
    type: kind,
    value: kind === 'RegularExpression' ? expression(found) : found,
    ...(method !== undefined && { method: oneOf(method, METHODS) }),
    headers: named,
    query: conditions(queryParams),
  };
}

function httpRoute(meta: Meta, value: unknown): HttpRoute {
  const spec = fields(value, ['parentRefs', 'hostnames', 'rules'], []);
  const parents = list(spec.parentRefs ?? [], 32).map((parent) => {
    const known = ['group', 'kind', 'name', 'namespace', 'port', 'sectionName'];
    const { group = 'gateway.networking.k8s.io', kind = 'Gateway', name, namespace } = fields(parent, known, ['name']);
    return { group, kind, server: `${namespace ?? meta.namespace}/${text(name, ANY)}` };
  });
  const rules = list(spec.rules ?? [{}], 16).map((rule) =>
    list(fields(rule, ['matches'], []).matches ?? [], 8).map(match),
  );
  return {
    kind: 'HTTPRoute',
    ...meta,
    // The policy controller ignores parents that are not a Server of its own.
    servers: parents.flatMap(({ group, kind, server }) => (group === GROUP && kind === 'Server' ? server : [])),
    hostnames: list(spec.hostnames ?? [], 16).map((host) => text(host, HOSTNAME)),
    rules,
  };
}

const ROUTES = 'gateway.networking.k8s.io';
const TARGETS = [`${GROUP}/Server`, `${GROUP}/HTTPRoute`, `${ROUTES}/HTTPRoute`, `${ROUTES}/GRPCRoute`, '/Namespace'];
const REQUIRED = [`${GROUP}/MeshTLSAuthentication`, `${GROUP}/NetworkAuthentication`, '/ServiceAccount'];

function authorizationPolicy(meta: Meta, value: unknown): AuthorizationPolicy {
  const spec = fields(value, ['targetRef', 'requiredAuthenticationRefs']);
  const target = reference(spec.targetRef, TARGETS);
  if (target.kind === 'namespace' && target.name !== meta.namespace) throw new Refused('another namespace');
  const required = list(spec.requiredAuthenticationRefs).map((it) => {
    const ref = reference(it, REQUIRED, ['namespace']);
    return { namespace: meta.namespace, ...ref };
  });
  const networks = required.filter(({ kind }) => kind === 'networkauthentication');
  if (networks.length > 1 || required.length - networks.length > 1) throw new Refused('more than one of a kind');
  return { kind: 'AuthorizationPolicy', ...meta, target, required };
}

function meshTls(meta: Meta, value: unknown): MeshTlsAuthentication {
  const { identities, identityRefs } = fields(value, ['identities', 'identityRefs'], []);
  if ((identities === undefined) === (identityRefs === undefined)) throw new Refused('not one of the two');
  const refs = list(identityRefs ?? [1], 1000, 1).flatMap((it) =>
    identityRefs === undefined ? [] : reference(it, ['/ServiceAccount', '/Namespace'], ['namespace']),
  );
  return {
    kind: 'MeshTLSAuthentication',
    ...meta,
    identities: list(identities ?? [''], 1000, 1).flatMap((id) => (identities === undefined ? [] : text(id, IDENTITY))),
    accounts: refs.map(({ kind, name, namespace = meta.namespace }) =>
      kind === 'namespace' ? { namespace: name } : { namespace, name },
    ),
  };
}

/** Whether a network is a smaller part of another. */
function isPart(part: string, entire: string): boolean {
  const [inner, outer] = [networkOf(part), networkOf(entire)];
  return inner !== undefined && outer !== undefined && inner.version === outer.version && inner.length > outer.length;
}

function network(meta: Meta, value: unknown): NetworkAuthentication {
  const { networks } = fields(value, ['networks']);
  const all = list(networks, 1000, 1).map((it) => {
    const { cidr, except = [] } = fields(it, ['cidr', 'except'], ['cidr']);
    const own = text(cidr, ANY);
    if (networkOf(own) === undefined) throw new Refused('no network');
    const parts = list(except).map((part) => text(part, ANY));
    const isInside = (part: string) => isPart(part, own) && isInNetwork(part.split('/')[0] as string, own);
    if (!parts.every(isInside)) throw new Refused('an exception outside of the network');
    return { cidr: own, except: parts };
  });
  return { kind: 'NetworkAuthentication', ...meta, networks: all };
}

const READERS: {
  readonly [Kind in LinkerdObject['kind']]: (meta: Meta, spec: unknown, version: string) => LinkerdObject;
} = {
  Server: server,
  HTTPRoute: httpRoute,
  AuthorizationPolicy: authorizationPolicy,
  MeshTLSAuthentication: meshTls,
  NetworkAuthentication: network,
};

/**
 * Reads an object as `kubectl apply` would accept it.
 *
 * @param created when it was created; of several objects, the older one counts
 * @throws Error for what API server or admission webhook refuse, and for fields that nothing here evaluates
 */
export function takenIn(value: unknown, created = ''): LinkerdObject {
  const { apiVersion, kind, metadata, spec } = fields(value, ['apiVersion', 'kind', 'metadata', 'spec']);
  const known = oneOf(kind, Object.keys(READERS) as LinkerdObject['kind'][]);
  const [group, version = ''] = String(apiVersion).split('/');
  oneOf(group, [GROUP]);
  oneOf(version, VERSIONS[known]);
  const { name, namespace } = fields(metadata, ['name', 'namespace', 'labels'], ['name']);
  // Without one, kubectl uses its own namespace.
  const meta = { name: text(name, NAME), namespace: text(namespace ?? 'default', NAMESPACE), created };
  return READERS[known](meta, spec, version);
}
