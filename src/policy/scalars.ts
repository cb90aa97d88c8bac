import * as z from 'zod';
import { MAX_HOPS } from '../limits.ts';
import { type Hint, hints, type Named } from './hints.ts';
import { MCP_MESSAGE } from './message.ts';
import { SPIFFE_ID } from './spiffe.ts';

/** Names of roles and of everything else that a policy defines. */
export const ROLE_NAME = /^[a-z][a-z0-9._-]{0,62}$/;
export const NAME = /^[a-z][a-z0-9-]{0,62}$/;

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** A policy's host: lower case, with an optional leading wildcard. */
export const HOST_NAME = new RegExp(`^(?=.{1,253}$)(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

const BYTE = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const IPV4 = `${BYTE}(?:\\.${BYTE}){3}`;
const IPV6 = '(?=[^\\]/]*:[^\\]/]*:)[0-9A-Fa-f:]{2,39}';
// Docker and Compose put underscores into names. Names of machines are not as strict as those of web hosts.
const MACHINE =
  '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*';
const ENDPOINT_HOST = `(?:${MACHINE}|\\[${IPV6}\\])`;
const PORT = '(?:6553[0-5]|655[0-2]\\d|65[0-4]\\d{2}|6[0-4]\\d{3}|[1-5]\\d{4}|[1-9]\\d{0,3})';

/** A string schema whose errors say what to write. */
export function text(pattern: RegExp, hint: Hint) {
  return z.string().regex(pattern).register(hints, hint);
}

export const duration = text(/^\d{1,6}[smhd]$/, {
  what: 'a duration with its unit',
  write: '30s, 5m, 1h or 1d',
  fix: (value) => {
    if (/^\d+$/.test(String(value))) return `${value}s (or ${value}m, ${value}h)`;
    const words = /^(\d+) ?(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)$/.exec(String(value));
    return words ? `${words[1]}${words[2]?.[0]}` : undefined;
  },
});

export const size = text(/^[1-9]\d{0,5}[kmg]$/, {
  what: 'a size with its unit',
  write: '512k, 100m or 2g',
  fix: (value) => {
    if (/^[1-9]\d{0,5}$/.test(String(value))) return `${value}k (or ${value}m, ${value}g)`;
    const words = /^([1-9]\d{0,5}) ?([kmg])(?:i?b)?$/i.exec(String(value));
    return words ? `${words[1]}${words[2]?.toLowerCase()}` : undefined;
  },
});

export const port = z.int().min(1).max(65535).register(hints, { what: 'a port', write: 'a number from 1 to 65535' });

export const hops = z
  .int()
  .min(1)
  .max(MAX_HOPS)
  .register(hints, { what: 'a number of hops', write: `a number from 1 to ${MAX_HOPS}` });

export const filePath = text(/^(?:\/[A-Za-z0-9._~+=@:,-]+)+$/, {
  what: 'an absolute file path in plain characters',
  write: '/run/secrets/name.pem (letters, digits and . _ ~ + = @ : , - only)',
  fix: (value) => (typeof value === 'string' && /^[\w.-]+(\/[\w.-]+)*$/.test(value) ? `/${value}` : undefined),
});

export const endpoint = text(new RegExp(`^${ENDPOINT_HOST}:${PORT}$`), {
  what: 'host:port',
  write: 'a name or address and a port, as in ingress.mesh:8443',
  fix: (value) =>
    typeof value === 'string' && new RegExp(`^${ENDPOINT_HOST}$`).test(value)
      ? `${value}:8443, with the right port`
      : undefined,
});

export const authority = text(new RegExp(`^${ENDPOINT_HOST}(?::${PORT})?$`), {
  what: 'a host, with a port if it is not the usual one',
  write: 'what the service expects as Host, as in wiki.wiki.svc.cluster.local',
});

export const serverName = text(new RegExp(`^${LABEL}(?:\\.${LABEL})*$`), {
  what: 'a DNS name in lower case',
  write: 'the name in the certificate, as in ingress.mesh',
});

const LOCAL = '(?:localhost|127\\.0\\.0\\.1|\\[::1\\])';
const ORIGIN = new RegExp(
  `^(?:\\*|https://(?:${LABEL}(?:\\.${LABEL})*|\\[${IPV6}\\])(?::${PORT})?|http://${LOCAL}(?::${PORT})?)$`,
);

/** An origin as browsers send it; plain http only for this machine, where no other site can put a page. */
export const origin = text(ORIGIN, {
  what: 'an https: origin',
  write: 'scheme, host and port as browsers send them, as in https://app.example.com',
  fix: (value) => {
    if (typeof value !== 'string') return undefined;
    const plain = originOf(value.toLowerCase().replace(/^http:/, 'https:')).replace(/:443$/, '');
    return [originOf(value.toLowerCase()), plain].find((it) => it !== '' && ORIGIN.test(it));
  },
});

export const headerName = text(/^[A-Za-z][A-Za-z0-9-]{0,99}$/, {
  what: 'the name of a header',
  write: 'letters, digits and dashes, as in Content-Type',
});

/** See `rules/tools.ts`, which compares them. */
export const tool = text(/^(?:\*|[A-Za-z0-9_./-]{1,128}\*?)$/, {
  what: 'the name of an MCP tool',
  write: 'a name, or what names begin with and a star, as in search_*; * is all of them',
});

/** A name as clients may send it; no tool of this name has to exist. */
export const toolName = text(/^[^\u0000-\u001f\u007f]{1,256}$/, {
  what: 'the name of an MCP tool',
  write: 'a name, as in search_pages',
});

export const mcpMessage = text(MCP_MESSAGE, {
  what: 'a message of MCP',
  write: 'its method, and behind a colon what it names, as in tools/list or prompts/get:review',
});

export const HTTPS_URL = new RegExp(`^https://${ENDPOINT_HOST}(?::${PORT})?$`);
const HTTP_URL = new RegExp(`^http://${ENDPOINT_HOST}(?::${PORT})?$`);

/** Scheme, host and port of a text, without the rest. */
const originOf = (value: unknown) => (typeof value === 'string' ? value.replace(/^(\w+:\/\/[^/?#]*).*$/, '$1') : '');

/** What to write if a URL has a path, or the scheme of another key. */
const originFix = (own: RegExp, other: RegExp, otherKey: string) => (value: unknown) => {
  const found = originOf(value);
  if (own.test(found)) return `${found} (no path)`;
  return other.test(found) ? `${otherKey}: ${found} instead` : undefined;
};

export const httpsUrl = text(HTTPS_URL, {
  what: 'an https: URL of host and port',
  write: 'https://wiki.internal:8443 (no path), or insecure_url for plain http',
  fix: originFix(HTTPS_URL, HTTP_URL, 'insecure_url'),
});

export const httpUrl = text(HTTP_URL, {
  what: 'an http: URL of host and port',
  write: 'http://wiki.internal:8080 (no path), or url for https',
  fix: originFix(HTTP_URL, HTTPS_URL, 'url'),
});

const TRUST_DOMAIN = '[a-z0-9][a-z0-9._-]{0,254}';

const ISSUER_URL = `https://${ENDPOINT_HOST}(?::${PORT})?(?:/[A-Za-z0-9._~!&()*+,=:@%/-]*)?`;
/** The template of Entra ID, for any tenant. */
const TEMPLATE_URL = `https://${ENDPOINT_HOST}(?::${PORT})?/\\{tenantid\\}/(?:v2\\.0/?)?`;

/** An issuer that has a discovery document. */
export const isIssuerUrl = (issuer: string): boolean => new RegExp(`^(?:${ISSUER_URL}|${TEMPLATE_URL})$`).test(issuer);

export const ownIssuer = text(new RegExp(`^${ISSUER_URL}$`), {
  what: 'an https: URL without query, fragment or user',
  write: 'a URL of the gateway itself, as in https://wiki.example.com',
  fix: (value) =>
    typeof value === 'string' && value.startsWith('http://') ? value.replace('http:', 'https:') : undefined,
});

/** An https: URL, or a name that is not a URL; {@link isIssuerUrl} distinguishes them. */
export const issuer = text(
  new RegExp(`^(?:${ISSUER_URL}|${TEMPLATE_URL}|spiffe://${TRUST_DOMAIN}|(?![A-Za-z][A-Za-z0-9+.-]*:/)[!-~]{1,255})$`),
  {
    what: 'an https: URL without query, fragment or user',
    write: 'the issuer exactly as in "iss", as in https://login.example.com/realms/main',
    fix: (value) =>
      typeof value === 'string' && value.startsWith('http://') ? value.replace('http:', 'https:') : undefined,
  },
);

export const tenant = text(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, {
  what: 'the id of a tenant',
  write: 'the directory id in lower case, as in 72f988bf-86f1-41af-91ab-2d7cd011db47',
  fix: (value) => (typeof value === 'string' && /^[0-9A-F-]{36}$/i.test(value) ? value.toLowerCase() : undefined),
});

export const jwksUri = text(new RegExp(`^https://${ENDPOINT_HOST}(?::${PORT})?/[A-Za-z0-9._~!&()*+,=:@%/?-]*$`), {
  what: 'the https: URL of a key set',
  write: 'https://login.example.com/realms/main/certs',
});

export const providerEndpoint = text(
  new RegExp(`^https://${ENDPOINT_HOST}(?::${PORT})?/[A-Za-z0-9._~!&()*+,=:@%/?-]*$`),
  {
    what: 'the https: URL of an endpoint',
    write: 'https://login.example.com/introspect',
  },
);

export const groupsEndpoint = text(
  new RegExp(`^https://${ENDPOINT_HOST}(?::${PORT})?/(?:[A-Za-z0-9._~-]+/)*\\{oid\\}(?:/[A-Za-z0-9._~-]+)*$`),
  {
    what: 'the https: URL of an endpoint for somebody’s groups',
    write: 'https://graph.microsoft.com/v1.0/users/{oid}/checkMemberObjects',
  },
);

const KUBERNETES_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
const lowered = (pattern: RegExp) => (value: unknown) => {
  const lower = typeof value === 'string' ? value.toLowerCase().replace(/_/g, '-') : '';
  return pattern.test(lower) ? lower : undefined;
};

/** A host that a route of Linkerd can name: not an address. */
export const LINKERD_HOST = new RegExp(`^(?=.{1,253}$)(?![0-9.]+$)${LABEL}(?:\\.${LABEL})*$`);

export const namespace = text(new RegExp(`^${LABEL}$`), {
  what: 'the name of a Kubernetes namespace',
  write: 'lower case letters, digits and -, as in istio-system',
  fix: lowered(new RegExp(`^${LABEL}$`)),
});

export const serviceAccount = text(KUBERNETES_NAME, {
  what: 'the name of a Kubernetes service account',
  write: 'lower case letters, digits, - and dots, as in ingress',
  fix: lowered(KUBERNETES_NAME),
});

const CONSUL_NAME = new RegExp(`^${LABEL}$`);

/** The name of a Consul service. It becomes part of a regular expression there, in which a dot would match any
 * character. */
export const consulService = text(CONSUL_NAME, {
  what: 'the name of a service in Consul',
  write: 'lower case letters, digits and -, as in confluence',
  fix: lowered(CONSUL_NAME),
});

const LABEL_NAME = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?';
/** The key of a Kubernetes label, with an optional prefix. */
export const LABEL_KEY = new RegExp(`^(?:(?=[^/]{1,253}/)${LABEL}(?:\\.${LABEL})*/)?${LABEL_NAME}$`);

export const labelValue = text(new RegExp(`^(?:${LABEL_NAME})?$`), {
  what: 'the value of a Kubernetes label',
  write: 'at most 63 letters, digits and - _ . in between',
  fix: (value) => (typeof value === 'number' || typeof value === 'boolean' ? `"${value}" in quotes` : undefined),
});

export const trustDomain = text(/^[a-z0-9][a-z0-9._-]{0,254}$/, {
  what: 'a trust domain',
  write: 'lower case letters, digits, dots and dashes, as in example.org',
});

export const spiffeId = text(SPIFFE_ID, {
  what: 'a SPIFFE id',
  write: 'spiffe://TRUST_DOMAIN/PATH, as in spiffe://example.org/ns/edge/sa/gateway',
});

export const cidr = text(
  new RegExp(`^(?:${IPV4}/(?:3[0-2]|[12]\\d|[1-9])|${IPV6}/(?:12[0-8]|1[01]\\d|[1-9]\\d|[1-9]))$`),
  {
    what: 'an address range with its length',
    write: '10.0.0.0/8 or fd00::/8 (and not all addresses)',
    fix: (value) => {
      if (typeof value !== 'string') return undefined;
      if (new RegExp(`^${IPV4}$`).test(value)) return `${value}/32`;
      return new RegExp(`^${IPV6}$`).test(value) ? `${value}/128` : undefined;
    },
  },
);

/** One address, as a client has it. */
export const address = text(new RegExp(`^(?:${IPV4}|${IPV6})$`), {
  what: 'an address',
  write: '10.9.0.7 or fd00::7',
});

const DNS_LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const DNS_NAME = `${DNS_LABEL}(?:\\.${DNS_LABEL})*`;
const nameFix = (pattern: RegExp) => (value: unknown) => {
  const lower = typeof value === 'string' ? value.toLowerCase().replace(/^(?:dns|uri):/, '') : '';
  return pattern.test(lower) ? lower : undefined;
};
const ONE_NAME = new RegExp(`^(?=.{1,253}$)${DNS_NAME}$|${SPIFFE_ID.source}`);
const SOME_NAME = new RegExp(`^(?=.{1,253}$)(?:\\*\\.)?${DNS_NAME}$|${SPIFFE_ID.source}`);

/** A name in a client's certificate. */
export const oneCertificateName = text(ONE_NAME, {
  what: 'a name in a certificate',
  write: 'a SPIFFE id or a DNS name, as in spiffe://example.org/ns/ci/sa/deployer or ci.example.com',
  fix: nameFix(ONE_NAME),
});

/** The same, or all DNS names with one more label. */
export const certificateName = text(SOME_NAME, {
  what: 'a name in a certificate',
  write: 'a SPIFFE id, a DNS name or *. and one, as in spiffe://example.org/ns/ci/sa/deployer or *.ci.example.com',
  fix: nameFix(SOME_NAME),
});

export const resolver = text(new RegExp(`^(?:${IPV4}|\\[${IPV6}\\])(?::${PORT})?$`), {
  what: 'the address of a DNS server',
  write: '10.0.0.10, 10.0.0.10:5353 or [fd00::10]:53',
});

/** A port on every address, or an address and its port. */
export const listener = z
  .union([z.int().min(1).max(65535), z.string().regex(new RegExp(`^(?:${IPV4}|\\[${IPV6}\\]):${PORT}$`))])
  .register(hints, { what: 'an address with its port, or a port', write: '127.0.0.1:8081, or 8081 for all addresses' });

export const acrValue = text(/^[!-~]{1,128}$/, {
  what: 'an authentication context class',
  write: 'a word without spaces, in quotes, as in "phr"',
  fix: (value) => (typeof value === 'number' ? `"${value}" in quotes` : undefined),
});

/** A claim's name or path: a word of printable ASCII, so that it reads the same everywhere. */
export const claimPath = text(/^[!-~]{1,200}$/, {
  what: 'a claim name or path',
  write: 'names joined by dots, as in groups or realm_access.roles',
});

const PLAIN_TEXT = /^[^\x00-\x1f\x7f-\x9f]{1,256}$/;
const quoted = (value: unknown) =>
  typeof value === 'number' || typeof value === 'boolean' ? `"${value}" in quotes` : undefined;

/** Free text of a token: any printable characters. */
export const plainText = text(PLAIN_TEXT, {
  what: 'a text of 1 to 256 printable characters',
  write: 'it in quotes',
  fix: quoted,
});

/** The name of one group. */
export const groupName = text(PLAIN_TEXT, {
  what: 'a text of 1 to 256 printable characters',
  write: 'it in quotes',
  fix: (value) => (Array.isArray(value) ? 'any: [{ group: staff }, { group: guests }] instead' : quoted(value)),
});

/** The fixed value of a header. */
export const headerValue = text(/^[!-~](?:[ -~]{0,254}[!-~])?$/, {
  what: 'a header value of visible ASCII characters',
  write: 'plain text such as Viewer',
  fix: (value) => (typeof value === 'number' || typeof value === 'boolean' ? `"${value}" in quotes` : undefined),
});

export const subjectPrefix = text(/^[A-Za-z0-9._:@/|-]{1,64}$/, {
  what: 'a prefix of visible characters',
  write: 'letters, digits and . _ : @ / | -, as in okta-',
});

export const testUrl = text(/^https?:\/\/[A-Za-z0-9.:[\]-]+(?::\d+)?\/[!-~]*$/, {
  what: 'a URL with host and path',
  write: 'https://wiki.example.com/path',
});

/** The name of something that another section defines; check-names.ts looks it up. */
export function reference(refers: Named) {
  return z
    .string()
    .min(1)
    .register(hints, { what: `the name of ${/^[ai]/.test(refers) ? 'an' : 'a'} ${refers}`, write: 'a name', refers });
}

export const keyFile = filePath.describe('PEM file of the private key, readable by the worker.');
export const certFile = filePath.describe('PEM file of the certificate and its chain.');
