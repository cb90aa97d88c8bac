/**
 * Linkerd's policy objects as its API server and policy controller take them: defaults filled in, anything unknown
 * refused. The definitions are those of linkerd2 b24cd405, charts/linkerd-crds/templates/policy.
 */

export interface Server {
  readonly kind: 'Server';
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
  readonly accessPolicy: string;
  readonly protocol: string;
}

export interface Match {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly value: string;
  readonly method?: string;
}

export interface HttpRoute {
  readonly kind: 'HTTPRoute';
  readonly namespace: string;
  readonly name: string;
  readonly servers: readonly string[];
  readonly hostnames: readonly string[];
  /** Each with matches of which one is enough; a rule without matches needs none. */
  readonly rules: readonly (readonly Match[])[];
}

export interface AuthorizationPolicy {
  readonly kind: 'AuthorizationPolicy';
  readonly namespace: string;
  readonly name: string;
  readonly target: { readonly kind: 'Server' | 'HTTPRoute'; readonly name: string };
  /** `namespace/name` of what clients must have: all of them. */
  readonly required: readonly string[];
}

export interface MeshTlsAuthentication {
  readonly kind: 'MeshTLSAuthentication';
  readonly namespace: string;
  readonly name: string;
  readonly identities: readonly string[];
}

export type LinkerdObject = Server | HttpRoute | AuthorizationPolicy | MeshTlsAuthentication;

const GROUP = 'policy.linkerd.io';

/** Versions that the definitions serve. */
const VERSIONS: Readonly<Record<LinkerdObject['kind'], readonly string[]>> = {
  Server: ['v1beta3'],
  HTTPRoute: ['v1beta3'],
  AuthorizationPolicy: ['v1alpha1'],
  MeshTLSAuthentication: ['v1alpha1'],
};

const ACCESS = [
  ...['all-unauthenticated', 'all-authenticated', 'cluster-authenticated', 'cluster-unauthenticated'],
  ...['deny', 'audit'],
];
const PROTOCOLS = ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

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

function list(value: unknown, most = 1000): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) throw new Refused('not a list, or too long');
  return value;
}

const NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAMESPACE = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const HOSTNAME = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** The checks of the admission webhook: policy-controller/runtime/src/validation.rs. */
const IDENTITY =
  /^(spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)*|(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$/;

function reference(value: unknown, kinds: readonly string[], more: readonly string[] = []): Fields {
  const ref = fields(value, ['group', 'kind', 'name', ...more], ['kind', 'name']);
  // The webhook: an empty group is the core one, and has none of these kinds.
  oneOf(ref.group, [GROUP]);
  oneOf(ref.kind, kinds);
  text(ref.name, /^.{1,253}$/);
  return ref;
}

interface Meta {
  readonly namespace: string;
  readonly name: string;
}

function server(meta: Meta, value: unknown): Server {
  const spec = fields(value, ['podSelector', 'port', 'accessPolicy', 'proxyProtocol'], ['podSelector', 'port']);
  const { matchLabels = {} } = fields(spec.podSelector, ['matchLabels'], []);
  if (typeof spec.port !== 'number' || spec.port < 1 || spec.port > 65535) throw new Refused('port');
  return {
    kind: 'Server',
    ...meta,
    labels: matchLabels as Record<string, string>,
    port: spec.port,
    accessPolicy: oneOf(spec.accessPolicy ?? 'deny', ACCESS),
    protocol: oneOf(spec.proxyProtocol ?? 'unknown', PROTOCOLS),
  };
}

function match(value: unknown): Match {
  const { path = {}, method } = fields(value, ['path', 'method'], []);
  const { type = 'PathPrefix', value: own = '/' } = fields(path, ['type', 'value'], []);
  const kind = oneOf(type, ['Exact', 'PathPrefix', 'RegularExpression'] as const);
  const found = text(own, kind === 'RegularExpression' ? /^.{1,1024}$/ : /^\/.{0,1023}$/);
  return { type: kind, value: found, ...(method !== undefined && { method: oneOf(method, METHODS) }) };
}

const EVERYTHING: Match = { type: 'PathPrefix', value: '/' };

function httpRoute(meta: Meta, value: unknown): HttpRoute {
  const spec = fields(value, ['parentRefs', 'hostnames', 'rules'], []);
  const parents = list(spec.parentRefs ?? [], 32).map((parent) => {
    const ref = fields(parent, ['group', 'kind', 'name'], ['name']);
    return { group: ref.group ?? GROUP, kind: ref.kind ?? 'Gateway', name: text(ref.name, /^.{1,253}$/) };
  });
  const rules = list(spec.rules ?? [{}], 16).map((rule) => {
    const { matches } = fields(rule, ['matches'], []);
    return matches === undefined ? [EVERYTHING] : list(matches, 8).map(match);
  });
  return {
    kind: 'HTTPRoute',
    ...meta,
    // The policy controller ignores parents that are not a Server of its own.
    servers: parents.flatMap(({ group, kind, name }) => (group === GROUP && kind === 'Server' ? name : [])),
    hostnames: list(spec.hostnames ?? [], 16).map((host) => text(host, HOSTNAME)),
    rules,
  };
}

function authorizationPolicy(meta: Meta, value: unknown): AuthorizationPolicy {
  const spec = fields(value, ['targetRef', 'requiredAuthenticationRefs']);
  const target = reference(spec.targetRef, ['Server', 'HTTPRoute']);
  const required = list(spec.requiredAuthenticationRefs).map((it) => {
    const ref = reference(it, ['MeshTLSAuthentication'], ['namespace']);
    return `${ref.namespace ?? meta.namespace}/${ref.name}`;
  });
  if (required.length > 1) throw new Refused('only a single MeshTLSAuthentication may be set');
  return {
    kind: 'AuthorizationPolicy',
    ...meta,
    target: { kind: oneOf(target.kind, ['Server', 'HTTPRoute'] as const), name: String(target.name) },
    required,
  };
}

function authentication(meta: Meta, value: unknown): MeshTlsAuthentication {
  const { identities } = fields(value, ['identities']);
  const found = list(identities).map((id) => text(id, IDENTITY));
  if (found.length === 0) throw new Refused('no identities');
  return { kind: 'MeshTLSAuthentication', ...meta, identities: found };
}

const READERS: { readonly [Kind in LinkerdObject['kind']]: (meta: Meta, spec: unknown) => LinkerdObject } = {
  Server: server,
  HTTPRoute: httpRoute,
  AuthorizationPolicy: authorizationPolicy,
  MeshTLSAuthentication: authentication,
};

/**
 * Reads an object as `kubectl apply` would accept it.
 *
 * @throws Error for what API server or admission webhook refuse, and for fields that nothing here evaluates
 */
export function takenIn(value: unknown): LinkerdObject {
  const { apiVersion, kind, metadata, spec } = fields(value, ['apiVersion', 'kind', 'metadata', 'spec']);
  const known = oneOf(kind, Object.keys(READERS) as LinkerdObject['kind'][]);
  const [group, version] = String(apiVersion).split('/');
  oneOf(group, [GROUP]);
  oneOf(version, VERSIONS[known]);
  const { name, namespace } = fields(metadata, ['name', 'namespace', 'labels'], ['name']);
  // Without one, kubectl uses its own namespace.
  return READERS[known]({ name: text(name, NAME), namespace: text(namespace ?? 'default', NAMESPACE) }, spec);
}
