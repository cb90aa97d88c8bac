import { isIssuerUrl } from '../../forms/addresses.ts';
import { type Path, quote } from '../../forms/path.ts';
import { type DraftPolicy, type DraftProvider, entriesOf, routesOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { namesOf } from '../../read/sections.ts';
import { oneOf } from '../../read/suggest.ts';
import { issuersOf } from '../../schema/provider.ts';
import { kindOfDraft } from './kinds.ts';

const isText = (value: string | undefined): value is string => value !== undefined;

const DISCOVERY = '/.well-known/openid-configuration';

/** Returns the key of both providers whose value can be the same in their tokens, so that a token does not show which
 * provider it is from; undefined if there is no such key. */
function commonOf(one: DraftProvider, other: DraftProvider): 'issuer' | 'trust_domain' | undefined {
  const [ours, theirs] = [one, other].map((provider) => {
    const kind = kindOfDraft(provider);
    const { issuer, tenants, trust_domain: trustDomain } = provider;
    if (issuer === undefined) return undefined;
    if (kind === undefined) return { issuer };
    const those = { issuer, ...(tenants && { tenants: tenants.filter(isText) }), ...(trustDomain && { trustDomain }) };
    return { issuer, ...issuersOf(kind, those) };
  });
  if (ours === undefined || theirs === undefined) return undefined;
  const [those = [theirs.issuer], all = [ours.issuer]] = [theirs.issuers, ours.issuers];
  if (ours.issuer === theirs.issuer || all.some((issuer) => those.includes(issuer))) return 'issuer';
  return ours.trustDomain !== undefined && ours.trustDomain === theirs.trustDomain ? 'trust_domain' : undefined;
}

const COMMON = { issuer: 'issuer', trust_domain: 'trust domain' } as const;

/** Checks that no host accepts two providers of one issuer, because their order would decide which one a token is from.
 * Elsewhere, two providers with different audiences may share an issuer. */
function checkIssuers(report: Report, draft: DraftPolicy): void {
  const providers = entriesOf(draft.providers);
  const accepted = entriesOf(draft.hosts).map(([host, { providers: names }]) => [host, names ?? []] as const);
  providers.forEach(([name, provider], index) => {
    for (const [other, before] of providers.slice(0, index)) {
      const common = commonOf(before, provider);
      if (common === undefined) continue;
      const host = accepted.find(([, names]) => names.includes(name) && names.includes(other))?.[0];
      if (host === undefined) continue;
      const message = `provider ${quote(other)} has this ${COMMON[common]}, and host ${quote(host)} accepts both; list the audiences of both in one provider, and remove the other`;
      report.add(['providers', name, writes(provider, common) ? common : 'issuer'], message);
      return;
    }
  });
}

const isTakenSomewhere = (draft: DraftPolicy, name: string): boolean =>
  routesOf(draft).some(
    ({ host, route }) => writes(route, 'audiences') && (!writes(host, 'providers') || host.providers?.includes(name)),
  );

/** Checks that each issuer identifies one provider on a host, that hosts name their providers, and that subjects of
 * different providers differ. */
export function checkProviders(report: Report, draft: DraftPolicy): void {
  const names = namesOf(report, 'provider');
  checkIssuers(report, draft);
  for (const [name, provider] of entriesOf(draft.providers)) {
    const path = ['providers', name];
    const signsIn = writes(provider, 'client') && !writes(provider, 'introspection');
    if (!signsIn && !isTakenSomewhere(draft, name) && !writes(provider, 'audiences', 'insecure_any_audience')) {
      report.missing(path, 'audiences', 'audiences: [api://wiki], which the tokens are issued for');
    }
    checkAddresses(report, path, provider);
    const { issuer, jwks_uri: uri, introspection } = provider;
    if (issuer?.endsWith(DISCOVERY)) {
      const message = `this is the discovery document; write the issuer that it contains, as in ${quote(issuer.slice(0, -DISCOVERY.length))}`;
      report.add(['providers', name, 'issuer'], message);
    }
    if (issuer === undefined || isIssuerUrl(issuer) || uri !== undefined || introspection?.endpoint !== undefined)
      continue;
    const message = `"${issuer}" is not an https: URL, so it has no discovery document; write the issuer exactly as in "iss", or add jwks_uri: https://…`;
    report.add(['providers', name, 'issuer'], message);
  }
  for (const [name, host] of entriesOf(draft.hosts)) {
    if (names && names.length > 1 && !writes(host, 'providers')) {
      report.missing(['hosts', name], 'providers', `providers: [NAME, …] with ${oneOf(names)}`);
    }
    checkPrefixes(report, draft, name, host.providers ?? []);
  }
}

/** Matches a URL whose host is an IP address. */
const ADDRESS_URL = /^https:\/\/(?:\d{1,3}(?:\.\d{1,3}){3}|\[[^\]]*\])(?:[:/]|$)/;

/** Checks that the gateway reaches a provider by name. nginx does not compare addresses with those in a certificate. */
function checkAddresses(report: Report, path: Path, provider: DraftProvider): void {
  const { issuer, jwks_uri: keys, introspection, groups_endpoint: groups } = provider;
  const needsDiscovery = writes(provider, 'client') || (keys === undefined && introspection?.endpoint === undefined);
  const queried: readonly (readonly [string | undefined, Path])[] = [
    [needsDiscovery ? issuer : undefined, ['issuer']],
    [keys, ['jwks_uri']],
    [introspection?.endpoint, ['introspection', 'endpoint']],
    [groups, ['groups_endpoint']],
  ];
  for (const [url, key] of queried) {
    if (url === undefined || !ADDRESS_URL.test(url)) continue;
    const message =
      'nginx verifies the DNS name in the certificate of a provider, and no IP address; write a URL with the name';
    report.add([...path, ...key], message);
  }
}

/** Checks that no prefix begins with another one: `a-` + `b-x` and `a-b-` + `x` are the same subject. */
function checkPrefixes(report: Report, draft: DraftPolicy, host: string, names: readonly (string | undefined)[]): void {
  const providers = names.flatMap((name) => (name !== undefined && draft.providers?.[name] ? [name] : []));
  const prefixOf = (name: string) => draft.providers?.[name]?.subject?.prefix ?? '';
  for (const [index, name] of providers.entries()) {
    const path = ['providers', name, 'subject', 'prefix'];
    const prefix = prefixOf(name);
    if (providers.length < 2 || report.has(path) || report.has(path.slice(0, 3))) continue;
    const clash = providers.find((other, at) => {
      const theirs = prefixOf(other);
      return other !== name && theirs !== '' && prefix.startsWith(theirs) && (at < index || prefix !== theirs);
    });
    if (prefix === '') {
      report.key(path, `missing key "prefix": ${host} accepts several providers; write subject: { prefix: ${name}- }`);
    } else if (clash !== undefined) {
      report.add(path, `begins with the prefix of ${clash}, which ${host} also accepts; write ${name}-`);
    }
  }
}
