import type { Paths } from '../expressions.ts';
import type { Findings } from '../findings.ts';
import { comment, type Draft, freeName, type Mapping, type Rule } from '../new-policy.ts';
import { neverTrue, roleFor } from '../oauth2-proxy/access.ts';
import { TRUSTED } from '../oauth2-proxy/gateway.ts';
import { covers, routesFor, type Served } from '../served-paths.ts';
import { placeOf } from './places.ts';
import { corsOf, limitOf, proxyOf } from './proxying.ts';
import type { Manifests } from './read.ts';
import { type Entry, isOauth2Proxy, isRegexHost } from './servers.ts';
import { addService } from './services.ts';
import { isHarmless } from './snippets.ts';
import { all, certificatesOf, type Everywhere, type People, type Who, whoOf } from './who.ts';

export interface Around {
  readonly manifests: Manifests;
  readonly everywhere: Everywhere;
  readonly people: People | undefined;
  /** Further rules where oauth2-proxy is asked. */
  readonly others: readonly Rule[];
  /** Whether a canary has the Service of an entry, too. */
  readonly isShared: (entry: Entry) => boolean;
  readonly draft: Draft;
  readonly findings: Findings;
}

/** What an annotation demands besides callers: with it, the paths stay closed until a person has decided. */
function closings({ annotations, path, location, isRejected }: Entry, isHidden: boolean, findings: Findings): boolean {
  const close = (name: string, text: string) => {
    findings.ask(annotations.label(name), text);
    return true;
  };
  const target = annotations.text('rewrite-target');
  const isSame = target === '/$1' && path.path === '/(.*)';
  const snippet = annotations.text('configuration-snippet') ?? '';
  return [
    isRejected &&
      close(
        path.path,
        'the paths of this Ingress are closed: with strict-validate-path-type, the default since 1.12, ingress-nginx accepts expressions with the pathType ImplementationSpecific only: write this type, or the setting into the ConfigMap',
      ),
    path.service === '' &&
      close(path.path, 'the path is closed: its backend is no Service, so ingress-nginx has no location for it'),
    isHidden &&
      close(
        path.path,
        'the path is closed: on a host with expressions, ingress-nginx has a location for all paths before it, which leads to no Service',
      ),
    location === 'closed' &&
      path.service !== '' &&
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
  const declared = JSON.stringify(facts);
  return declared.includes('"certificate":') && !/"(?:claim|group|provider)":/.test(declared);
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

/** The order of the locations of ingress-nginx: by length, and else by their bytes, backwards. */
function byLength(a: string, b: string): number {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return other.length - one.length || Buffer.compare(other, one);
}

/** Whether Ingresses of a host differ in the certificates that they demand. ingress-nginx takes those of the oldest
 * Ingress, and the files do not say which one this is. */
function demandsTwoCertificates(entries: readonly Entry[], findings: Findings): boolean {
  const those = entries.filter(demandsCertificates);
  const declared = those.map(({ annotations }) => JSON.stringify(ABOUT_CERTIFICATES.map((it) => annotations.text(it))));
  const [first, other] = [those[0], those.find((_, index) => declared[index] !== declared[0])];
  if (first === undefined || other === undefined) return false;
  findings.ask(
    other.annotations.label('auth-tls-secret'),
    `the host is closed: ${first.ingress.name} demands other certificates, and ingress-nginx takes those of the older Ingress: write who may pass`,
  );
  return true;
}

/** Whether a whole host is closed, because of what an Ingress says about all of its paths, or because the files do not
 * say which of its Ingresses decides. An Ingress without paths counts, too. */
function closesHost(host: string, entries: readonly Entry[], { findings, isShared }: Around): boolean {
  const close = (those: readonly Entry[], name: string, text: string) => {
    for (const { annotations } of those) findings.ask(annotations.label(name), text);
    return those.length > 0;
  };
  const withSnippet = entries.filter(
    ({ annotations: it }) => !it.is('canary') && !isHarmless(it.text('server-snippet') ?? ''),
  );
  const unclear = isRegexHost(entries) === 'unknown' ? entries.slice(0, 1) : [];
  return [
    close(
      withSnippet,
      'server-snippet',
      `its lines may decide who passes, so ${host} is closed: write rules for what they decide`,
    ),
    close(
      unclear,
      'use-regex',
      `${host} is closed: it depends on the age of its Ingresses, or on a value that is not clear, whether ingress-nginx compares paths as expressions: write who may pass`,
    ),
    close(
      entries.filter(isShared),
      'canary',
      `${host} is closed: a canary and another Ingress name the same Service, and which paths ingress-nginx serves depends on their age: write who may pass`,
    ),
    demandsTwoCertificates(entries, findings),
  ].some(Boolean);
}

/** Adds a host without routes as a closed one. Without it, its name would get the rules of a wildcard host. */
export function addClosedHost(host: string, { draft, findings }: Around): void {
  const service = freeName('fill-in', draft.services);
  draft.services[service] = { url: 'https://fill-in.invalid' };
  const allow = [roleFor(draft, 'fill-in', neverTrue(draft))];
  draft.hosts[host] = { keys: {}, routes: { '/*': { service, allow } } };
  findings.ask(host, 'the host is closed: without it, requests would get the rules of a wildcard. Write its routes');
}

/** Adds a host to the policy, unless it has no path that a policy can name. */
export function addHost(host: string, entries: readonly Entry[], tls: Mapping, around: Around): void {
  const { manifests, everywhere, people, draft, findings } = around;
  if (entries.length === 0) return;
  const isRegex = isRegexHost(entries) !== 'no';
  const withCa = entries.find(demandsCertificates);
  const certificates = certificatesOf((withCa ?? (entries[0] as Entry)).annotations, findings);
  const isClosed = closesHost(host, entries, around);
  if (host.startsWith('*.')) {
    const text = `${host} stands for one label in ingress-nginx, and for several in a policy: requests to a.b${host.slice(1)} pass too`;
    findings.differ(`host ${host}`, text, true);
  }
  const served = new Map<string, Served>();
  // A policy has no two paths that differ in case only.
  const spelled = new Map<string, string>();
  const located = entries.filter(({ location }) => location !== 'none');
  // ingress-nginx adds a location for all paths before all others of the path /.
  const isBehindAll = ({ path }: Entry) => isRegex && path.path === '/' && path.type === 'Exact';
  const hasAll = located.some(({ path }) => path.path === '/' && path.type !== 'Exact');
  const decided = located.flatMap((entry) => {
    const label = `${entry.ingress.namespace}/${entry.ingress.name} path`;
    if (isBehindAll(entry) && hasAll) {
      findings.lose(label, `${host}/ of the type Exact: the one of all paths matches first, so it had no effect`);
      return [];
    }
    const who = whoOf(entry.annotations, everywhere, certificates, people, findings);
    const closed = closings(entry, isBehindAll(entry), findings) || isClosed;
    const { alternative: _, ...strict } = who;
    const allow = rulesOf(closed ? { ...strict, closed: true } : who, entry.ingress.name, around);
    return [{ entry, label, who, closed, allow, isOpen: JSON.stringify(allow) === '["anyone"]' }];
  });
  // nginx takes the first expression that matches, the longest first. Of Ingresses with the same one, each may be the older
  // one: those that restrict decide about the paths of the others.
  if (isRegex)
    decided.sort((a, b) => byLength(a.entry.path.path, b.entry.path.path) || Number(a.isOpen) - Number(b.isOpen));
  const converted: Paths[] = [];
  // With the beginning of the paths that the expression may match.
  const overhanging: { readonly beginning: string; readonly served: Served }[] = [];
  for (const { entry, label, who, closed, allow, isOpen } of decided) {
    const { ingress, annotations, path } = entry;
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
    const isSure = (it: Paths) =>
      place.sure.some((other) => other.path === it.path && (other.kind === it.kind || other.kind === 'prefix'));
    const beyond = place.paths.filter((it) => !isSure(it));
    if (beyond.length > 0 && !isOpen && !closed && !(who.closed && who.alternative === undefined)) {
      const all = beyond.map((it) => `${host}${it.path}/*`).join(', ');
      const text = `${host}${path.path} is no path of a policy: its callers also pass at all of ${all}`;
      findings.differ(label, text, true);
    }
    if (place.paths.length === 0) continue;
    const service = addService(path, ingress, annotations, manifests.services, draft, findings);
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
      if (path !== paths.path && !isRegex) {
        // Under the other spelling, its callers would pass at paths of the other Ingress.
        const text = `${host}${paths.path} and ${path} differ in case only, and a policy has the second only: requests to ${host}${paths.path} belong to the next shorter route now`;
        findings.differ(label, text, isOpen ? undefined : true);
        continue;
      }
      const earlier = served.get(key);
      const lower = paths.path.toLowerCase();
      if (isRegex && converted.some((it) => it.kind !== 'exact' && lower.startsWith(`${it.path.toLowerCase()}/`))) {
        const text = `${host}${paths.path}: a longer expression of this host matches first, so it had no effect; it is left out`;
        findings.lose(label, text);
        continue;
      }
      const alone: Served = { paths: { ...paths, path }, service, keys, allow };
      const above = overhanging.filter((it) => `${path}/`.toLowerCase().startsWith(it.beginning));
      const mine = above.reduce((it, other) => both(it, { ...other.served, paths: it.paths }, around), alone);
      if (isSure(paths)) converted.push(paths);
      if (!isSure(paths) || (isRegex && place.narrower))
        overhanging.push({
          beginning: `${paths.path}${place.narrower && isRegex ? '' : '/'}`.toLowerCase(),
          served: alone,
        });
      if (earlier !== undefined) {
        const text = `${host}${path} is there twice: the policy has the first service, and callers that both let pass`;
        findings.differ(label, text);
      }
      served.set(key, earlier === undefined ? mine : both(earlier, mine, around));
    }
  }
  const all = [...served.values()];
  const alone = isRegex ? all.filter(({ paths: it }) => it.kind === 'below') : [];
  for (const { path } of alone.map((it) => it.paths))
    if (!all.some(({ paths }) => covers(paths, { kind: 'exact', path }))) {
      const text = `${host}${path} without a slash at its end has no location in ingress-nginx, and ${path}/* of a policy has it, too`;
      findings.differ(`host ${host}`, text, true);
    }
  const routes = routesFor(all, [], []);
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
