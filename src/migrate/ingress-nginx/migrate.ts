import { callbackPath } from '../../session/urls.ts';
import type { Findings } from '../findings.ts';
import { comment, type Draft, type Mapping, newDraft } from '../new-policy.ts';
import { neverTrue } from '../oauth2-proxy/access.ts';
import { mayOverlap } from '../oauth2-proxy/gateway.ts';
import { canSet, type Injected } from '../oauth2-proxy/headers.ts';
import { type MigratedProxy, migrateProxy, NO_HOST, withoutUnused } from '../oauth2-proxy/migrate.ts';
import { NO_ISSUER } from '../oauth2-proxy/provider.ts';
import type { Read as ProxyFiles } from '../oauth2-proxy/read.ts';
import { isFile, rangeOf } from '../text-forms.ts';
import { everywhereOf, hasProxies, hstsOf, reportController, trustedProxies } from './controller.ts';
import { addClosedHost, addHost } from './hosts.ts';
import type { Ingress, Manifests } from './read.ts';
import { canarySharing, entriesByHost, isRejected, type Read } from './servers.ts';
import { Annotations } from './settings.ts';
import { tooRisky } from './values.ts';
import { asksOauth2Proxy } from './who.ts';

/** Claims for the usual headers of oauth2-proxy's responses. */
const CLAIMS: Readonly<Record<string, string>> = {
  'x-auth-request-user': 'user',
  'x-auth-request-email': 'email',
  'x-auth-request-groups': 'groups',
  'x-auth-request-preferred-username': 'preferred_username',
  'x-auth-request-access-token': 'access_token',
  authorization: 'id_token',
  'x-forwarded-user': 'user',
  'x-forwarded-email': 'email',
  'x-forwarded-groups': 'groups',
  'x-forwarded-preferred-username': 'preferred_username',
  'x-forwarded-access-token': 'access_token',
};

/** The headers that nginx passes on from the responses of oauth2-proxy. */
function headersOf(
  all: readonly Read[],
  controller: ReadonlyMap<string, string>,
  findings: Findings,
): readonly Injected[] {
  const global = (controller.get('global-auth-response-headers') ?? '').split(',').flatMap((it) => it.trim() || []);
  const declared = [
    ...all.flatMap(({ annotations: it }) =>
      it.list('auth-response-headers').map((name) => ({ name, label: it.label('auth-response-headers') })),
    ),
    ...global.map((name) => ({ name, label: 'ConfigMap global-auth-response-headers' })),
  ];
  const known: Injected[] = [];
  for (const { name, label } of declared) {
    const claim = CLAIMS[name.toLowerCase()];
    if (claim !== undefined) known.push({ label: `${label} ${name}`, name, response: true, claim });
    else if (!['set-cookie', 'x-auth-request-redirect'].includes(name.toLowerCase())) {
      findings.lose(`${label} ${name.slice(0, 60)}`, 'write under headers which claim of the caller it has');
    }
  }
  return known;
}

/** Ingress classes of other controllers. */
const OTHERS = /traefik|haproxy|kong|istio|contour|alb|gce|cilium|nginx\.org|openshift|voyager|ambassador|apisix/i;

function isOfClass(ingress: Ingress, findings: Findings): boolean {
  const of = `${ingress.namespace}/${ingress.name}`;
  if (OTHERS.test(ingress.className)) {
    findings.lose(
      `${of} class`,
      `the class ${JSON.stringify(ingress.className.slice(0, 60))} is of another controller: this Ingress is left out`,
    );
    return false;
  }
  return true;
}

/** Warns if the Ingresses are of several controllers: the policy has one gateway for the callers of all of them. */
function warnOfClasses(all: readonly Read[], findings: Findings): void {
  const classes = [...new Set(all.map(({ ingress }) => ingress.className))];
  if (classes.length < 2) return;
  const names = classes.map((it) => JSON.stringify(it.slice(0, 60))).join(', ');
  const text = `the classes ${names}: if one of their controllers has an address that not everyone can reach, everyone who reaches the gateway can send it these requests. Migrate the Ingresses of each class by itself`;
  findings.differ('ingressClassName', text, true);
}

const CERTIFICATES = '/run/tls';

const fileOf = (secret: string, name: string): string => {
  const file = `${CERTIFICATES}/${secret}/${name}`;
  return secret !== '' && isFile(file) ? file : `${CERTIFICATES}/${name}`;
};

/** The certificate of a host, if it is not that of the gateway. */
function tlsOf(host: string, all: readonly Read[], main: string | undefined): Mapping {
  const secret = secretOf(host, all);
  if (secret === undefined || secret === main) return {};
  return { cert_file: fileOf(secret, 'tls.crt'), key_file: fileOf(secret, 'tls.key') };
}

const secretOf = (host: string, all: readonly Read[]): string | undefined => {
  const star = host.replace(/^[^.]+/, '*');
  return all.map(({ ingress: { tls } }) => tls.get(host) ?? tls.get(star)).find((it) => it !== undefined && it !== '');
};

/** Adds the headers that services received, if the configuration of oauth2-proxy is not there. */
function addHeaders(draft: Draft, headers: readonly Injected[], findings: Findings): void {
  const sources: Mapping = {
    user: 'subject',
    email: 'email',
    groups: 'groups',
    preferred_username: { claim: 'preferred_username' },
  };
  for (const { name, label, claim = '' } of headers) {
    const isTaken = Object.keys(draft.headers).some((it) => it.toLowerCase() === name.toLowerCase());
    const source = sources[claim];
    if (source === undefined || !canSet(name))
      findings.lose(
        label,
        'the tokens of the provider stay at the gateway: give services a signed assertion (gateway.assertion)',
      );
    else if (!isTaken) draft.headers[name] = source;
  }
}

/** A provider for a policy without oauth2-proxy: a policy needs one. */
function addProvider(draft: Draft, signsIn: boolean, findings: Findings): void {
  const client = { client: { id: 'FILL-IN', secret_file: '/run/secrets/sso' } };
  draft.providers.sso = { issuer: NO_ISSUER, ...(signsIn ? client : { audiences: ['FILL-IN'] }) };
  if (signsIn) draft.gateway.session = { keys_file: '/run/secrets/session.jwks' };
  comment(
    draft,
    'providers.sso',
    'FILL IN: your provider. No token has this issuer, so no caller has a credential yet.',
  );
  findings.ask(
    'providers',
    'write your provider into the policy, or give the configuration of oauth2-proxy (--oauth2-proxy FILE)',
  );
}

/** All ranges of addresses that decide about callers. */
const networksIn = (all: readonly Read[], controller: ReadonlyMap<string, string>): readonly string[] =>
  ['whitelist-source-range', 'allowlist-source-range', 'denylist-source-range', 'block-cidrs'].flatMap((name) =>
    [...all.flatMap(({ annotations }) => annotations.list(name)), ...(controller.get(name) ?? '').split(',')].flatMap(
      (it) => rangeOf(it) ?? [],
    ),
  );

/** Returns the trusted proxies, unless one of them could claim an address that decides about callers. */
function compatible(trusted: readonly string[], networks: readonly string[]): readonly string[] {
  const isWide = trusted.some((it) => Number(it.split('/')[1]) < (it.includes(':') ? 64 : 24));
  const overlaps = networks.some((it) => trusted.some((other) => mayOverlap(it, other)));
  return networks.length > 0 && (isWide || overlaps) ? [] : trusted;
}

/** Migrates Ingresses, with oauth2-proxy if nginx asks it about requests. */
export function migrateIngresses(
  manifests: Manifests,
  proxyFiles: ProxyFiles | undefined,
  findings: Findings,
  prefix: string,
): Draft {
  const { controller, ingresses } = manifests;
  const level = controller.get('annotations-risk-level');
  const risky = level === undefined ? new Set<string>() : tooRisky(level);
  const all = ingresses
    .map((ingress) => ({
      ingress,
      annotations: new Annotations(ingress, prefix, risky, findings),
      isRejected: isRejected(ingress, controller),
    }))
    .filter(({ ingress }) => isOfClass(ingress, findings));
  warnOfClasses(all, findings);
  reportController(controller, findings);
  const declared = trustedProxies(controller, findings);
  const trusted = compatible(declared, networksIn(all, controller));
  if (trusted.length < declared.length) {
    findings.ask(
      'ConfigMap proxy-real-ip-cidr',
      'roles by network need exact addresses of proxies: write them into gateway.trusted_proxies; without them, the gateway takes the address of the connection',
    );
  }
  // The connections come from proxies that the gateway does not know: their address is not that of a client.
  const isBlind = hasProxies(controller) && trusted.length === 0;
  const headers = headersOf(all, controller, findings);
  const proxy = proxyFiles && migrateProxy(proxyFiles, findings, { headers, trustedProxies: trusted, isBlind });
  const draft = proxy?.draft ?? newDraft();
  if (trusted.length > 0) draft.gateway.trusted_proxies = trusted;
  const asks = controller.has('global-auth-url') || all.some(({ annotations }) => annotations.has('auth-url'));
  if (proxy === undefined) {
    addProvider(draft, asks, findings);
    addHeaders(draft, headers, findings);
  } else reportUnused(proxy, findings);
  if (proxy !== undefined) warnOfSeveral(all, controller, prefixOf(proxy), findings);
  addGateway(draft, all, controller, findings);
  const everywhere = everywhereOf(controller, isBlind, findings);
  const people = proxy && {
    fact: (more: Parameters<MigratedProxy['access']['fact']>[0]) =>
      proxy.access.fact(more) ?? { provider: proxy.provider },
    prefix: prefixOf(proxy),
  };
  const around = {
    manifests,
    everywhere,
    people,
    others: proxy?.others ?? [],
    isShared: canarySharing(all),
    draft,
    findings,
  };
  const main = [...new Set(all.flatMap(({ ingress }) => [...ingress.tls.values()]))][0];
  const hosts = entriesByHost(all, findings);
  for (const [host, entries] of hosts) addHost(host, entries, tlsOf(host, all, main), around);
  for (const host of hosts.keys()) {
    const isOfWildcard = Object.keys(draft.hosts).some((it) => it.startsWith('*.') && host.endsWith(it.slice(1)));
    if (isOfWildcard && !Object.hasOwn(draft.hosts, host)) addClosedHost(host, around);
  }
  finish(draft, findings);
  return withoutUnused(draft);
}

/** Sets the certificate of the gateway, and its further headers. */
function addGateway(
  draft: Draft,
  all: readonly Read[],
  controller: ReadonlyMap<string, string>,
  findings: Findings,
): void {
  const secrets = [...new Set(all.flatMap(({ ingress }) => [...ingress.tls.values()]))];
  const [main = ''] = secrets;
  Object.assign(draft.gateway, hstsOf(controller, findings));
  draft.gateway.tls = { cert_file: fileOf(main, 'tls.crt'), key_file: fileOf(main, 'tls.key') };
  for (const secret of secrets)
    findings.ask(
      `Secret ${secret.slice(0, 60)}`,
      `mount it at ${fileOf(secret, 'tls.crt').replace(/\/tls\.crt$/, '')}`,
    );
  findings.differ(
    'proxy-body-size',
    'the default of ingress-nginx is 1m, and that of the gateway is 100m: write proxy.max_body for another limit',
  );
}

const prefixOf = ({ settings }: MigratedProxy): string => settings.text('proxy-prefix') ?? '/oauth2';

/** Warns if Ingresses ask at several addresses: the policy has the people of one oauth2-proxy for all of them. */
function warnOfSeveral(
  all: readonly Read[],
  controller: ReadonlyMap<string, string>,
  prefix: string,
  findings: Findings,
): void {
  const urls = [...all.map(({ annotations }) => annotations.text('auth-url')), controller.get('global-auth-url')];
  const requested = urls.filter((it): it is string => it !== undefined && asksOauth2Proxy(it, prefix));
  const addresses = new Set(requested.map((it) => it.replace(/^(\w+:\/\/)(?:[^/?#]*@)?([^/?#@]*).*$/s, '$1$2')));
  if (addresses.size < 2) return;
  const text = `${[...addresses].join(', ')}: if these are several oauth2-proxies, migrate the Ingresses of each by itself: the policy has the people of the one that you gave`;
  findings.differ('auth-url', text, true);
}

/** Settings of oauth2-proxy that have no effect if an nginx asks it about requests. */
function reportUnused({ settings }: MigratedProxy, findings: Findings): void {
  for (const name of ['skip-auth-route', 'skip-auth-regex', 'skip-auth-preflight']) {
    if (!settings.has(name)) continue;
    findings.lose(
      settings.label(name),
      'with auth-url, oauth2-proxy sees its own path and not that of the request: write a route with allow: [anyone] for each path that must be open',
    );
  }
  if (settings.has('upstream')) findings.lose(settings.label('upstream'), 'the services are those of the Ingresses');
}

/** Removes the sign-in if each route accepts certificates alone: a policy has no keys without an effect. */
function withoutIdleSessions({ gateway, hosts, providers }: Draft): void {
  const routes = Object.values(hosts).flatMap((it) => Object.values(it.routes));
  if (gateway.session === undefined || routes.some(({ accept }) => accept === undefined)) return;
  delete gateway.session;
  for (const keys of Object.values(providers)) {
    delete keys.client;
    delete keys.signin;
    keys.audiences ??= ['FILL-IN'];
  }
}

/** Adds what the whole policy needs: a host, and the providers of each host. */
function finish(draft: Draft, findings: Findings): void {
  for (const host of Object.keys(draft.hosts)) {
    if (draft.gateway.session === undefined || host.startsWith('*')) continue;
    findings.ask(
      `sign-in at ${host}`,
      `register https://${host}${callbackPath()} at the provider (or one host for all: gateway.signin.host)`,
    );
  }
  if (Object.keys(draft.hosts).length === 0) {
    draft.services.app = { url: 'https://fill-in.invalid' };
    draft.roles['fill-in'] = neverTrue(draft);
    draft.hosts[NO_HOST] = { keys: {}, routes: { '/*': { service: 'app', allow: ['fill-in'] } } };
    comment(
      draft,
      `hosts.${NO_HOST}`,
      'FILL IN: no Ingress of the files has a host and a path that a policy can name.',
    );
  }
  withoutIdleSessions(draft);
  const providers = Object.keys(draft.providers);
  if (providers.length < 2) return;
  for (const { keys } of Object.values(draft.hosts)) keys.providers = providers;
}
