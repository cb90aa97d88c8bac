/** A small model of ingress-nginx 1.15: which requests reach the service. It is written from the sources of ingress-nginx
 * (internal/ingress/annotations, internal/ingress/controller, rootfs/etc/nginx/template) and shares no code with the
 * migration. Where a setting of the controller that no manifest shows would matter (the validation of annotations), a
 * request passes only if it passes with both. */

export interface Location {
  readonly path: string;
  readonly type: 'Prefix' | 'Exact' | 'ImplementationSpecific';
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Request {
  readonly path: string;
  /** The address of the client. */
  readonly network: string;
  /** The common name of a verified certificate. */
  readonly certificate?: string;
  /** The person, if oauth2-proxy knows a session. */
  readonly person?: { readonly email: string; readonly groups: readonly string[] };
}

export interface Controller {
  readonly globalAuthUrl?: string;
  /** The level of `annotations-risk-level`. */
  readonly level?: string;
  /** The text of `strict-validate-path-type`; absent: its default. */
  readonly strict?: string;
}

type Values = Readonly<Record<string, string>>;

/** Go's unicode.IsSpace. */
const isSpace = (char: string) =>
  '\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000'.includes(char) ||
  (char >= '\u2000' && char <= '\u200a');

function trimSpace(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isSpace(text[from] as string)) from++;
  while (to > from && isSpace(text[to - 1] as string)) to--;
  return text.slice(from, to);
}

/** parser.normalizeString; undefined if nothing is left. */
export function stringOf(values: Values, name: string): string | undefined {
  const text = (values[name] ?? '').split('\n').map(trimSpace).join('\n');
  return text === '' ? undefined : text;
}

/** strconv.ParseBool, with the default of the annotation for all else. */
export function boolOf(values: Values, name: string, otherwise: boolean): boolean {
  const text = values[name] ?? '';
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(?:0|f|F|FALSE|false|False)$/.test(text) ? false : otherwise;
}

const bits = (bytes: readonly number[]) => bytes.map((it) => it.toString(2).padStart(8, '0')).join('');

/** net.ParseIP as bits; undefined if it is no address. IPv6 with an IPv4 part is not modelled, and counts as none. */
function ipBits(text: string): string | undefined {
  if (/^\d+(?:\.\d+){3}$/.test(text)) {
    const parts = text.split('.');
    return parts.every((it) => String(Number(it)) === it && Number(it) < 256) ? bits(parts.map(Number)) : undefined;
  }
  if (!/^[0-9A-Fa-f:]+$/.test(text) || !text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const words = halves.map((it) => (it === '' ? [] : it.split(':')));
  if (words.flat().some((it) => !/^[0-9A-Fa-f]{1,4}$/.test(it))) return undefined;
  const missing = 8 - words.flat().length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const entire = [...(words[0] ?? []), ...Array<string>(Math.max(0, missing)).fill('0'), ...(words[1] ?? [])];
  return entire.map((it) => Number.parseInt(it, 16).toString(2).padStart(16, '0')).join('');
}

/** net.ParseIPNets: the prefixes in bits, or undefined if one entry is wrong. */
function prefixesIn(text: string): readonly { readonly size: number; readonly prefix: string }[] | undefined {
  const found = text.split(',').map((entry) => {
    const [address = '', length, ...more] = trimSpace(entry).split('/');
    const all = ipBits(address);
    if (all === undefined || more.length > 0) return undefined;
    if (length === undefined) return { size: all.length, prefix: all };
    return /^\d{1,3}$/.test(length) && Number(length) <= all.length
      ? { size: all.length, prefix: all.slice(0, Number(length)) }
      : undefined;
  });
  return found.includes(undefined) ? undefined : found.filter((it) => it !== undefined);
}

const isIn = (network: string, list: readonly { readonly size: number; readonly prefix: string }[]) => {
  const address = ipBits(network) ?? '';
  return list.some(({ size, prefix }) => size === address.length && address.startsWith(prefix));
};

type Access = 'allowed' | 'declined' | 'denied';

/** `allow` and `deny` of the location. */
function accessOf(values: Values, network: string): Access {
  const of = (names: readonly string[]) =>
    names.find((it) => (values[it] ?? '') !== '') ?? names.find((it) => it in values);
  const [allow, deny] = [of(['allowlist-source-range', 'whitelist-source-range']), of(['denylist-source-range'])];
  const listOf = (name: string | undefined) => (name === undefined ? [] : prefixesIn(stringOf(values, name) ?? ''));
  const [allowed, denied] = [listOf(allow), listOf(deny)];
  if (allowed === undefined || denied === undefined) return 'denied';
  if (isIn(network, denied)) return 'denied';
  if (allow === undefined) return 'declined';
  return isIn(network, allowed) ? 'allowed' : 'denied';
}

/** The query of a URL, as Go's url.ParseQuery reads it: pairs with an error are dropped. */
function queryOf(url: string): readonly (readonly [string, string])[] {
  const query = url.includes('?') ? url.slice(url.indexOf('?') + 1).replace(/#.*$/s, '') : '';
  return query.split('&').flatMap((pair) => {
    if (pair === '' || pair.includes(';')) return [];
    const [key = '', ...rest] = pair.split('=');
    try {
      return [[unescaped(key), unescaped(rest.join('='))] as const];
    } catch {
      return [];
    }
  });
}

const unescaped = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));

/** oauth2-proxy's /oauth2/auth for people of example.com. Every other address refuses: the model does not know it. */
function requested(url: string, { person }: Request): boolean {
  if (!/^https?:\/\/[^/?#]+\/oauth2\/auth(?:\?[^#]*)?$/.test(url)) return false;
  if (person === undefined || !/^[^@]+@example\.com$/i.test(person.email)) return false;
  const named = (name: string) =>
    queryOf(url).flatMap(([key, value]) => (key === name ? value.split(',').filter((it) => it !== '') : []));
  const [groups, emails, domains] = [named('allowed_groups'), named('allowed_emails'), named('allowed_email_domains')];
  if (groups.length > 0 && !person.groups.some((it) => groups.includes(it))) return false;
  if (emails.length > 0 && !emails.includes(person.email)) return false;
  return domains.length === 0 || domains.includes(person.email.split('@')[1] ?? '');
}

/** Validators of annotations whose failure leaves the Ingress out, or denies its locations. */
const VALIDATORS: Readonly<Record<string, RegExp>> = {
  'auth-url': /^[-._~a-zA-Z0-9/:, ?&=$]*$/,
  'auth-method': /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|CONNECT|OPTIONS|TRACE)$/,
  'auth-response-headers': /^[A-Za-z0-9-_, ]*$/,
  'auth-tls-secret': /^[-._~a-zA-Z0-9/: ]*$/,
  'auth-tls-match-cn': /^CN=/,
  'auth-always-set-cookie': /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/,
};

const RISK: Readonly<Record<string, number>> = {
  ...Object.fromEntries(['auth-url', 'auth-tls-match-cn', 'server-alias', 'auth-signin'].map((it) => [it, 2])),
  ...Object.fromEntries(
    ['whitelist-source-range', 'denylist-source-range', 'auth-tls-secret', 'auth-tls-verify-client'].map((it) => [
      it,
      1,
    ]),
  ),
};

export function isLoaded(values: Values, level: string | undefined): boolean {
  const most = level === undefined ? 3 : ({ critical: 3, high: 2, medium: 1 }[level.toLowerCase()] ?? 0);
  return Object.keys(values).every((it) => (RISK[it] ?? 0) <= most);
}

/** Whether there can be passwords for `auth-type` (internal/ingress/annotations/auth): without, the location answers 503,
 * whatever satisfy says. */
function hasSecret(values: Values): boolean {
  const type = stringOf(values, 'auth-secret-type') ?? 'auth-file';
  return (
    /^(?:basic|digest)$/.test(stringOf(values, 'auth-type') ?? '') &&
    /^(?:apps\/)?[-._~a-zA-Z0-9:]+$/.test(stringOf(values, 'auth-secret') ?? '') &&
    ['auth-file', 'auth-map'].includes(type)
  );
}

/** Whether a location lets a request pass. The certificate belongs to the whole server. */
export function passesAt(values: Values, request: Request, controller: Controller): boolean {
  const url = stringOf(values, 'auth-url');
  if (url !== undefined && !/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]+/.test(url)) return false;
  const hasPasswords = stringOf(values, 'auth-type') !== undefined;
  if (hasPasswords && !hasSecret(values)) return false;
  const method = stringOf(values, 'auth-method');
  const isBad = (name: string) =>
    (values[name] ?? '') !== '' && VALIDATORS[name]?.test((values[name] ?? '').replaceAll(' ', '')) === false;
  if (Object.keys(VALIDATORS).some(isBad) || (method !== undefined && isBad('auth-method'))) return false;
  const access = accessOf(values, request.network);
  const lists = ['allowlist-source-range', 'whitelist-source-range', 'denylist-source-range'].filter(
    (it) => it in values,
  );
  // The annotation itself is wrong: the location answers 503, whatever satisfy says.
  if (lists.some((it) => (values[it] ?? '') !== '' && prefixesIn(stringOf(values, it) ?? '') === undefined))
    return false;
  const own = url ?? (boolOf(values, 'enable-global-auth', true) ? controller.globalAuthUrl : undefined);
  const signedIn = own === undefined ? undefined : requested(own, request);
  // No request has a password.
  if (stringOf(values, 'satisfy') === 'any' && (signedIn !== undefined || hasPasswords))
    return access === 'allowed' || signedIn === true;
  return access !== 'denied' && signedIn !== false && !hasPasswords;
}

/** Whether the handshake and the `if` of the server let a request pass. */
export function passesServer(values: Values, { certificate }: Request): boolean {
  const secret = stringOf(values, 'auth-tls-secret');
  if (secret === undefined) return true;
  if (!/^apps\/[^/]+$/.test(secret)) return false;
  const reported = stringOf(values, 'auth-tls-verify-client') ?? '';
  const verify = ['on', 'off', 'optional', 'optional_no_ca'].includes(reported) ? reported : 'on';
  if (verify === 'on' && certificate === undefined) return false;
  const subject = verify === 'off' || certificate === undefined ? '' : `CN=${certificate}`;
  const expression = stringOf(values, 'auth-tls-match-cn');
  return expression === undefined || new RegExp(expression).test(subject);
}
