import type { Path } from '../../forms/path.ts';
import { type DraftPolicy, entriesOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { REGISTERED, UNREGISTERED } from './field-names.ts';

/* Which response headers a service may send to a browser. A service shares its host with the gateway's own URLs, which
 * contain codes and tickets. So a header must not change what a browser does with other responses of the host. */

/** Headers that pass, grouped by their effect. None of them has an effect beyond the service's own response. */
export const PASSED: readonly { readonly names: readonly string[]; readonly what: string }[] = [
  {
    what: 'describe the body, or negotiate its form',
    names: [
      ...['Accept', 'Accept-Encoding', 'Accept-Patch', 'Accept-Post', 'Accept-Query', 'Accept-Ranges', 'Alternates'],
      ...['Content-Digest', 'Content-Disposition', 'Content-DPR', 'Content-Encoding', 'Content-ID', 'Content-Language'],
      ...['Content-Length', 'Content-Location', 'Content-MD5', 'Content-Range', 'Content-Type', 'Digest', 'ETag'],
      ...['Last-Modified', 'Memento-Datetime', 'MIME-Version', 'Repr-Digest', 'SourceMap', 'TCN', 'Unencoded-Digest'],
      ...['Want-Content-Digest', 'Want-Digest', 'Want-Repr-Digest', 'Want-Unencoded-Digest', 'X-SourceMap'],
    ],
  },
  {
    what: 'say for how long the response may be stored',
    names: [
      ...['Age', 'Cache-Control', 'Cache-Groups', 'Cache-Status', 'CDN-Cache-Control', 'Expires', 'No-Vary-Search'],
      ...['Pragma', 'Surrogate-Control', 'Variant-Vary', 'Vary', 'Warning'],
    ],
  },
  {
    what: 'say what became of the request, or what to do next',
    names: [
      ...['Allow', 'Authentication-Info', 'Authorization', 'CMSD-Dynamic', 'CMSD-Static', 'Date', 'Deprecation'],
      ...[
        'DPoP-Nonce',
        'Idempotency-Key',
        'Incremental',
        'Link-Template',
        'Location',
        'Preference-Applied',
        'Priority',
      ],
      ...['Proxy-Status', 'Refresh', 'Replay-Nonce', 'Retry-After', 'Server', 'Server-Timing', 'Set-Txn', 'Signature'],
      ...['Accept-Signature', 'Signature-Input', 'Status-URI', 'Sunset', 'Traceparent', 'Tracestate', 'TTL', 'Via'],
      'WWW-Authenticate',
    ],
  },
  { what: 'set cookies; the gateway removes its own from them', names: ['Set-Cookie'] },
  {
    what: 'say which other pages may read the response',
    names: [
      ...['Access-Control-Allow-Credentials', 'Access-Control-Allow-Headers', 'Access-Control-Allow-Methods'],
      ...['Access-Control-Allow-Origin', 'Access-Control-Allow-Private-Network', 'Access-Control-Expose-Headers'],
      ...['Access-Control-Max-Age', 'Cross-Origin-Resource-Policy', 'Timing-Allow-Origin'],
    ],
  },
  {
    what: 'restrict the page itself; no report of it leaves the browser, because no header names an endpoint',
    names: [
      ...['Connection-Allowlist', 'Connection-Allowlist-Report-Only', 'Content-Security-Policy'],
      ...['Content-Security-Policy-Report-Only', 'Cross-Origin-Embedder-Policy', 'Cross-Origin-Opener-Policy'],
      ...['Cross-Origin-Embedder-Policy-Report-Only', 'Cross-Origin-Opener-Policy-Report-Only', 'Document-Policy'],
      ...['Document-Isolation-Policy', 'Document-Isolation-Policy-Report-Only', 'Document-Policy-Report-Only'],
      ...['Feature-Policy', 'Integrity-Policy', 'Integrity-Policy-Report-Only', 'P3P', 'Permissions-Policy'],
      ...['Permissions-Policy-Report-Only', 'Referrer-Policy', 'Require-Document-Policy', 'X-Content-Security-Policy'],
      ...['X-Content-Type-Options', 'X-DNS-Prefetch-Control', 'X-Download-Options', 'X-Frame-Options', 'X-Robots-Tag'],
      ...['X-Permitted-Cross-Domain-Policies', 'X-UA-Compatible', 'X-WebKit-CSP', 'X-XSS-Protection'],
    ],
  },
  {
    what: 'belong to the connection; nginx reads or writes them itself',
    names: [
      ...['Connection', 'Keep-Alive', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Sec-WebSocket-Accept'],
      ...['Sec-WebSocket-Extensions', 'Sec-WebSocket-Protocol', 'Sec-WebSocket-Version'],
    ],
  },
  {
    what: 'belong to other protocols over HTTP: WebDAV, CalDAV, OData, OSLC, ACME, AS2',
    names: [
      ...['Cal-Managed-ID', 'Cert-Not-After', 'Cert-Not-Before', 'Configuration-Context', 'DASL', 'DAV', 'Lock-Token'],
      ...['EDIINT-Features', 'Hobareg', 'OData-EntityId', 'OData-MaxVersion', 'OData-Version', 'OSLC-Core-Version'],
      ...['CTA-Common-Access-Token', 'Redirect-Ref', 'Repeatability-Result', 'Schedule-Tag', 'Timeout'],
    ],
  },
];

/** Headers of which the gateway removes some values, and the reason why. nginx hides them and adds what is left. */
export const FILTERED: readonly { readonly name: string; readonly why: string }[] = [
  { name: 'Clear-Site-Data', why: 'without what would clear cookies: a browser clears those of the whole site' },
  {
    name: 'Link',
    why: 'unless it makes browsers connect to other hosts (`preconnect`, `prefetch`, `preload` and so on)',
  },
];

type Group = 'reports' | 'host' | 'requests' | 'credentials';

/** Headers that do not pass because browsers act on them, grouped by what they could do. */
export const DROPPED: Readonly<Record<Group, { readonly names: readonly string[]; readonly what: string }>> = {
  reports: {
    what: 'make the browser report URLs of the host, also the gateway’s own with codes and tickets',
    names: ['Expect-CT', 'Expect-Staple', 'NEL', 'Public-Key-Pins-Report-Only', 'Report-To', 'Reporting-Endpoints'],
  },
  host: {
    what: 'change how the browser treats other responses of the host, or connects to it, for as long as they say',
    names: [
      ...['Accept-CH', 'Accept-CH-Lifetime', 'Alt-Svc', 'Avail-Format', 'Avail-Language', 'Cache-Group-Invalidation'],
      ...['Cookie-Indices', 'Critical-CH', 'Critical-Origin-Trial', 'Delegate-CH', 'Origin-Agent-Cluster'],
      ...['Origin-Isolation', 'Origin-Policy', 'Origin-Trial', 'Public-Key-Pins', 'Sec-Origin-Policy'],
      ...['Service-Worker-Allowed', 'Snapshot-Content-Location', 'Strict-Transport-Security', 'Supports-Loading-Mode'],
      ...['Traceresponse', 'Use-As-Dictionary', 'Variant-Key', 'Variants'],
    ],
  },
  requests: {
    what: 'make the browser send requests, or data about the person, without the page',
    names: [
      ...['Ad-Auction-Additional-Bid', 'Ad-Auction-Allowed', 'Ad-Auction-Only', 'Ad-Auction-Result'],
      ...['Ad-Auction-Result-Nonce', 'Ad-Auction-Signals', 'Attribution-Reporting-Info'],
      ...['Attribution-Reporting-Register-OS-Source', 'Attribution-Reporting-Register-OS-Trigger'],
      ...['Attribution-Reporting-Register-Source', 'Attribution-Reporting-Register-Trigger', 'Observe-Browsing-Topics'],
      ...['Private-Network-Access-ID', 'Private-Network-Access-Name', 'Shared-Storage-Cross-Origin-Worklet-Allowed'],
      ...['Shared-Storage-Write', 'Speculation-Rules', 'X-Allow-FLEDGE'],
    ],
  },
  credentials: {
    what: 'create, use or change credentials of the browser for the host',
    names: [
      ...['Activate-Storage-Access', 'Authentication-Control', 'Google-Accounts-SignIn', 'Google-Accounts-SignOut'],
      ...['IdP-SignIn-Status', 'Include-Referred-Token-Binding-ID', 'Optional-WWW-Authenticate', 'Proxy-Authenticate'],
      ...['Proxy-Authentication-Info', 'Sec-Private-State-Token', 'Sec-Private-State-Token-Lifetime'],
      ...['Sec-Redemption-Record', 'Sec-Session-Challenge', 'Sec-Session-GoogleChallenge', 'Sec-Session-Registration'],
      ...['Sec-Trust-Token', 'Secure-Session-Challenge', 'Secure-Session-Registration', 'Set-Cookie2', 'Set-Login'],
      ...['X-Auto-Login', 'X-Chrome-ID-Consistency-Response', 'X-Chrome-Manage-Accounts'],
    ],
  },
};

const lower = (name: string): string => name.toLowerCase();

const KEPT = new Set([...PASSED.flatMap(({ names }) => names), ...FILTERED.map(({ name }) => name)].map(lower));

/** Names on which browsers act. */
export const ACTED: readonly string[] = Object.values(DROPPED).flatMap(({ names }) => names);

/** All known names that do not pass: whatever no list allows. */
export const CLOSED: readonly string[] = [...REGISTERED, ...UNREGISTERED].filter((name) => !KEPT.has(lower(name)));

/** The header with which a service asks a browser for a password. It passes only on hosts without sign-in: the
 * browser would send the password with all later requests to the host. */
export const CHALLENGE = 'WWW-Authenticate';

/** Headers that no policy can open, and what to do instead. */
const NEVER: Readonly<Record<string, string>> = {
  'service-worker-allowed': 'use service_workers of the route and remove it here',
  traceresponse: 'the gateway sends this header; remove it here',
  'clear-site-data': 'this header passes without the cookies; remove it here',
  link: 'this header passes unless it makes browsers connect to other hosts; remove it here',
};

const OPEN = new Map([...CLOSED, CHALLENGE].map((name) => [lower(name), name]));
const REPORTS = new Set(DROPPED.reports.names.map(lower));

function mistake(name: string, gateway: DraftPolicy['gateway']): string | undefined {
  const key = lower(name);
  const signsIn = writes(gateway ?? {}, 'session');
  if (key === 'strict-transport-security' && writes(gateway ?? {}, 'hsts'))
    return 'gateway.hsts sets this header; remove it here';
  if (NEVER[key] !== undefined) return NEVER[key];
  if (!OPEN.has(key)) return 'no effect: this header passes from every service; remove it';
  if (signsIn && REPORTS.has(key)) {
    return 'with this header, a service learns the URLs of sign-ins, which contain codes; remove it, or give the service a policy without gateway.session';
  }
  return undefined;
}

/** Checks that the list drops each name that a service may send nevertheless. */
export function checkResponseHeaders(report: Report, draft: DraftPolicy): void {
  for (const [name, service] of entriesOf(draft.services)) {
    const path: Path = ['services', name, 'response_headers'];
    if (!writes(service, 'response_headers')) continue;
    const headers = service.response_headers ?? [];
    for (const [index, header] of headers.entries()) {
      if (header === undefined) continue;
      const message = mistake(header, draft.gateway);
      if (message !== undefined) report.add([...path, index], message);
    }
  }
}
