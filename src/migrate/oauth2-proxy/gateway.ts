import { isWithin, type Range } from '../../base/cidr.ts';
import { MAX_SESSION } from '../../policy/forms/bounds.ts';
import type { Findings } from '../findings.ts';
import { comment, type Draft, type Mapping, type Rule } from '../new-policy.ts';
import { durationText, isFile, rangeOf, secondsOf } from '../text-forms.ts';
import type { Settings } from './settings.ts';
import { networkOf, networkText } from './values.ts';

const SESSION_KEYS = '/run/secrets/session.jwks';

const DAY = 86_400;

/** The role of addresses that need no credential. */
export const TRUSTED = 'trusted-network';

function sessionOf(settings: Settings, findings: Findings): Mapping {
  const declared = (name: string) => secondsOf(settings.text(name) ?? '');
  const expire = declared('cookie-expire');
  const refresh = declared('cookie-refresh');
  const session: Mapping = { keys_file: SESSION_KEYS };
  // Without a time, the cookie of oauth2-proxy lasts as long as the browser: the gateway has no such cookies.
  const entire = expire === undefined || expire < 1 ? 7 * DAY : Math.min(expire, MAX_SESSION);
  session.absolute = durationText(entire);
  session.idle = durationText(entire);
  if (refresh !== undefined && refresh >= 1) session.fresh = durationText(Math.min(refresh, entire));
  if (expire !== undefined && expire > MAX_SESSION) {
    findings.differ(settings.label('cookie-expire'), 'a session lasts at most 30d');
  }
  if (!settings.has('cookie-expire')) {
    findings.differ(
      '--cookie-expire',
      'the default of oauth2-proxy is 168h, and that of the gateway is 24h, or 8h without a request: remove absolute and idle to use it',
    );
  }
  if (!settings.has('cookie-refresh')) {
    findings.differ(
      '--cookie-refresh',
      'the gateway asks the provider about a session every 10m, so people lose access sooner after they lost a group',
    );
  }
  return session;
}

function secretKeys(settings: Settings, findings: Findings): void {
  const label = settings.label(settings.has('cookie-secret-file') ? 'cookie-secret-file' : 'cookie-secret');
  findings.ask(
    label,
    `not needed any more: "meshgate keys new --session" makes ${SESSION_KEYS}, and each person signs in once again`,
  );
}

function tlsOf(settings: Settings, draft: Draft, findings: Findings): Mapping {
  const [cert, key] = [settings.text('tls-cert-file'), settings.text('tls-key-file')];
  if (isFile(cert) && isFile(key)) return { cert_file: cert, key_file: key };
  findings.ask(
    settings.label(settings.has('tls-cert-file') ? 'tls-cert-file' : 'http-address'),
    'browsers need TLS: put a certificate and its key into the files of gateway.tls, or write insecure_http: true instead if TLS ends in front of the gateway',
  );
  comment(
    draft,
    'gateway.tls',
    'FILL IN: a certificate and its key, or insecure_http: true if TLS ends in front of the gateway.',
  );
  return { cert_file: '/run/tls/tls.crt', key_file: '/run/tls/tls.key' };
}

/** The port of an address such as `:443`, `0.0.0.0:4180` or `https://[::1]:4180`. */
function portOf(text: string | undefined): number | undefined {
  const port = Number(/:(\d{1,5})$/.exec(text ?? '')?.[1]);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function trustedProxies(settings: Settings, findings: Findings): readonly string[] {
  if (!settings.is('reverse-proxy')) return [];
  const declared = settings.list('trusted-proxy-ip');
  const ranges = [...new Set(declared.flatMap((it) => rangeOf(it) ?? []))];
  const label = settings.label(settings.has('trusted-proxy-ip') ? 'trusted-proxy-ip' : 'reverse-proxy');
  if (declared.length === 0) {
    findings.ask(
      label,
      'oauth2-proxy believes X-Forwarded-For of everyone: write the addresses of your proxies into gateway.trusted_proxies, or the gateway takes the address of the connection',
    );
  } else if (ranges.length < declared.length) {
    findings.lose(label, 'a range that is no address, or that contains all addresses, is left out');
  }
  if (!settings.has('real-client-ip-header')) {
    findings.differ(
      '--real-client-ip-header',
      'oauth2-proxy reads X-Real-IP, and the gateway X-Forwarded-For: let the proxy send it',
    );
  }
  return ranges;
}

/** Adds the settings of the gateway itself.
 * @param isQueried whether another nginx asks oauth2-proxy about requests. Its own addresses then say nothing about the
 *   gateway. */
export function migrateGateway(settings: Settings, draft: Draft, findings: Findings, isQueried: boolean): void {
  const { gateway } = draft;
  if (isQueried) {
    gateway.session = sessionOf(settings, findings);
    secretKeys(settings, findings);
    return;
  }
  const port = portOf(settings.text(settings.has('tls-cert-file') ? 'https-address' : 'http-address'));
  if (port !== undefined && port >= 1024 && port !== 8443) gateway.listen = port;
  gateway.tls = tlsOf(settings, draft, findings);
  const trusted = trustedProxies(settings, findings);
  if (trusted.length > 0) gateway.trusted_proxies = trusted;
  gateway.session = sessionOf(settings, findings);
  secretKeys(settings, findings);
}

/** Whether two ranges may have an address in common. It is coarse, and says yes if in doubt. */
export function mayOverlap(one: string, other: string): boolean {
  const [a = '', b = ''] = [one, other];
  if (a.includes(':') !== b.includes(':')) return false;
  if (a.includes(':')) return true;
  const [[from = '', length = '32'] = [], [to = '', size = '32'] = []] = [a.split('/'), b.split('/')];
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const shift = 2 ** (32 - Math.min(Number(length), Number(size)));
  return Math.floor(number(from) / shift) === Math.floor(number(to) / shift);
}

/** A policy rejects a range that another one contains. */
const outermost = (networks: readonly Range[]): readonly Range[] =>
  [...networks]
    .filter((it) => it.length > 0)
    .sort((a, b) => a.length - b.length)
    .filter((it, at, all) => !all.slice(0, at).some((other) => isWithin(it.bytes, other, it.length)));

/** Returns the rule for addresses that need no credential, and adds its role.
 * @param isBlind - whether the gateway would take the address of a proxy for that of a client */
export function trustedAddresses(
  settings: Settings,
  draft: Draft,
  findings: Findings,
  isBlind: boolean,
): readonly Rule[] {
  const declared = settings.list('trusted-ip');
  if (declared.length === 0 || settings.isClosed) return [];
  const label = settings.label('trusted-ip');
  if (isBlind) {
    findings.lose(
      label,
      'each client would have the address of the proxy, and might pass: write gateway.trusted_proxies, and then a role by network',
    );
    return [];
  }
  const networks = declared.flatMap((it) => networkOf(it) ?? []);
  const ranges = outermost(networks).flatMap((it) => networkText(it) ?? []);
  if (networks.some((it) => networkText(it) === undefined)) {
    findings.lose(
      label,
      'a range that is an IPv4 address in the form of IPv6, or that contains all addresses, is left out: requests from there need a credential',
    );
  }
  const trusted = (draft.gateway.trusted_proxies ?? []) as readonly string[];
  const isWide = trusted.some((it) => Number(it.split('/')[1]) < (it.includes(':') ? 64 : 24));
  const usable = ranges.filter((it) => !isWide && !trusted.some((other) => mayOverlap(it, other)));
  if (usable.length < ranges.length) {
    findings.lose(
      label,
      'clients could forge these addresses, because gateway.trusted_proxies is wide or contains them: name only the addresses of proxies there, and then add a role by network',
    );
  }
  if (usable.length === 0) return [];
  if (settings.is('reverse-proxy')) {
    const what = 'oauth2-proxy takes the first address of the header of the client, and the gateway the last one';
    findings.differ(label, `${what} in X-Forwarded-For that is not of gateway.trusted_proxies`, true);
  }
  findings.differ(
    label,
    'pages of other sites cannot use the network of a browser for unsafe methods: the gateway checks the origin (docs/certificates.md)',
  );
  draft.roles[TRUSTED] = { network: usable };
  return [TRUSTED];
}
