import type { Findings } from '../findings.ts';
import { isHostName, truthOf } from '../text-forms.ts';
import type { Ingress, IngressPath } from './read.ts';
import type { Annotations } from './settings.ts';
import { meaningful } from './values.ts';

/** An Ingress with what its annotations say. */
export interface Read {
  readonly ingress: Ingress;
  readonly annotations: Annotations;
  /** Set if `strict-validate-path-type` may have kept this Ingress from the cluster. */
  readonly isRejected: boolean;
}

/** A path of an Ingress at a host. `none`: it has no location of its own in the policy, and counts for the whole host
 * only. */
export interface Entry extends Read {
  readonly path: IngressPath;
  readonly location: 'usual' | 'closed' | 'none';
}

/** Whether `strict-validate-path-type` rejects an Ingress: 1.12 and later have it unless the ConfigMap says otherwise. */
export function isRejected({ paths }: Ingress, controller: ReadonlyMap<string, string>): boolean {
  if (truthOf(controller.get('strict-validate-path-type')?.trim()) === false) return false;
  return paths.some(
    ({ path, type }) => path !== '' && type !== 'ImplementationSpecific' && !/^\/[A-Za-z0-9._/-]*$/.test(path),
  );
}

/** Whether a path leads to oauth2-proxy. */
export const isOauth2Proxy = ({ path, service }: IngressPath): boolean =>
  /oauth2?-?proxy/i.test(service) || (/^\/oauth2?(?:\/|$|\()/.test(path) && /oauth/i.test(service));

/** Whether a path has only the pages of oauth2-proxy itself. */
const isSignIn = ({ path }: IngressPath): boolean => /^\/oauth2?(?:\/|$|\()/.test(path);

const isCanary = ({ annotations }: Read): boolean => annotations.is('canary');

/** Whether ingress-nginx surely serves an Ingress. */
const isSure = ({ annotations, isRejected }: Read): boolean => !annotations.isUnclear && !isRejected;

/** Returns the entries by host. The pages of oauth2-proxy itself are left out: the gateway answers them. A host without
 * entries is one that must not get the rules of a wildcard. */
export function entriesByHost(all: readonly Read[], findings: Findings): ReadonlyMap<string, readonly Entry[]> {
  const hosts = new Map<string, Entry[]>();
  const add = (host: string, entry: Entry) => hosts.set(host, [...(hosts.get(host) ?? []), entry]);
  for (const read of all.filter((it) => !isCanary(it))) {
    const { ingress } = read;
    const of = `${ingress.namespace}/${ingress.name}`;
    for (const path of ingress.paths) {
      if (!isHostName(path.host)) {
        findings.ask(
          `${of} ${path.path}`,
          'a policy has no paths without a host: write the names of the hosts for this service',
        );
        continue;
      }
      const isOwn = isOauth2Proxy(path) && isSignIn(path);
      if (isOwn) {
        const to = '/.meshgate/signin and its neighbours: the gateway signs people in itself';
        findings.migrated(`${of} ${path.path}`, to);
      }
      const location = isOwn || path.path === '' ? 'none' : path.service === '' ? 'closed' : 'usual';
      add(path.host, { ...read, path, location });
    }
  }
  for (const read of all.filter(isCanary)) {
    for (const path of read.ingress.paths.filter((it) => it.path !== '' && hosts.has(it.host))) {
      const isKnown = hosts.get(path.host)?.some((it) => it.path.path === path.path) === true;
      add(path.host, { ...read, path, location: isKnown ? 'none' : 'closed' });
    }
  }
  return withAliases(hosts, findings);
}

/** Adds the aliases of hosts. An alias is for all paths of the host, also for those of other Ingresses. ingress-nginx takes
 * the aliases of the oldest Ingress of a host, and of hosts with one alias one of them: the files do not say which. */
function withAliases(
  hosts: ReadonlyMap<string, readonly Entry[]>,
  findings: Findings,
): ReadonlyMap<string, readonly Entry[]> {
  const all = new Map(hosts);
  const wanted = [...hosts].flatMap(([host, entries]) => {
    const withAlias = entries.filter((it) => !isCanary(it) && it.annotations.list('server-alias').length > 0);
    return withAlias.flatMap(({ annotations }) =>
      annotations.list('server-alias').map((it) => ({
        host,
        alias: it.toLowerCase(),
        label: annotations.label('server-alias'),
        isClear:
          withAlias.every((other) => other.annotations.list('server-alias').includes(it)) && withAlias.some(isSure),
      })),
    );
  });
  for (const { host, alias, label, isClear } of wanted) {
    const others = wanted.filter((it) => it.alias === alias && it.host !== host);
    const below = [...hosts.keys()].find((it) => it !== host && it.startsWith('*.') && it.endsWith(alias.slice(1)));
    if (!isHostName(alias))
      findings.lose(label, 'an alias that is an expression is left out: write the names of the hosts');
    else if (hosts.has(alias) && alias !== host)
      findings.lose(label, `${alias} is a host of its own, which ingress-nginx prefers`);
    else if (!isClear || others.length > 0) {
      const why = 'because Ingresses differ in whose alias it is, or ingress-nginx does not serve the Ingress';
      findings.lose(label, `${alias} is left out, ${why}: write this host`);
      all.set(alias, []);
    } else all.set(alias, hosts.get(host) ?? []);
    if (alias.startsWith('*.') && below !== undefined)
      findings.differ(label, `ingress-nginx prefers the alias ${alias} to ${below}, and a policy does not`, true);
  }
  return all;
}

/** The Service behind a path, as ingress-nginx names it. */
const serviceOf = ({ ingress, path }: Pick<Entry, 'ingress' | 'path'>): string =>
  `${ingress.namespace}/${path.service}:${path.port}`;

/** Returns the Services that a canary and another Ingress name. If the canary is older, ingress-nginx has no location for
 * the paths of both, and if it is younger, the paths of the canary are locations with its own annotations. */
function sharedServices(all: readonly Read[]): ReadonlySet<string> {
  const named = (those: readonly Read[]) =>
    new Set(
      those.flatMap(({ ingress }) =>
        ingress.paths.filter((it) => it.service !== '').map((path) => serviceOf({ ingress, path })),
      ),
    );
  const usual = named(all.filter((it) => !isCanary(it)));
  return new Set([...named(all.filter(isCanary))].filter((it) => usual.has(it)));
}

/** Returns a function that tells whether a canary shares a Service with the primary Ingress of an entry. */
export function canarySharing(all: readonly Read[]): (entry: Entry) => boolean {
  const shared = sharedServices(all);
  return (entry) => entry.path.service !== '' && shared.has(serviceOf(entry));
}

/** Whether the files say it; `unknown` if it depends on what they do not say. */
type Declared = 'yes' | 'no' | 'unknown';

/** Whether a location with these annotations makes ingress-nginx compare all paths of its host as expressions.
 * ingress-nginx adds a slash to a prefix before it compares the path with the target of a rewrite. */
function forcesRegex({ annotations, isRejected: mayBeMissing }: Entry, { path, type }: IngressPath): Declared {
  const target = annotations.text('rewrite-target');
  const isSame = target === path && (path.endsWith('/') || type === 'Exact');
  const isRewritten = target !== undefined && !isSame;
  if (!annotations.is('use-regex') && !isRewritten) return 'no';
  const isClear = annotations.is('use-regex') || meaningful['rewrite-target']?.(target ?? '', '') === true;
  return isClear && !annotations.isUnclear && !mayBeMissing ? 'yes' : 'unknown';
}

const locationKey = ({ path, type }: IngressPath): string => `${type === 'Exact' ? 'exact' : 'prefix'} ${path}`;

/** Whether ingress-nginx compares all paths of a host as expressions. Only its locations decide: a canary has none, nor
 * has a backend that is no Service. Of two Ingresses with the same path, the older one has the location. If no Ingress has
 * the path /, the location / has the annotations of the oldest Ingress of the host, also of one without paths. */
export function isRegexHost(entries: readonly Entry[]): Declared {
  const usual = entries.filter((it) => !isCanary(it));
  const located = new Map<string, readonly Entry[]>();
  for (const entry of usual.filter(({ path }) => path.service !== '')) {
    const key = locationKey(entry.path);
    located.set(key, [...(located.get(key) ?? []), entry]);
  }
  const declared = [...located.values()].map((those) => those.map((it) => forcesRegex(it, it.path)));
  if (located.get('prefix /')?.some(isSure) !== true)
    declared.push(usual.map((it) => forcesRegex(it, { ...it.path, path: '/', type: 'Prefix' })));
  if (declared.some((those) => those.length > 0 && those.every((it) => it === 'yes'))) return 'yes';
  return declared.flat().every((it) => it === 'no') ? 'no' : 'unknown';
}
