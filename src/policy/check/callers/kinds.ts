import {
  issuerProblem,
  kindOfIssuer,
  type ProviderKind,
  type ProviderKindName,
  providerKinds,
  TENANT,
} from '../../../providers/index.ts';
import { OBJECT_ID } from '../../forms/addresses.ts';
import { type Path, quote } from '../../forms/path.ts';
import { type DraftPolicy, type DraftProvider, entriesOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';

/** The kind of a provider; undefined if an error hides it. */
export function kindOfDraft(provider: DraftProvider | undefined): ProviderKindName | undefined {
  if (provider === undefined || (writes(provider, 'kind') && provider.kind === undefined)) return undefined;
  return provider.kind ?? (provider.issuer === undefined ? undefined : kindOfIssuer(provider.issuer));
}

/** Checks that each provider is of the kind that its issuer suggests, with the keys of this kind and no others. */
export function checkKinds(report: Report, draft: DraftPolicy): void {
  for (const [name, provider] of entriesOf(draft.providers)) {
    const path = ['providers', name];
    const { issuer } = provider;
    const kind = kindOfDraft(provider);
    if (issuer !== undefined) checkEntra(report, path, issuer);
    if (issuer === undefined || kind === undefined) continue;
    checkKind(report, path, provider, issuer);
    // Errors that follow from a wrong kind are not reported.
    if (report.has([...path, 'kind'])) continue;
    checkIssuer(report, path, kind, issuer);
    checkTenants(report, path, provider, kind, issuer);
    checkTrustDomain(report, path, provider, kind, issuer);
    checkUses(report, path, provider, providerKinds[kind]);
  }
}

function checkKind(report: Report, path: Path, { kind, ...provider }: DraftProvider, issuer: string): void {
  const looks = kindOfIssuer(issuer);
  if (kind !== undefined && kind !== 'generic' && looks !== 'generic' && kind !== looks) {
    report.add([...path, 'kind'], `the issuer belongs to the kind ${looks}; write ${looks}, or remove this`);
  } else if (kind === 'generic' && providerKinds[looks].ofAnybody) {
    const message = `anyone can get a token of this issuer, and with the kind generic anyone could have a role; write ${looks}, or remove this`;
    report.add([...path, 'kind'], message);
  }
  if (looks === 'okta' && writes(provider, 'audiences') && !issuer.includes('/oauth2/')) {
    const message = `access tokens of this issuer are only for Okta itself; write ${issuer.replace(/\/$/, '')}/oauth2/default, or remove audiences and let people sign in`;
    report.add([...path, 'issuer'], message);
  }
}

/** Matches names that stand for many Entra ID tenants. Tokens have the issuer of the person's own tenant instead. */
const NO_TENANT = /^(https:\/\/login\.microsoftonline\.[a-z]+\/)(common|organizations|consumers)(?:\/|$)/;

function checkIssuer(report: Report, path: Path, kind: ProviderKindName, issuer: string): void {
  const [, host, tenant] = NO_TENANT.exec(issuer) ?? [];
  if (tenant !== undefined) {
    const message = `no token has this issuer; write the id of your tenant instead of ${quote(tenant)}, or for several tenants ${host}${TENANT}/v2.0 with tenants: [ID, …]`;
    report.add([...path, 'issuer'], message);
  }
  // providers.ts reports the address of a discovery document.
  if (issuer.endsWith('/.well-known/openid-configuration')) return;
  const problem = issuerProblem(kind, issuer);
  if (problem !== undefined) {
    report.add([...path, 'issuer'], `no token of the kind ${kind} has this issuer; write ${problem}`);
  }
}

const ENTRA =
  /^https:\/\/(login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|(?:sts|login)\.windows\.net)\/([^/]+)\/?(.*)$/is;

/** Checks that an issuer is one that Entra ID writes into tokens. These have the id of the tenant, never its domain. */
function checkEntra(report: Report, path: Path, issuer: string): void {
  const [, named = '', tenant = '', rest = ''] = ENTRA.exec(issuer) ?? [];
  // The earlier host is in no token.
  const host = named.toLowerCase().replace('login.windows.net', 'login.microsoftonline.com');
  if (host === '' || rest.includes('.well-known') || NO_TENANT.test(issuer)) return;
  const id = tenant.toLowerCase();
  const isId = OBJECT_ID.test(id) || tenant === TENANT;
  const old = `https://sts.windows.net/${isId ? id : 'TENANT-ID'}/`;
  const right = host === 'sts.windows.net' ? old : `https://${host}/${isId ? id : 'TENANT-ID'}/v2.0`;
  if (issuer === right && isId) return;
  const message = 'no token of Entra ID has this issuer';
  if (!isId) {
    const why = `${quote(tenant)} is not the id of a tenant`;
    report.add([...path, 'issuer'], `${message}, because ${why}; write ${right} with the directory (tenant) ID`);
  } else {
    const other = right === old ? '' : `, or ${old} if its tokens are of version 1`;
    report.add([...path, 'issuer'], `${message}; write ${right}${other}`);
  }
}

function checkTenants(report: Report, path: Path, provider: DraftProvider, kind: ProviderKindName, issuer: string) {
  const isTemplate = issuer.includes(TENANT);
  if (isTemplate && kind !== 'entra') {
    report.add([...path, 'issuer'], `only issuers of the kind entra have ${TENANT}; write the issuer as in "iss"`);
  } else if (isTemplate && !writes(provider, 'tenants')) {
    const message =
      'missing key "tenants": anyone can create a tenant; write tenants: [ID, …] with the tenants whose tokens are accepted';
    report.key([...path, 'tenants'], message);
  } else if (!isTemplate && writes(provider, 'tenants')) {
    const message = `no effect: the issuer names one tenant; write ${TENANT} in its place, or remove tenants`;
    report.key([...path, 'tenants'], message);
  }
}

function checkTrustDomain(report: Report, path: Path, provider: DraftProvider, kind: ProviderKindName, issuer: string) {
  const own = issuer.startsWith('spiffe://');
  if (writes(provider, 'trust_domain') && (kind !== 'spiffe' || own)) {
    const why = own ? 'the issuer names the trust domain' : `tokens of the kind ${kind} have no trust domain`;
    report.key([...path, 'trust_domain'], `no effect: ${why}; remove it`);
  } else if (kind === 'spiffe' && !own && !writes(provider, 'trust_domain')) {
    report.missing(path, 'trust_domain', 'trust_domain: example.org, as in the SPIFFE ids in "sub"');
  } else if (own && kind !== 'spiffe') {
    report.add([...path, 'kind'], 'the issuer belongs to the kind spiffe; write spiffe, or remove this');
  }
}

function checkUses(report: Report, path: Path, provider: DraftProvider, kind: ProviderKind): void {
  if (kind.signin === undefined && writes(provider, 'client')) {
    report.key([...path, 'client'], `people cannot sign in with a provider of the kind ${kind.name}; remove it`);
  }
  if (kind.client.length === 0 && writes(provider, 'clients')) {
    const message = `tokens of the kind ${kind.name} name no client; remove clients, and compare "sub" in a role`;
    report.key([...path, 'clients'], message);
  }
  if (kind.ofAnybody && writes(provider, 'insecure_any_audience')) {
    const message = `anyone can get tokens of the kind ${kind.name}; write your own audiences:`;
    report.key([...path, 'insecure_any_audience'], message);
  }
}
