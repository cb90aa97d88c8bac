import type { Fact, Mapping } from '../draft.ts';
import type { Findings } from '../findings.ts';
import { isServerName, rangeOf } from '../forms.ts';
import type { Demands } from '../oauth2-proxy/access.ts';
import type { Annotations } from './settings.ts';
import { isHarmless } from './snippets.ts';

/** Who may pass at a place, as far as annotations say it. */
export interface Who {
  /** All of these must be true. */
  readonly facts: readonly Fact[];
  /** Set if the place has a demand that a policy cannot say: no caller passes until a person writes a role. */
  readonly closed: boolean;
  /** Set if any certificate of the host's CA is a credential. */
  readonly anyCertificate: boolean;
  /** Set if oauth2-proxy is asked: callers that it lets pass without a session must meet these facts. */
  readonly besideOthers?: readonly Fact[];
  /** Set if oauth2-proxy is asked about groups or addresses, too. */
  readonly demands?: true;
  /** Set if facts about the network alone are enough. */
  readonly alternative?: Fact;
}

/** What the whole cluster demands, besides an Ingress: the ConfigMap of the controller. */
export interface Everywhere {
  readonly authUrl: string | undefined;
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  readonly closed: boolean;
  /** Set if the gateway would not know the address of a client, so that nothing can be denied by it. */
  readonly blind: boolean;
}

/** How callers that oauth2-proxy accepts are recognised; undefined if its configuration is not there. */
export type People = ((more: Demands | undefined) => Fact) | undefined;

/** Whether an address asks oauth2-proxy about a request. */
export function asksOauth2Proxy(url: string): boolean {
  const plain = url.replace(/[?#][\s\S]*$/, '').toLowerCase();
  const [folder = '', file] = plain.split('/').slice(-2);
  if (file !== 'auth') return false;
  return (folder.includes('oauth') && /^[\w-]+$/.test(folder)) || /oauth2-?proxy/.test(plain);
}

/** Reads the demands in the address of oauth2-proxy's check. */
function demandsOf(url: string): Demands | undefined {
  const query = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  const of = (name: string): readonly string[] =>
    query
      .split('&')
      .filter((it) => it.startsWith(`${name}=`))
      .flatMap((it) => decoded(it.slice(name.length + 1)).split(','))
      .filter((it) => it !== '');
  const found = { groups: of('allowed_groups'), addresses: of('allowed_emails'), domains: of('allowed_email_domains') };
  return Object.values(found).some((it) => it.length > 0) ? found : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

function rangesOf(texts: readonly string[], label: string, findings: Findings): readonly string[] {
  const ranges = [...new Set(texts.flatMap((it) => rangeOf(it) ?? []))];
  const isAll = texts.some((it) => /\/0$/.test(it.trim()));
  if (ranges.length < texts.length && !isAll) findings.lose(label, 'a text that is no range of addresses is left out');
  return ranges;
}

const ALLOW_LISTS = ['allowlist-source-range', 'whitelist-source-range'] as const;

/** Facts about the address of the client; none if it does not matter. */
function networkOf(annotations: Annotations, everywhere: Everywhere, findings: Findings): readonly Fact[] | 'closed' {
  const lists = ALLOW_LISTS.filter((it) => annotations.has(it));
  // ingress-nginx denies all requests if its list has no address.
  if ([...lists, 'denylist-source-range'].some((it) => annotations.has(it) && annotations.list(it).length === 0))
    return 'closed';
  const denied = annotations.has('denylist-source-range')
    ? annotations.list('denylist-source-range')
    : everywhere.denied;
  const facts: Fact[] = [];
  const label = annotations.label(lists[0] ?? 'whitelist-source-range');
  // Versions of ingress-nginx differ in which of the two names they prefer: an address must be in both lists.
  for (const allowed of lists.length > 0 ? lists.map((it) => annotations.list(it)) : [everywhere.allowed]) {
    const isOpen = allowed.some((it) => ['0.0.0.0/0', '::/0'].includes(it.trim()));
    if (isOpen) findings.differ(label, 'the range of all addresses restricts nothing, as before');
    else if (allowed.length > 0) {
      const ranges = rangesOf(allowed, label, findings);
      if (ranges.length === 0) return 'closed';
      facts.push({ network: ranges });
    }
  }
  if (denied.length > 0) {
    const ranges = rangesOf(denied, annotations.label('denylist-source-range'), findings);
    if (ranges.length < new Set(denied).size) return 'closed';
    facts.push({ none: [{ network: ranges }] });
  }
  if (facts.length > 0 && everywhere.blind) {
    findings.ask(
      label,
      'the paths are closed: each client would have the address of the proxy in front. Write gateway.trusted_proxies, and then who may pass',
    );
    return 'closed';
  }
  if (facts.length > 0) {
    findings.differ(
      label,
      'pages of other sites cannot use the network of a browser for unsafe methods: the gateway checks the origin (docs/certificates.md)',
    );
  }
  return facts;
}

/** The names in `CN=…` that a certificate must have; undefined if the expression is not a list of DNS names. */
function commonNames(expression: string): readonly string[] | undefined {
  const [, inner = ''] = /^\^?CN=(.+?)\$?$/.exec(expression) ?? [];
  const names = inner
    .replace(/^\(([^()]*)\)$/, '$1')
    .split('|')
    .map((it) => it.replaceAll('\\.', '.').toLowerCase());
  return names.length > 0 && names.every((it) => isServerName(it)) ? names : undefined;
}

interface Certificates {
  readonly fact?: Fact;
  readonly any: boolean;
  readonly closed: boolean;
}

/** What a host demands of client certificates. */
export function certificatesOf(annotations: Annotations, findings: Findings): Certificates {
  const none = { any: false, closed: false };
  const verify = annotations.text('auth-tls-verify-client')?.toLowerCase() ?? 'on';
  if (!annotations.has('auth-tls-secret')) return none;
  const label = annotations.label('auth-tls-verify-client');
  if (verify !== 'on') {
    findings.lose(
      label,
      'services never see the result of the verification: if the service decides by it, write a role by certificate',
    );
    return none;
  }
  const expression = annotations.text('auth-tls-match-cn');
  findings.differ(
    annotations.label('auth-tls-secret'),
    'the gateway reads the SPIFFE id and the DNS names in a certificate, and never the common name',
    // A certificate may have one of these names as a DNS name, and another common name.
    ...(expression === undefined ? ([] as const) : ([true] as const)),
  );
  if (expression === undefined) return { any: true, closed: false };
  const names = commonNames(expression);
  if (names === undefined) {
    findings.ask(
      annotations.label('auth-tls-match-cn'),
      'write the DNS names or SPIFFE ids of these certificates into the role',
    );
    return { any: false, closed: true };
  }
  const facts = names.map((certificate): Fact => ({ certificate }));
  return { fact: facts.length > 1 ? { any: facts } : (facts[0] as Fact), any: false, closed: false };
}

/** Returns who may pass at the paths of an Ingress. */
export function whoOf(
  annotations: Annotations,
  everywhere: Everywhere,
  certificates: Certificates,
  people: People,
  findings: Findings,
): Who {
  const facts: Fact[] = [];
  let closed = annotations.isUnclear || everywhere.closed || certificates.closed;
  const own = annotations.text('auth-url');
  const isGlobal = own === undefined && annotations.is('enable-global-auth', true);
  const url = own ?? (isGlobal ? everywhere.authUrl : undefined);
  const label = annotations.label('auth-url');
  const isAsked = url !== undefined;
  const isOauth2 = isAsked && asksOauth2Proxy(url) && people !== undefined;
  const demands = isOauth2 ? demandsOf(url) : undefined;
  if (isOauth2) facts.push(people(demands));
  else if (isAsked) {
    closed = true;
    const isProxy = asksOauth2Proxy(url);
    findings.ask(
      label,
      isProxy
        ? 'give the configuration of this oauth2-proxy to the command (--oauth2-proxy FILE), or write who may pass into the role'
        : 'the gateway asks no other service about a request: write who may pass into the role',
    );
  }
  if (isAsked && /^http:\/\//.test(url)) {
    findings.differ(
      label,
      'no request for this check crosses the network any more: before, cookies and tokens did so over plain HTTP',
    );
  }
  if (isAsked && !isHarmless(annotations.text('auth-snippet') ?? '')) {
    closed = true;
    findings.ask(
      annotations.label('auth-snippet'),
      'its lines may decide who passes: write who may pass into the role',
    );
  }
  if (annotations.has('auth-type') || (annotations.has('auth-secret') && !isAsked)) {
    closed = true;
    findings.ask(annotations.label('auth-type'), 'write who may pass into the role: the gateway has no passwords');
  }
  if (certificates.fact !== undefined) facts.push(certificates.fact);
  const network = networkOf(annotations, everywhere, findings);
  if (network === 'closed') closed = true;
  const networks = network === 'closed' ? [] : network;
  const isAny = annotations.text('satisfy')?.toLowerCase() === 'any';
  const hasOther = facts.length > 0 || closed;
  const beside = certificates.fact ? [certificates.fact] : [];
  const asked = { ...(demands && { demands: true as const }) };
  if (isAny && hasOther && networks.length > 0) {
    // Of `satisfy any`, nginx exempts the client certificate, which the handshake itself demands.
    const alternative = all([...beside, ...networks]);
    // Without an allow list, no address satisfies nginx: a deny list only denies.
    const isAllowed = networks.some((it) => typeof it === 'object' && Object.hasOwn(it, 'network'));
    const only = certificates.any || certificates.closed || annotations.isUnclear || everywhere.closed || !isAllowed;
    const others = isOauth2 && { besideOthers: beside };
    return { facts, closed, anyCertificate: certificates.any, ...asked, ...others, ...(!only && { alternative }) };
  }
  if (certificates.any && (facts.length > 0 || networks.length > 0 || closed)) {
    findings.ask(
      annotations.label('auth-tls-secret'),
      'beside another demand, a role must name the certificates: write their DNS names or SPIFFE ids into it',
    );
    closed = true;
  }
  const others = isOauth2 && { besideOthers: [...beside, ...networks] };
  return { facts: [...facts, ...networks], closed, anyCertificate: certificates.any, ...asked, ...others };
}

/** One fact for several. */
export function all(facts: readonly Fact[]): Fact {
  const flat = facts.flatMap((it): readonly Fact[] =>
    typeof it === 'object' && Array.isArray((it as Mapping).all) && Object.keys(it).length === 1
      ? ((it as Mapping).all as readonly Fact[])
      : [it],
  );
  return flat.length === 1 ? (flat[0] as Fact) : { all: flat };
}
