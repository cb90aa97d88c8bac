import { pathMistake } from '../../policy/check/routes/hosts.ts';
import {
  groupOf,
  isOf,
  type KubeFiles,
  kubeFiles,
  type LiveObject,
  objectOwner,
  objectTitle,
} from '../kit/kubernetes-objects.ts';
import { NAMED } from '../kit/methods.ts';
import { nonCanonicalPatterns } from '../kit/non-canonical-paths.ts';
import { checkMembers, perFiles, requireSameForm, unreadable } from '../kit/reading.ts';
import { Foreign } from '../types.ts';
import { GROUP, type LinkerdObject, MAX_MATCHES, MAX_RULES, NEUTRAL, object } from './objects.ts';
import { isForUpdate } from './update.ts';

interface Ref {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface RequestMatch {
  readonly path?: { readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value?: string };
  readonly method?: string;
}

/** A route, with everything that decides about its requests. */
export type ReadRoute = ReturnType<typeof routesIn>[number];

/** How to get files from a cluster that can be read. */
const ASK =
  'get the objects of Linkerd with: kubectl get -A -o yaml servers.policy.linkerd.io,httproutes.policy.linkerd.io,authorizationpolicies.policy.linkerd.io,meshtlsauthentications.policy.linkerd.io,networkauthentications.policy.linkerd.io,serverauthorizations.policy.linkerd.io,serviceprofiles.linkerd.io';

/** The objects in some files. */
export const linkerdFiles = perFiles((files): KubeFiles => kubeFiles(files, ASK));

const idOf = ({ metadata }: LiveObject, name: unknown = metadata.name): string => `${metadata.namespace}/${name}`;

/** Whether a route has regular expressions, which are rendered only to deny paths that are not canonical. */
export const withNonCanonicalPaths = ({ kind, spec }: LiveObject): boolean =>
  kind === 'HTTPRoute' && JSON.stringify(spec ?? {}).includes('"RegularExpression"');

/** Checks that an object contains nothing besides the parts that the reader understood. */
function checkObject(live: LiveObject, kind: LinkerdObject['kind'], spec: unknown): void {
  const { name, namespace = '' } = live.metadata;
  requireSameForm(
    object(objectOwner(live) ?? '', kind, { name, namespace }, spec),
    live,
    { neutral: NEUTRAL },
    `${objectTitle(live)}: `,
  );
}

function checkServer(server: LiveObject): void {
  const { accessPolicy = 'deny', proxyProtocol = 'unknown' } = server.spec as Readonly<Record<string, string>>;
  if (accessPolicy !== 'deny')
    throw unreadable(
      objectTitle(server),
      `its accessPolicy is ${accessPolicy}, so Linkerd allows more than the routes`,
    );
  if (!['unknown', 'HTTP/1', 'HTTP/2'].includes(proxyProtocol))
    throw unreadable(objectTitle(server), `its proxyProtocol is ${proxyProtocol}, so Linkerd ignores all routes`);
}

const PATH_TYPES = ['Exact', 'PathPrefix', 'RegularExpression'];

/** Whether an expression is one that meshgate renders to deny paths which are not canonical. */
function isNonCanonicalPattern(value: string): boolean {
  const [plain = ''] = nonCanonicalPatterns([]);
  const start = `(${plain}|^[^?]*%(`;
  return value === plain || (value.startsWith(start) && /^[0-9a-fA-F[\]|]+\)\.\*\)$/.test(value.slice(start.length)));
}

/** Whether a path is absolute. Linkerd rejects any other path. */
const isComplete = ({ type, value = '/' }: NonNullable<RequestMatch['path']>): boolean =>
  type === 'RegularExpression' || (typeof value === 'string' && value.startsWith('/'));

function matchesOf(rule: { readonly matches?: readonly RequestMatch[] }, title: string): readonly RequestMatch[] {
  checkMembers(rule, ['matches'], title);
  const { matches = [] } = rule;
  // A rule without matches applies to every request.
  if (matches.length === 0) throw unreadable(title, 'a rule without matches matches every path');
  if (matches.length > MAX_MATCHES)
    throw unreadable(title, `a rule has more than ${MAX_MATCHES} matches, so Linkerd does not accept the route`);
  for (const match of matches) {
    checkMembers(match, ['path', 'method'], title);
    if (match.method !== undefined && !NAMED.includes(match.method))
      throw unreadable(title, `routes of Linkerd cannot name the method ${match.method}`);
    const { type, value = '' } = match.path ?? {};
    if (!isComplete(match.path ?? {}))
      throw unreadable(title, `a path does not begin with /, so Linkerd does not accept the route: ${value}`);
    if (type !== undefined && !PATH_TYPES.includes(type)) throw unreadable(title, `Linkerd has no path type ${type}`);
    if (type === 'RegularExpression') {
      if (!isNonCanonicalPattern(value)) throw unreadable(title, `meshgate does not render the pattern ${value}`);
    } else if (value !== '' && pathMistake(value) !== undefined) {
      // Linkerd compares lengths before methods. So this path could take precedence over the expression that denies
      // paths which are not canonical.
      throw unreadable(title, `a policy cannot have the path ${value}`);
    }
  }
  return matches;
}

/** For each route, the identities that it allows. */
function clientsOf(objects: readonly LiveObject[]): ReadonlyMap<string, readonly string[]> {
  const of = (kind: string) => objects.filter((object) => object.kind === kind);
  const identities = new Map(
    of('MeshTLSAuthentication').map((it) => [idOf(it), (it.spec as { identities?: readonly string[] }).identities]),
  );
  // Of several objects with one name, the last one counts here. The others have to be like it.
  for (const it of of('MeshTLSAuthentication')) {
    checkObject(it, 'MeshTLSAuthentication', { identities: identities.get(idOf(it)) });
  }
  const routes = new Set(of('HTTPRoute').map((it) => idOf(it)));
  const clients = new Map<string, readonly string[]>();
  for (const object of of('AuthorizationPolicy')) {
    const { targetRef, requiredAuthenticationRefs: required } = object.spec as {
      readonly targetRef: Ref;
      readonly requiredAuthenticationRefs: readonly Ref[];
    };
    const [ref, ...more] = required;
    const found = ref && identities.get(`${ref.namespace ?? object.metadata.namespace}/${ref.name}`);
    const title = objectTitle(object);
    if (targetRef.kind !== 'HTTPRoute' || targetRef.name === undefined)
      throw unreadable(title, `it applies to a whole ${targetRef.kind}, and allows more than the routes`);
    if (found === undefined || more.length > 0 || ref?.kind !== 'MeshTLSAuthentication')
      throw unreadable(title, 'it does not require exactly one existing MeshTLSAuthentication');
    checkObject(object, 'AuthorizationPolicy', {
      targetRef: { group: GROUP, kind: 'HTTPRoute', name: targetRef.name },
      requiredAuthenticationRefs: [{ group: GROUP, kind: 'MeshTLSAuthentication', name: ref.name }],
    });
    const route = idOf(object, targetRef.name);
    // Linkerd ignores the case of this name.
    if (!routes.has(route)) throw unreadable(title, 'it applies to an HTTPRoute that does not exist');
    clients.set(route, [...(clients.get(route) ?? []), ...found]);
  }
  return clients;
}

const GROUPS = ['policy.linkerd.io', 'gateway.networking.k8s.io', 'linkerd.io', 'split.smi-spec.io'];

/** The name under which the policy controller writes statuses. */
const CONTROLLER = 'linkerd.io/policy-controller';

interface RouteStatus {
  readonly parents?: readonly {
    readonly controllerName?: string;
    readonly parentRef?: Partial<Ref>;
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  }[];
}

/** Checks that the policy controller has accepted a live route. A route in a file has no status. */
function checkAccepted(route: LiveObject, server: string): void {
  if (route.metadata.uid === undefined && route.status === undefined) return;
  const { parents = [] } = (route.status ?? {}) as RouteStatus;
  const { namespace } = route.metadata;
  const declared = parents
    .filter(
      ({ controllerName, parentRef }) =>
        controllerName === CONTROLLER &&
        parentRef?.kind === 'Server' &&
        parentRef.name === server &&
        (parentRef.namespace ?? namespace) === namespace,
    )
    .flatMap(({ conditions = [] }) => conditions.filter(({ type }) => type === 'Accepted'));
  if (declared.length === 0 || declared.some(({ status }) => status !== 'True'))
    throw unreadable(objectTitle(route), 'Linkerd has not accepted it, so it has no effect');
}

function readRoute(route: LiveObject, servers: ReadonlySet<string>) {
  const spec = route.spec as {
    readonly parentRefs: readonly Ref[];
    readonly hostnames?: readonly string[];
    readonly rules: readonly { readonly matches?: readonly RequestMatch[] }[];
  };
  const [parent, ...more] = spec.parentRefs;
  const server = idOf(route, parent?.name);
  const title = objectTitle(route);
  if (parent?.kind !== 'Server' || more.length > 0 || !servers.has(server))
    throw unreadable(title, 'it does not belong to exactly one existing Server');
  if (spec.rules.length === 0 || spec.rules.length > MAX_RULES)
    throw unreadable(title, `a route must have from 1 to ${MAX_RULES} rules, or Linkerd does not accept it`);
  const rules = spec.rules.map((rule) => matchesOf(rule, title));
  checkObject(route, 'HTTPRoute', {
    parentRefs: [{ group: GROUP, kind: 'Server', name: parent.name }],
    hostnames: spec.hostnames,
    rules: rules.map((matches) => ({
      matches: matches.map(({ path, method }) => ({
        path: { type: path?.type ?? 'PathPrefix', value: path?.value ?? '/' },
        method,
      })),
    })),
  });
  checkAccepted(route, parent.name);
  return {
    id: idOf(route),
    created: route.metadata.creationTimestamp ?? '',
    server,
    hosts: spec.hostnames ?? [],
    matches: rules.flat(),
  };
}

/** Reads routes from rendered objects or from the output of `kubectl get`.
 * @throws Foreign if an object is not of Linkerd, or if there is none; Error for what meshgate does not render */
export function routesIn(objects: readonly LiveObject[], owner: string) {
  if (objects.length === 0) throw new Foreign(`no objects; ${ASK}`);
  const strange = objects.find((it) => !GROUPS.includes(groupOf(it)));
  if (strange !== undefined) throw new Foreign(`${objectTitle(strange)} is not an object of Linkerd; ${ASK}`);
  // Copies for an update are reported, and not read.
  const own = objects.filter((it) => isOf(owner)(it) && !isForUpdate(it));
  const servers = own.filter(({ kind }) => kind === 'Server');
  servers.forEach(checkServer);
  const known = new Set(servers.map((server) => idOf(server)));
  const clients = clientsOf(own);
  return own
    .filter(({ kind }) => kind === 'HTTPRoute')
    .map((object) => ({ ...readRoute(object, known), clients: clients.get(idOf(object)) ?? [] }));
}
