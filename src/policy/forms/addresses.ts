import * as z from 'zod';
import { hints } from './hints.ts';
import { text } from './scalars.ts';

/** Names of hosts, addresses, ports and URLs. */

export const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
export const HOST = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
/** The name of a host with at least two labels, such as a registered domain. */
export const DOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})+$`);
/** A policy's host: lower case, with an optional leading wildcard. */
export const HOST_NAME = new RegExp(`^(?=.{1,253}$)(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

/** The name of one host: no wildcard, and no IP address. */
export const isHost = (text: string): boolean => HOST.test(text) && !/^\d+(?:\.\d+){3}$/.test(text);

const BYTE = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const IPV4 = `${BYTE}(?:\\.${BYTE}){3}`;
const IPV6 = '(?=[^\\]/]*:[^\\]/]*:)[0-9A-Fa-f:]{2,39}';
// Docker and Compose put underscores into host names, so the rules for machines are weaker than those for web hosts.
const MACHINE =
  '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*';
const ENDPOINT_HOST = `(?:${MACHINE}|\\[${IPV6}\\])`;
const PORT = '(?:6553[0-5]|655[0-2]\\d|65[0-4]\\d{2}|6[0-4]\\d{3}|[1-5]\\d{4}|[1-9]\\d{0,3})';

export const port = z.int().min(1).max(65535).register(hints, { what: 'a port', write: 'a number from 1 to 65535' });

export const endpoint = text(new RegExp(`^${ENDPOINT_HOST}:${PORT}$`), {
  what: 'host:port',
  write: 'a name or address and a port, as in ingress.mesh:8443',
  fix: (value) =>
    typeof value === 'string' && new RegExp(`^${ENDPOINT_HOST}$`).test(value)
      ? `${value}:8443, with the right port`
      : undefined,
});

export const authority = text(new RegExp(`^${ENDPOINT_HOST}(?::${PORT})?$`), {
  what: 'a host, with a port unless the default port is used',
  write: 'the Host that the service expects, as in wiki.wiki.svc.cluster.local',
});

export const serverName = text(new RegExp(`^${LABEL}(?:\\.${LABEL})*$`), {
  what: 'a DNS name in lower case',
  write: 'the name in the certificate, as in ingress.mesh',
});

const LOCAL = '(?:localhost|127\\.0\\.0\\.1|\\[::1\\])';
const ORIGIN = new RegExp(
  `^(?:\\*|https://(?:${LABEL}(?:\\.${LABEL})*|\\[${IPV6}\\])(?::${PORT})?|http://${LOCAL}(?::${PORT})?)$`,
);

/** An origin as browsers send it. Plain http is only for the local machine: no other site can serve a page there. */
export const origin = text(ORIGIN, {
  what: 'an https: origin',
  write: 'scheme, host and port as browsers send them, as in https://app.example.com',
  fix: (value) => {
    if (typeof value !== 'string') return undefined;
    const plain = originOf(value.toLowerCase().replace(/^http:/, 'https:')).replace(/:443$/, '');
    return [originOf(value.toLowerCase()), plain].find((it) => it !== '' && ORIGIN.test(it));
  },
});

export const HTTPS_URL = new RegExp(`^https://${ENDPOINT_HOST}(?::${PORT})?$`);
const HTTP_URL = new RegExp(`^http://${ENDPOINT_HOST}(?::${PORT})?$`);

const originOf = (value: unknown) => (typeof value === 'string' ? value.replace(/^(\w+:\/\/[^/?#]*).*$/s, '$1') : '');

/** Returns the origin to write instead if a URL has a path, or a scheme that belongs to another key. */
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
/** The issuer template of Entra ID, which stands for any tenant. */
const TEMPLATE_URL = `https://${ENDPOINT_HOST}(?::${PORT})?/\\{tenantid\\}/(?:v2\\.0/?)?`;

/** Whether the issuer is a URL from which the address of a discovery document follows. */
export const isIssuerUrl = (issuer: string): boolean => new RegExp(`^(?:${ISSUER_URL}|${TEMPLATE_URL})$`).test(issuer);

const URL_HINT = {
  what: 'an https: URL without query, fragment or user',
  fix: (value: unknown) => (/^http:\/\//.test(String(value)) ? String(value).replace('http:', 'https:') : undefined),
};

export const ownIssuer = text(new RegExp(`^${ISSUER_URL}$`), {
  ...URL_HINT,
  write: 'a URL of the gateway itself, as in https://wiki.example.com',
});

/** An issuer: an https: URL, or a name that is not a URL. {@link isIssuerUrl} says which of the two it is. */
export const issuer = text(
  new RegExp(`^(?:${ISSUER_URL}|${TEMPLATE_URL}|spiffe://${TRUST_DOMAIN}|(?![A-Za-z][A-Za-z0-9+.-]*:/)[!-~]{1,255})$`),
  { ...URL_HINT, write: 'the issuer exactly as in "iss", as in https://login.example.com/realms/main' },
);

/** The form of the object ids of Entra ID, such as the id of a tenant or of a group. */
export const OBJECT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const tenant = text(OBJECT_ID, {
  what: 'the id of a tenant',
  write: 'the directory id in lower case, as in 72f988bf-86f1-41af-91ab-2d7cd011db47',
  fix: (value) => (typeof value === 'string' && /^[0-9A-F-]{36}$/i.test(value) ? value.toLowerCase() : undefined),
});

const PATH_URL = new RegExp(`^https://${ENDPOINT_HOST}(?::${PORT})?/[A-Za-z0-9._~!&()*+,=:@%/?-]*$`);

export const jwksUri = text(PATH_URL, {
  what: 'the https: URL of a key set',
  write: 'https://login.example.com/realms/main/certs',
});

export const providerEndpoint = text(PATH_URL, {
  what: 'the https: URL of an endpoint',
  write: 'https://login.example.com/introspect',
});

export const groupsEndpoint = text(
  new RegExp(`^https://${ENDPOINT_HOST}(?::${PORT})?/(?:[A-Za-z0-9._~-]+/)*\\{oid\\}(?:/[A-Za-z0-9._~-]+)*$`),
  {
    what: 'the https: URL of an endpoint for a person’s groups',
    write: 'https://graph.microsoft.com/v1.0/users/{oid}/checkMemberObjects',
  },
);

export const cidr = text(
  new RegExp(`^(?:${IPV4}/(?:3[0-2]|[12]\\d|[1-9])|${IPV6}/(?:12[0-8]|1[01]\\d|[1-9]\\d|[1-9]))$`),
  {
    what: 'an address range with its prefix length',
    write: '10.0.0.0/8 or fd00::/8 (not a range of all addresses)',
    fix: (value) => {
      if (typeof value !== 'string') return undefined;
      if (new RegExp(`^${IPV4}$`).test(value)) return `${value}/32`;
      return new RegExp(`^${IPV6}$`).test(value) ? `${value}/128` : undefined;
    },
  },
);

export const address = text(new RegExp(`^(?:${IPV4}|${IPV6})$`), { what: 'an address', write: '10.9.0.7 or fd00::7' });

export const resolver = text(new RegExp(`^(?:${IPV4}|\\[${IPV6}\\])(?::${PORT})?$`), {
  what: 'the address of a DNS server',
  write: '10.0.0.10, 10.0.0.10:5353 or [fd00::10]:53',
  fix: (value) => (new RegExp(`^${IPV6}$`).test(String(value)) ? `"[${value}]"` : undefined),
});

/** The address of a listener: a port (on every address), or an IP address and a port. */
export const listener = z
  .union([z.int().min(1).max(65535), z.string().regex(new RegExp(`^(?:${IPV4}|\\[${IPV6}\\]):${PORT}$`))])
  .register(hints, { what: 'a port, or an address with a port', write: '127.0.0.1:8081, or 8081 for all addresses' });

export const testUrl = text(/^https?:\/\/[A-Za-z0-9.:[\]-]+(?::\d+)?\/[!-~]*$/, {
  what: 'a URL with host and path',
  write: 'https://wiki.example.com/path',
});
