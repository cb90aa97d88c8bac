import { isMappedRange, isWithin, type Range, rangeText, readRange } from '../../base/cidr.ts';
import { truthOf } from '../text-forms.ts';

/* How ingress-nginx 1.15 reads values that decide who passes (its sources: internal/ingress/annotations). A text that is
 * not in this module is not understood, and closes the paths of its Ingress. */

/** Removes what Go calls space, which is not what JavaScript calls space. */
export function trimmed(text: string): string {
  const space = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
  return text
    .split('\n')
    .map((line) => line.replace(new RegExp(`^${space}|${space}$`, 'g'), ''))
    .join('\n');
}

/** A whole number, as ingress-nginx reads it. */
export const integerOf = (text: string | undefined): number | undefined =>
  /^[+-]?\d{1,15}$/.test(text ?? '') ? Number(text) : undefined;

/** An annotation of few texts. ingress-nginx takes `otherwise` for every other text. */
interface Words {
  readonly known: readonly string[];
  readonly otherwise: string;
}

export const words = {
  'auth-tls-verify-client': { known: ['on', 'off', 'optional', 'optional_no_ca'], otherwise: 'on' },
  satisfy: { known: ['any', 'all'], otherwise: 'all' },
} as const satisfies Readonly<Record<string, Words>>;

/** The bits of annotations that are true or false. ingress-nginx takes `otherwise` for every other text. */
export const switches = {
  'enable-global-auth': true,
  'use-regex': false,
  canary: false,
  'ssl-passthrough': false,
  'enable-cors': false,
  'cors-allow-credentials': true,
} as const satisfies Readonly<Record<string, boolean>>;

const URL_CHARACTERS = /^[-._~a-zA-Z0-9/:, ?&=$]*$/;
const BASIC_CHARACTERS = /^[-._~a-zA-Z0-9/:]*$/;
/** `%` is here, because a controller without the validation of annotations accepts it. */
const AUTH_URL =
  /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/(?!\/)(?![^/?]*\.\.)[-._~a-zA-Z0-9:$]+(?:[/?][-._~a-zA-Z0-9/:,?&=$%+]*)?$/;
const METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|CONNECT|OPTIONS|TRACE)$/;
/** Codes of responses and durations, of which the last is a duration. */
const DURATIONS = /^ *(?:\d{3} +|\d+(?:ms|[smhdwMy]) *)*$/;

const fits =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

/** Texts with which the annotation has a meaning. With another one, ingress-nginx refuses the requests or leaves the
 * Ingress out. An empty text is as if the annotation were not there. */
export const meaningful: Readonly<Record<string, (text: string, namespace: string) => boolean>> = {
  'auth-url': fits(AUTH_URL),
  'auth-method': fits(METHOD),
  'auth-type': fits(/^(?:basic|digest)$/),
  'auth-secret': (text, namespace) => isOwn(text, namespace),
  'auth-secret-type': fits(/^auth-(?:file|map)$/),
  'auth-request-redirect': fits(URL_CHARACTERS),
  'auth-response-headers': fits(/^[A-Za-z0-9-_, ]*$/),
  'auth-cache-duration': (text) =>
    text.split(',').every((it, at, { length }) => {
      const isLast = it === '' && at === length - 1;
      return isLast || (DURATIONS.test(it) && /[a-zA-Z]$/.test(it.trimEnd()));
    }),
  'auth-always-set-cookie': (text) => truthOf(text) !== undefined,
  'auth-proxy-set-headers': (text, namespace) => isOwn(text, namespace),
  'auth-tls-secret': (text, namespace) => text.includes('/') && isOwn(text, namespace),
  'auth-tls-error-page': fits(/^(?:@[\w-]+|(?:(?:https?:\/\/)?[A-Za-z0-9.-]+(?::\d+)?)?(?:\/[\w.-]+)*\/?)$/),
  'auth-tls-pass-certificate-to-upstream': (text) => truthOf(text) !== undefined,
  'auth-tls-match-cn': (text) => text.startsWith('CN=') && !/[\r\n]/.test(text),
  'rewrite-target': fits(/^\/?[-._~a-zA-Z0-9/:$]*$/),
};

/** A name, or a namespace and a name: another namespace than that of the Ingress is refused. */
function isOwn(text: string, namespace: string): boolean {
  const parts = text.split('/');
  if (!BASIC_CHARACTERS.test(text) || parts.length > 2 || parts.some((it) => it === '')) return false;
  return parts.length === 1 || parts[0] === namespace;
}

/** Ranges of addresses. `all`: the families of which every address is in a range. */
export interface Ranges {
  readonly ranges: readonly string[];
  readonly all: { readonly ipv4: boolean; readonly ipv6: boolean };
}

/** A number in dotted form with a zero before another digit is no address for Go. */
const ADDRESS = /^(?:(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}|[0-9A-Fa-f:]{2,39})(?:\/(?:0|[1-9]\d{0,2}))?$/;

function rangeIn(text: string): Range | undefined {
  if (!ADDRESS.test(text)) return undefined;
  const range = readRange(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
  return range === undefined || isMappedRange(range) ? undefined : range;
}

/** Reads a list of addresses and ranges. One wrong entry, also an empty one, makes ingress-nginx refuse every request. */
export function rangesIn(text: string): Ranges | undefined {
  const found = text.split(',').map((it) => rangeIn(trimmed(it)));
  const known = found.filter((it) => it !== undefined);
  if (known.length < found.length) return undefined;
  const isAll = (bytes: number) => known.some((it) => it.length === 0 && it.bytes.length === bytes);
  const narrow = known.filter((it) => it.length > 0).sort((a, b) => a.length - b.length);
  // A policy rejects a range that another one contains.
  const outer = narrow.filter((it, at) => !narrow.slice(0, at).some((other) => isWithin(it.bytes, other, it.length)));
  return { ranges: outer.map(rangeText), all: { ipv4: isAll(4), ipv6: isAll(16) } };
}

/** Annotations by their risk. A controller leaves an Ingress out that has one above its `annotations-risk-level`. */
const RISKS: Readonly<Record<'medium' | 'high' | 'critical', string>> = {
  critical: 'auth-snippet configuration-snippet modsecurity-snippet server-snippet stream-snippet',
  high: 'auth-signin auth-tls-error-page auth-tls-match-cn auth-url mirror-host mirror-target modsecurity-transaction-id proxy-ssl-name server-alias upstream-hash-by',
  medium:
    'affinity-mode allowlist-source-range app-root auth-cache-duration auth-cache-key auth-proxy-set-headers auth-realm auth-request-redirect auth-response-headers auth-secret auth-signin-redirect-param auth-tls-secret auth-tls-verify-client canary-by-cookie canary-by-header canary-by-header-pattern canary-by-header-value cors-allow-headers cors-allow-methods cors-allow-origin cors-expose-headers custom-headers denylist-source-range fastcgi-index fastcgi-params-configmap force-ssl-redirect opentelemetry-operation-name permanent-redirect preserve-trailing-slash proxy-body-size proxy-cookie-domain proxy-cookie-path proxy-redirect-from proxy-redirect-to proxy-ssl-ciphers proxy-ssl-secret rewrite-target session-cookie-domain session-cookie-expires session-cookie-max-age session-cookie-name session-cookie-path temporal-redirect whitelist-source-range x-forwarded-prefix',
};

/** Returns the annotations that a controller with this level does not accept. Another text than a level is the lowest. */
export function tooRisky(level: string): ReadonlySet<string> {
  const order = ['medium', 'high', 'critical'] as const;
  return new Set(order.slice(order.indexOf(level.toLowerCase() as 'high') + 1).flatMap((it) => RISKS[it].split(' ')));
}
