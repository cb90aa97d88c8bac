import { comment, type Draft, type Mapping, type Rule } from '../draft.ts';
import type { Paths } from '../expressions.ts';
import type { Findings } from '../findings.ts';
import { isHostName } from '../forms.ts';
import { neverTrue, roleFor } from '../oauth2-proxy/access.ts';
import { TRUSTED } from '../oauth2-proxy/gateway.ts';
import { routesFor, type Served } from '../routes.ts';
import { placeOf } from './places.ts';
import { corsOf, limitOf, proxyOf } from './proxying.ts';
import type { Ingress, IngressPath, Manifests } from './read.ts';
import { addService } from './services.ts';
import type { Annotations } from './settings.ts';
import { isHarmless } from './snippets.ts';
import { all, certificatesOf, type Everywhere, type People, type Who, whoOf } from './who.ts';

/** An Ingress with what its annotations say. */
export interface Read {
  readonly ingress: Ingress;
  readonly annotations: Annotations;
}

/** A path of an Ingress at a host. `none`: it has no location of its own, and counts for the whole host only. */
interface Entry extends Read {
  readonly path: IngressPath;
  readonly location: 'usual' | 'closed' | 'none';
}

export interface Around {
  readonly manifests: Manifests;
  readonly everywhere: Everywhere;
  readonly people: People | undefined;
  /** Further rules where oauth2-proxy is asked. */
  readonly others: readonly Rule[];
  readonly draft: Draft;
  readonly findings: Findings;
}

const isOauth2Proxy = ({ path, service }: IngressPath): boolean =>
  /oauth2?-?proxy/i.test(service) || (/^\/oauth2?(?:\/|$|\()/.test(path) && /oauth/i.test(service));

/** Whether a path has only the pages of oauth2-proxy itself. */
const isSignIn = ({ path }: IngressPath): boolean => /^\/oauth2?(?:\/|$|\()/.test(path);

/** Returns the entries by host. The pages of oauth2-proxy itself are left out: the gateway answers them. */
export function entriesByHost(all: readonly Read[], findings: Findings): ReadonlyMap<string, readonly Entry[]> {
  const hosts = new Map<string, Entry[]>();
  const add = (host: string, entry: Entry) => hosts.set(host, [...(hosts.get(host) ?? []), entry]);
  const usual = all.filter(({ annotations }) => !annotations.is('canary'));
  for (const read of usual) {
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
        findings.carry(`${of} ${path.path}`, to);
      }
      add(path.host, { ...read, path, location: isOwn ? 'none' : 'usual' });
    }
  }
  for (const read of all.filter((it) => !usual.includes(it))) {
    for (const path of read.ingress.paths.filter((it) => hosts.has(it.host))) {
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
    const withAlias = entries.filter(({ annotations: it }) => !it.is('canary') && it.list('server-alias').length > 0);
    return withAlias.flatMap(({ annotations }) =>
      annotations.list('server-alias').map((it) => ({
        host,
        alias: it.toLowerCase(),
        label: annotations.label('server-alias'),
        isOfAll: withAlias.every((other) => other.annotations.list('server-alias').includes(it)),
      })),
    );
  });
  for (const { host, alias, label, isOfAll } of wanted) {
    const others = wanted.filter((it) => it.alias === alias && it.host !== host);
    if (!isHostName(alias))
      findings.lose(label, 'an alias that is an expression is left out: write the names of the hosts');
    else if (hosts.has(alias) && alias !== host)
      findings.lose(label, `${alias} is a host of its own, which ingress-nginx prefers`);
    else if (!isOfAll || others.length > 0)
      findings.lose(label, `${alias} is left out, because Ingresses differ in whose alias it is: write this host`);
    else all.set(alias, hosts.get(host) ?? []);
  }
  return all;
}

/** What an annotation demands besides callers: with it, the paths stay closed until a person has decided. */
function closings({ annotations, path, location }: Entry, findings: Findings): boolean {
  const close = (name: string, text: string) => {
    findings.ask(annotations.label(name), text);
    return true;
  };
  const target = annotations.text('rewrite-target');
  const isSame = target === '/$1' && path.path === '/(.*)';
  const snippet = annotations.text('configuration-snippet') ?? '';
  return [
    location === 'closed' &&
      close('canary', `no other Ingress has the path ${path.path.slice(0, 80)}, so it is closed: write who may pass`),
    // Left out, it would belong to a shorter path, which may be open.
    isOauth2Proxy(path) &&
      close(
        path.path,
        'the path is closed: it leads to oauth2-proxy. Migrate what stands behind it with "meshgate migrate oauth2-proxy --host HOST", and write the service and who may pass',
      ),
    target !== undefined &&
      !isSame &&
      close(
        'rewrite-target',
        `the service receives the path that clients send: let it accept ${JSON.stringify(path.path.slice(0, 80))}, and then write who may pass`,
      ),
    !isHarmless(snippet) &&
      close(
        'configuration-snippet',
        'its lines may decide who passes, so the paths of this Ingress are closed: write rules for what they decide',
      ),
    annotations.is('ssl-passthrough') &&
      close(
        'ssl-passthrough',
        'the paths are closed: the gateway must see requests, so give it a certificate, and write who may pass',
      ),
    ['permanent-redirect', 'temporal-redirect'].some(
      (name) => annotations.has(name) && close(name, 'the path is closed: the gateway sends no redirects of its own'),
    ),
  ].some(Boolean);
}

/** Whether a certificate is the only credential that a place demands. */
const isByCertificate = ({ facts }: Who): boolean => {
  const said = JSON.stringify(facts);
  return said.includes('"certificate":') && !/"(?:claim|group|provider)":/.test(said);
};

/** The rules for callers that oauth2-proxy lets pass without a session of a person. */
function othersOf({ besideOthers, demands }: Who, ingress: string, { draft, others }: Around): readonly Rule[] {
  if (besideOthers === undefined) return [];
  // oauth2-proxy knows no groups of callers with a token of another issuer, so they meet no further demand.
  const names = others.filter((it): it is string => typeof it === 'string' && (!demands || it === TRUSTED));
  if (besideOthers.length === 0) return names;
  return names.map((name) => roleFor(draft, `${ingress}-${name}`, all([name, ...besideOthers])));
}

function rulesOf(who: Who, ingress: string, around: Around): readonly Rule[] {
  const { draft } = around;
  const first = who.alternative === undefined ? [] : [roleFor(draft, `${ingress}-network`, who.alternative)];
  if (who.closed) {
    const name = who.facts.length > 0 ? `${ingress}-fill-in` : 'fill-in';
    return [...first, roleFor(draft, name, all([neverTrue(draft), ...who.facts]))];
  }
  if (who.anyCertificate) return ['authenticated'];
  if (who.facts.length === 0) return ['anyone'];
  return [...first, roleFor(draft, `${ingress}-callers`, all(who.facts)), ...othersOf(who, ingress, around)];
}

/** Two Ingresses with the same path: only callers that both let pass. */
function both(a: Served, b: Served, { draft }: Around): Served {
  const [one, other] = [JSON.stringify(a.allow), JSON.stringify(b.allow)];
  const kind = a.paths.kind === b.paths.kind ? a.paths.kind : 'prefix';
  const accept = a.keys?.accept ?? b.keys?.accept;
  const merged = { ...a, paths: { kind, path: a.paths.path }, keys: { ...a.keys, ...(accept && { accept }) } };
  if (one === other || other === '["anyone"]') return merged;
  if (one === '["anyone"]') return { ...merged, allow: b.allow ?? [] };
  return { ...merged, allow: [roleFor(draft, 'fill-in', neverTrue(draft))] };
}

const ABOUT_CERTIFICATES = ['auth-tls-secret', 'auth-tls-verify-client', 'auth-tls-match-cn'] as const;

const demandsCertificates = ({ annotations }: Entry): boolean => annotations.text('auth-tls-secret') !== undefined;

/** Whether ingress-nginx compares all paths of a host as expressions. It also has a place / with the annotations of an
 * Ingress that has no such path. */
const isRegexHost = (entries: readonly Entry[]): boolean =>
  entries.some(({ annotations, path }) => {
    const target = annotations.text('rewrite-target');
    const isRoot = entries.some((it) => it.path.path === '/');
    return (
      annotations.is('use-regex') || (target !== undefined && (target !== path.path || !(isRoot || target === '/')))
    );
  });

/** Whether Ingresses of a host differ in the certificates that they demand. ingress-nginx takes those of the oldest
 * Ingress, and the files do not say which one this is. */
function demandsTwoCertificates(entries: readonly Entry[], findings: Findings): boolean {
  const those = entries.filter(demandsCertificates);
  const said = those.map(({ annotations }) => JSON.stringify(ABOUT_CERTIFICATES.map((it) => annotations.text(it))));
  const [first, other] = [those[0], those.find((_, index) => said[index] !== said[0])];
  if (first === undefined || other === undefined) return false;
  findings.ask(
    other.annotations.label('auth-tls-secret'),
    `the host is closed: ${first.ingress.name} demands other certificates, and ingress-nginx takes those of the older Ingress: write who may pass`,
  );
  return true;
}

/** Adds a host to the policy. */
export function addHost(host: string, entries: readonly Entry[], tls: Mapping, around: Around): void {
  const { manifests, everywhere, people, draft, findings } = around;
  const isRegex = isRegexHost(entries);
  const withCa = entries.find(demandsCertificates);
  const certificates = certificatesOf((withCa ?? (entries[0] as Entry)).annotations, findings);
  const closesHost = demandsTwoCertificates(entries, findings);
  const closing = entries.filter(
    ({ annotations: it }) => !it.is('canary') && !isHarmless(it.text('server-snippet') ?? ''),
  );
  for (const { annotations } of closing) {
    findings.ask(
      annotations.label('server-snippet'),
      `its lines may decide who passes, so ${host} is closed: write rules for what they decide`,
    );
  }
  const served = new Map<string, Served>();
  // A policy has no two paths that differ in case only.
  const spelled = new Map<string, string>();
  // nginx takes the first expression that matches, the longest first.
  const located = entries.filter(({ location }) => location !== 'none');
  const ordered = isRegex ? [...located].sort((a, b) => b.path.path.length - a.path.path.length) : located;
  const converted: Paths[] = [];
  const overhanging: Served[] = [];
  for (const entry of ordered) {
    const { ingress, annotations, path } = entry;
    const label = `${ingress.namespace}/${ingress.name} path`;
    const who = whoOf(annotations, everywhere, certificates, people, findings);
    const closed = closings(entry, findings) || closing.length > 0 || closesHost;
    const { alternative: _, ...strict } = who;
    const allow = rulesOf(closed ? { ...strict, closed: true } : who, ingress.name, around);
    const isOpen = JSON.stringify(allow) === '["anyone"]';
    if (isOpen)
      findings.differ(
        label,
        `${host}${path.path} is open to anyone, as before, unless the ConfigMap of the controller (which these files may lack) demands more`,
      );
    const place = placeOf(path, label, isRegex, !isOpen, findings);
    // ingress-nginx compares expressions in any case of letters.
    const hasCase = isRegex && /[A-Za-z]/.test(path.path);
    if ((place.narrower || hasCase) && !isOpen && located.length > 1) {
      const [{ path: first } = { path: '' }] = place.paths;
      const also = [
        hasCase && `any case of letters, such as ${host}${first.toUpperCase()}`,
        place.narrower && `paths that continue the last word, such as ${host}${first}s`,
      ];
      const text = `${host}${path.path} also covers ${also.filter(Boolean).join(', and ')}`;
      findings.differ(label, `${text}: these belong to the next shorter route now`, true);
    } else if (place.narrower)
      findings.differ(
        label,
        `${host}${path.path} covers other paths too: they are closed now, or belong to a shorter route`,
      );
    if (place.paths.length === 0) continue;
    const service = addService(path, host, ingress, annotations, manifests.services, draft, findings);
    const [limit, cors] = [limitOf(annotations, findings), corsOf(annotations, findings)];
    const proxy = proxyOf(annotations, manifests.controller);
    const keys: Mapping = {
      ...((who.anyCertificate || isByCertificate(who)) && !closed && !who.closed && { accept: ['certificate'] }),
      ...(Object.keys(proxy).length > 0 && { proxy }),
      ...(limit && { limit }),
      ...(cors && { cors }),
    };
    for (const paths of place.paths) {
      const key = `${paths.kind === 'exact' ? 'exact' : 'tree'} ${paths.path.toLowerCase()}`;
      const path = spelled.get(paths.path.toLowerCase()) ?? paths.path;
      spelled.set(path.toLowerCase(), path);
      const earlier = served.get(key);
      const lower = paths.path.toLowerCase();
      if (isRegex && converted.some((it) => it.kind !== 'exact' && lower.startsWith(`${it.path.toLowerCase()}/`))) {
        const text = `${host}${paths.path}: a longer expression of this host matches first, so it had no effect; it is left out`;
        findings.lose(label, text);
        continue;
      }
      const alone: Served = { paths: { ...paths, path }, service, keys, allow };
      const above = overhanging.filter((it) => `${path}/`.toLowerCase().startsWith(`${it.paths.path}/`.toLowerCase()));
      const mine = above.reduce((it, other) => both(it, { ...other, paths: it.paths }, around), alone);
      const isSure = place.sure.some(
        (it) => it.path === paths.path && (it.kind === paths.kind || it.kind === 'prefix'),
      );
      if (isSure) converted.push(paths);
      else overhanging.push({ ...alone, paths });
      if (earlier !== undefined) {
        const text = `${host}${path} is there twice: the policy has the first service, and callers that both let pass`;
        findings.differ(label, text);
      }
      served.set(key, earlier === undefined ? mine : both(earlier, mine, around));
    }
  }
  const routes = routesFor([...served.values()], [], []);
  if (Object.keys(routes).length === 0) return;
  const secret = withCa?.annotations.text('auth-tls-secret')?.split('/').at(-1) ?? '';
  const ca = certificates.any || certificates.fact !== undefined || certificates.closed;
  const file = `/run/clients/${secret.replace(/[^a-z0-9.-]/g, '') || 'ca'}/ca.crt`;
  const own: Mapping = { ...tls, ...(ca && { client_ca_file: file }) };
  if (ca)
    findings.ask((withCa as Entry).annotations.label('auth-tls-secret'), `mount ca.crt of this Secret at ${file}`);
  draft.hosts[host] = { keys: Object.keys(own).length > 0 ? { tls: own } : {}, routes };
  if (JSON.stringify(routes).includes('fill-in')) {
    comment(draft, `hosts.${host}`, 'FILL IN: routes with the role fill-in are closed. Write who may pass there.');
  }
}
