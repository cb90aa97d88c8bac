import { isHost } from '../../policy/forms/addresses.ts';
import { callbackPath, httpsOrigin } from '../../session/urls.ts';
import type { Findings } from '../findings.ts';
import { comment, type Draft, newDraft, type Rule } from '../new-policy.ts';
import { routesFor } from '../served-paths.ts';
import { Access } from './access.ts';
import { migrateGateway, trustedAddresses } from './gateway.ts';
import { headersOfFlags, type Injected, migrateHeaders } from './headers.ts';
import { extraIssuers, migrateIssuers } from './issuers.ts';
import { openPaths } from './open.ts';
import { migrateProvider } from './provider.ts';
import type { Read } from './read.ts';
import { Settings } from './settings.ts';
import { migrateUpstreams, upstreamsOfFlags } from './upstreams.ts';
import { isSigned } from './values.ts';

/** The parts of a policy that follow from oauth2-proxy, whatever stands behind it. */
export interface MigratedProxy {
  readonly settings: Settings;
  readonly draft: Draft;
  readonly access: Access;
  /** The rules for callers, besides those of people: other issuers, and addresses that need no credential. */
  readonly others: readonly Rule[];
  readonly providers: readonly string[];
  /** The name of the provider of people. */
  readonly provider: string;
}

/** How an nginx asks oauth2-proxy about requests (`auth_request`). */
export interface Query {
  /** The headers of the responses that nginx passes on to services. */
  readonly headers: readonly Injected[];
  readonly trustedProxies: readonly string[];
  /** Set if the gateway would not know the address of a client. */
  readonly isBlind: boolean;
}

/** Migrates everything but hosts and services. */
export function migrateProxy(read: Read, findings: Findings, query?: Query): MigratedProxy {
  const settings = new Settings(read.written, findings, read.alpha !== undefined);
  const draft = newDraft();
  if (query !== undefined && query.trustedProxies.length > 0) draft.gateway.trusted_proxies = query.trustedProxies;
  migrateGateway(settings, draft, findings, query !== undefined);
  const provider = migrateProvider(settings, draft, findings);
  const keys = draft.providers[provider.name] ?? {};
  const issuers = extraIssuers(settings, String(keys.issuer), findings);
  const several = issuers.length > 0;
  if (several) keys.subject = { prefix: `${provider.name}-` };
  if (settings.is('skip-jwt-bearer-tokens')) acceptTokens(settings, keys, provider.type, findings);
  const access = new Access({ settings, provider, draft, findings, addresses: read.addresses, several });
  const tokens = migrateIssuers(issuers, settings, draft, findings);
  const isBehind =
    (settings.is('reverse-proxy') || settings.isElsewhere('reverse-proxy')) &&
    draft.gateway.trusted_proxies === undefined;
  const trusted = trustedAddresses(settings, draft, findings, query?.isBlind ?? isBehind);
  const headers = query?.headers ?? read.alpha?.headers ?? headersOfFlags(settings);
  migrateHeaders(headers, settings, provider, draft, findings);
  return {
    settings,
    draft,
    access,
    others: [...tokens, ...trusted],
    providers: Object.keys(draft.providers),
    provider: provider.name,
  };
}

function acceptTokens(settings: Settings, keys: Record<string, unknown>, type: string, findings: Findings): void {
  const id = settings.text('client-id');
  const all = [...(id === undefined ? [] : [id]), ...settings.list('oidc-extra-audience')];
  const audiences = [...new Set(all)].filter((it) => it.length <= 256 && !it.includes('${'));
  const label = settings.label('skip-jwt-bearer-tokens');
  if (!isSigned(type)) {
    findings.lose(label, 'oauth2-proxy accepts no tokens of this kind of provider');
    return;
  }
  if (/^https:\/\/accounts\.google\.com$|^https:\/\/[^/]*okta(?:preview)?\.com$/.test(String(keys.issuer))) {
    findings.lose(
      label,
      'this issuer gives no access tokens that the gateway could verify: use an authorization server with an audience of its own',
    );
    return;
  }
  if (audiences.length > 0) keys.audiences = audiences;
  findings.differ(
    label,
    'oauth2-proxy accepts ID tokens, and the gateway only access tokens: request one for this audience',
  );
}

/** The host until a person writes the right one. */
export const NO_HOST = 'fill-in.example.com';

/** Returns the host that people open: of --host, or of the redirect URL. */
export function hostOf(settings: Settings, given: string | undefined): string | undefined {
  const redirect = /^https?:\/\/([^/:?#]+)/i.exec(settings.text('redirect-url') ?? '')?.[1]?.toLowerCase();
  const domains = settings.list('cookie-domain').filter((it) => !/^[.*]/.test(it));
  return [given, redirect, ...(domains.length === 1 ? domains : [])].find((it) => it !== undefined && isHost(it));
}

/** Says which redirect URI to register, and takes over the port of the old one. */
function askForCallback(settings: Settings, draft: Draft, host: string, findings: Findings): void {
  const port = Number(/^https:\/\/[^/:?#]+:(\d{1,5})/.exec(settings.text('redirect-url') ?? '')?.[1] ?? 443);
  if (port !== 443 && port >= 1 && port <= 65_535) draft.gateway.public_port = port;
  const uri = `${httpsOrigin(host, Number(draft.gateway.public_port ?? 443))}${callbackPath()}`;
  findings.ask(settings.label('redirect-url'), `register ${uri} at the provider, beside the old redirect URI`);
}

/** Migrates oauth2-proxy in front of its upstreams. */
export function migrateOauth2Proxy(read: Read, findings: Findings, given: string | undefined): Draft {
  const { settings, draft, access, others, providers } = migrateProxy(read, findings);
  const found = hostOf(settings, given);
  const host = found ?? NO_HOST;
  if (found === undefined) {
    findings.ask(settings.label('redirect-url'), 'write the name of the host that people open, or give --host');
    comment(draft, `hosts.${host}`, 'FILL IN: the name of the host that people open.');
  }
  askForCallback(settings, draft, host, findings);
  const upstreams = read.alpha?.hasUpstreams ? read.alpha.upstreams : upstreamsOfFlags(settings);
  const served = migrateUpstreams(upstreams, draft, findings);
  const usual = [access.rule('member'), ...others];
  const routes = routesFor(served, openPaths(settings, findings), usual);
  draft.hosts[host] = { keys: providers.length > 1 ? { providers } : {}, routes };
  return withoutUnused(draft);
}

/** Removes roles and services that no route names: a policy does not accept them. */
export function withoutUnused(draft: Draft): Draft {
  const routes = Object.values(draft.hosts).flatMap((it) => Object.values(it.routes));
  const reached = new Set(routes.map(({ service }) => service));
  for (const name of Object.keys(draft.services)) if (!reached.has(name)) delete draft.services[name];
  const rules = JSON.stringify(routes.map(({ allow }) => allow));
  // A role may name another one: the later ones name those before them.
  for (const name of Object.keys(draft.roles).reverse()) {
    const others = Object.entries(draft.roles).filter(([other]) => other !== name);
    if (!(rules + JSON.stringify(others)).includes(JSON.stringify(name))) delete draft.roles[name];
  }
  return draft;
}
