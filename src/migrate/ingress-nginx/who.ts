import type { Findings } from '../findings.ts';
import type { Fact, Mapping } from '../new-policy.ts';
import type { Demands } from '../oauth2-proxy/access.ts';
import { isServerName } from '../text-forms.ts';
import type { Annotations } from './settings.ts';
import { ASKED_HEADERS, isHarmless, setsHeaders } from './snippets.ts';
import { rangesIn } from './values.ts';

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
export interface People {
  readonly fact: (more: Demands | undefined) => Fact;
  /** The option `proxy-prefix`. */
  readonly prefix: string;
}

/** Whether an address asks oauth2-proxy about a request. oauth2-proxy compares the path exactly. */
export const asksOauth2Proxy = (url: string, prefix = '/oauth2'): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+([^?#]*)/i.exec(url)?.[1] === `${prefix}/auth`;

/** Reads the demands in the address of oauth2-proxy's check, as Go reads a query.
 * @returns `unknown` if a variable of nginx could be one of them, or if oauth2-proxy could not read the query */
function demandsOf(url: string): Demands | 'unknown' | undefined {
  const query = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  const pairs = query.split('&').map((it) => {
    const at = it.includes('=') ? it.indexOf('=') : it.length;
    return [decoded(it.slice(0, at)), decoded(it.slice(at + 1))] as const;
  });
  const isVariable = ([name = '', value = '']: (typeof pairs)[number]) =>
    name.includes('$') || (name.startsWith('allowed_') && value.includes('$'));
  if (pairs.some((it) => it.includes(undefined) || isVariable(it))) return 'unknown';
  const of = (name: string): readonly string[] =>
    pairs.flatMap(([key, value = '']) => (key === name ? value.split(',').filter((it) => it !== '') : []));
  const found = { groups: of('allowed_groups'), addresses: of('allowed_emails'), domains: of('allowed_email_domains') };
  return Object.values(found).some((it) => it.length > 0) ? found : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return text.includes(';') ? undefined : decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

const ALLOW_LISTS = ['allowlist-source-range', 'whitelist-source-range'] as const;

/** Facts about the address of the client; none if it does not matter. */
function networkOf(annotations: Annotations, everywhere: Everywhere, findings: Findings): readonly Fact[] | 'closed' {
  const lists = ALLOW_LISTS.filter((it) => annotations.has(it));
  const label = annotations.label(lists[0] ?? 'whitelist-source-range');
  const denial = annotations.label('denylist-source-range');
  const close = (of: string, text: string) => {
    findings.ask(of, `${text}: the paths are closed. Write who may pass`);
    return 'closed' as const;
  };
  const facts: Fact[] = [];
  // Versions of ingress-nginx differ in which of the two names they prefer: an address must be in both lists.
  const allowed = lists.length > 0 ? lists.map((it) => annotations.raw(it) ?? '') : everywhere.allowed;
  for (const text of allowed) {
    const found = rangesIn(text);
    if (found === undefined) return close(label, 'ingress-nginx refuses every request, because an entry is no address');
    if (found.all.ipv4) {
      const wider =
        'every IPv4 address passes, as before; requests from other IPv6 addresses, such as 2001:db8::1, pass too';
      if (found.all.ipv6) findings.differ(label, 'the ranges of all addresses restrict nothing, as before');
      else findings.differ(label, wider, true);
    } else if (found.ranges.length === 0) return close(label, 'a policy has no range of all IPv6 addresses');
    else facts.push({ network: found.ranges });
    if (found.all.ipv6 && !found.all.ipv4)
      findings.differ(label, 'a policy has no range of all IPv6 addresses: only the other ranges pass');
  }
  const denied = annotations.has('denylist-source-range')
    ? [annotations.raw('denylist-source-range') ?? '']
    : everywhere.denied;
  for (const text of denied) {
    const found = rangesIn(text);
    if (found === undefined)
      return close(denial, 'ingress-nginx refuses every request, because an entry is no address');
    if (found.all.ipv4 || found.all.ipv6) return close(denial, 'the range of all addresses is denied');
    facts.push({ none: [{ network: found.ranges }] });
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
    .map((it) => it.replaceAll('\\.', '.'));
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
  const verify = annotations.word('auth-tls-verify-client');
  const expression = annotations.text('auth-tls-match-cn');
  const label = annotations.label('auth-tls-verify-client');
  if (annotations.text('auth-tls-secret') === undefined) return none;
  if (verify === 'off' && expression !== undefined) {
    const why = 'without verification no certificate has a common name, so no caller passes: the host is closed';
    findings.ask(annotations.label('auth-tls-match-cn'), `${why}. Write who may pass`);
    return { any: false, closed: true };
  }
  if (verify !== 'on' && expression === undefined) {
    findings.lose(
      label,
      'no certificate is needed, as before; services never see the result of the verification: if the service decides by it, write a role by certificate',
    );
    return none;
  }
  findings.differ(
    annotations.label('auth-tls-secret'),
    'the gateway reads the SPIFFE id and the DNS names in a certificate, and never the common name',
    // A certificate may have one of these names as a DNS name, and another common name.
    expression === undefined ? undefined : true,
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
  people: People | undefined,
  findings: Findings,
): Who {
  const facts: Fact[] = [];
  let closed = annotations.isUnclear || everywhere.closed || certificates.closed;
  const own = annotations.text('auth-url');
  const isGlobal = own === undefined && annotations.is('enable-global-auth');
  const url = own ?? (isGlobal ? everywhere.authUrl : undefined);
  const label = annotations.label('auth-url');
  const isQueried = url !== undefined;
  const isProxy = isQueried && asksOauth2Proxy(url, people?.prefix);
  const isOauth2 = isProxy && people !== undefined;
  const requested = isOauth2 ? demandsOf(url) : undefined;
  const demands = requested === 'unknown' ? undefined : requested;
  if (isOauth2) facts.push(people.fact(demands));
  if (isOauth2 && /[%+]/.test(url)) {
    const why = 'if the controller validates annotations, it does not accept % and +, and refuses these requests';
    findings.differ(label, `${why}; the policy lets people pass who meet its demands`, true);
  }
  if (isQueried && (!isOauth2 || requested === 'unknown')) {
    closed = true;
    const why = !isProxy
      ? 'the gateway asks no other service about a request: write who may pass into the role'
      : isOauth2
        ? 'the query of this address is not understood: write who may pass into the role'
        : 'give the configuration of this oauth2-proxy to the command (--oauth2-proxy FILE), or write who may pass into the role';
    findings.ask(label, why);
  }
  if (!isQueried && annotations.text('auth-signin') !== undefined)
    findings.differ(annotations.label('auth-signin'), 'without auth-url it demands no sign-in, as before');
  if (isQueried && /^http:\/\//.test(url)) {
    findings.differ(
      label,
      'no request for this check crosses the network any more: before, cookies and tokens did so over plain HTTP',
    );
  }
  const snippet = annotations.text('auth-snippet') ?? '';
  if (isQueried && !isHarmless(snippet)) {
    closed = true;
    findings.ask(
      annotations.label('auth-snippet'),
      'its lines may decide who passes: write who may pass into the role',
    );
  } else if (isQueried && setsHeaders(snippet)) findings.differ(annotations.label('auth-snippet'), ASKED_HEADERS, true);
  if (annotations.has('auth-type') || (annotations.has('auth-secret') && !isQueried)) {
    closed = true;
    findings.ask(annotations.label('auth-type'), 'write who may pass into the role: the gateway has no passwords');
  }
  if (certificates.fact !== undefined) facts.push(certificates.fact);
  const network = networkOf(annotations, everywhere, findings);
  if (network === 'closed') closed = true;
  const networks = network === 'closed' ? [] : network;
  const isAny = annotations.word('satisfy') === 'any';
  const hasOther = facts.length > 0 || closed;
  const beside = certificates.fact ? [certificates.fact] : [];
  const further = { ...(demands && { demands: true as const }) };
  if (isAny && hasOther && networks.length > 0) {
    // Of `satisfy any`, nginx exempts the client certificate, which the handshake itself demands.
    const alternative = all([...beside, ...networks]);
    // Without an allow list, no address satisfies nginx: a deny list only denies.
    const isAllowed = networks.some((it) => typeof it === 'object' && Object.hasOwn(it, 'network'));
    const hasNoSecret = annotations.text('auth-type') !== undefined && annotations.text('auth-secret') === undefined;
    const isDenied = certificates.closed || annotations.isUnclear || everywhere.closed || hasNoSecret;
    const only = certificates.any || isDenied || !isAllowed;
    const others = isOauth2 && { besideOthers: beside };
    return { facts, closed, anyCertificate: certificates.any, ...further, ...others, ...(!only && { alternative }) };
  }
  if (certificates.any && (facts.length > 0 || networks.length > 0 || closed)) {
    findings.ask(
      annotations.label('auth-tls-secret'),
      'beside another demand, a role must name the certificates: write their DNS names or SPIFFE ids into it',
    );
    closed = true;
  }
  const others = isOauth2 && { besideOthers: [...beside, ...networks] };
  return { facts: [...facts, ...networks], closed, anyCertificate: certificates.any, ...further, ...others };
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
