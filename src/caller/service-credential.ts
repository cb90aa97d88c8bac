import { MAX_SERVICE_CREDENTIAL } from '../base/limits.ts';
import type { Assertion, ServiceCredential } from '../policy/checked/types.ts';
import { isTokenText } from '../token/introspection.ts';
import { isIssuer, tokenProvider } from '../token/issuer.ts';
import { objectIn } from '../token/json.ts';
import type { TokenProvider } from '../token/types.ts';

/* Which `Authorization` headers belong to the service of a route. Such a header is no credential of the gateway, and
 * never identifies a caller. All other headers are for the gateway, which verifies or rejects them. */

/** The issuers of the policy: its providers, and the gateway itself. */
interface Issuers {
  readonly providers: readonly TokenProvider[];
  /** The issuer of the gateway's assertions. */
  readonly own?: string | undefined;
}

/** Returns all issuers of the policy: no token of theirs may pass to a service. */
export const policyIssuers = ({ providers, assertion }: Known): Issuers => ({
  providers: Object.values(providers),
  own: assertion?.issuer,
});

interface Known {
  readonly providers: Readonly<Record<string, TokenProvider>>;
  readonly assertion?: Assertion;
}

/** Reads the `Authorization` headers of one route. */
export interface Passing {
  /** Returns the scheme, in lower case, if the header belongs to the service; undefined if it is for the gateway. */
  schemeOf(authorization: string): string | undefined;
  /** Like {@link schemeOf}, for the service that receives the request. */
  schemeFor(service: string, authorization: string | undefined): string | undefined;
}

/** A scheme, exactly one space, and visible ASCII. Services read any other form in different ways. */
const FORM = /^([!#-'*+.^_`|~0-9A-Za-z-]+) ([!-~](?:[ -~]*[!-~])?)$/;

/** The schemes that only a page's script sends. Browsers answer any other scheme by themselves, or may do so: Basic,
 * Digest, Negotiate, NTLM. */
const BY_SCRIPT: readonly (string | undefined)[] = ['bearer', 'oauth', 'token'];

/** Whether a browser may add a service's credential to the requests of any page, as it adds a cookie. */
export const isAmbientScheme = (passing: Passing, authorization: string): boolean => {
  const scheme = passing.schemeOf(authorization);
  return scheme !== undefined && !BY_SCRIPT.includes(scheme);
};

/** Texts in base64, of either alphabet. A shorter text cannot name an issuer. */
const BASE64 = /[A-Za-z0-9+/_-]{12,}/g;

/** Base64 has groups of four characters. Behind a prefix, a token may begin at any of them. */
const STARTS = [0, 1, 2, 3];

/** The shortest text in base64 that may hide a token behind a prefix. The claims of a token (`iss`, `aud` and `exp`) are
 * longer, and most credentials of services are shorter, so they are decoded only once. */
const MIN_PREFIXED = 64;

/** Each `iss` of a JSON text, even if the text as a whole is not JSON. */
const ISS = /"iss"\s*:\s*("(?:[^"\\]|\\.)*")/g;

/** How often base64 may be inside base64: the parts of a token, in the password of Basic, once more than usual. */
const DEPTH = 3;

/** Decodes base64 of either alphabet, with or without padding, as lenient libraries do. */
function decoded(text: string): string {
  const plain = /^[\w-]*$/.test(text)
    ? text
    : text
        .replace(/[^\w+/-]+/g, '')
        .replaceAll('+', '-')
        .replaceAll('/', '_');
  return Buffer.from(plain.length % 4 === 1 ? plain.slice(0, -1) : plain, 'base64url').toString();
}

const percentDecoded = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Whether a text is a JSON object, perhaps after a byte order mark. */
const jsonIn = (text: string) => objectIn(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

function namesIssuer(text: string, { providers, own }: Issuers): boolean {
  if (!text.includes('"')) return false;
  const isOurs = (iss: unknown) => iss === own || providers.some((provider) => isIssuer(provider, iss));
  const claims = jsonIn(text);
  if (claims !== undefined) {
    if (tokenProvider(claims, providers) !== undefined) return true;
    if (claims.iss !== undefined && isOurs(claims.iss)) return true;
  }
  return [...text.matchAll(ISS)].some(([, quoted = '']) => {
    const reported = objectIn(`{"iss":${quoted}}`);
    return reported !== undefined && isOurs(reported.iss);
  });
}

/** Whether a text contains a token, or the claims of a token, from an issuer of the policy. */
function hidesToken(text: string, issuers: Issuers, depth = DEPTH): boolean {
  const plain = text.includes('%') ? percentDecoded(percentDecoded(text)) : text;
  // Some libraries skip characters that are not base64, so the parts between dots are decoded as a whole, too.
  const parts = new Set([...(plain.match(BASE64) ?? []), ...(plain.includes('.') ? plain.split('.') : [])]);
  return [...parts].some((part) =>
    (part.length < MIN_PREFIXED ? [0] : STARTS).some((start) => {
      const inner = decoded(part.slice(start));
      return namesIssuer(inner, issuers) || (depth > 1 && hidesToken(inner, issuers, depth - 1));
    }),
  );
}

/** Whether a text has the form of a JWT: signed or encrypted parts after a header, in any spelling. */
function isJwt(text: string): boolean {
  const parts = text.split('.');
  return parts.length > 2 && jsonIn(decoded(parts[0] as string)) !== undefined;
}

/** Returns how a route reads `Authorization` headers.
 * @param issuers all issuers of the policy, because a token of any of them must not reach a service */
export function passingOf({ schemes, bearer, services }: ServiceCredential, issuers: Issuers): Passing {
  const ofService = (token: string): boolean => {
    if (bearer === undefined || !isTokenText(token) || isJwt(token)) return false;
    if (bearer === 'opaque') return true;
    return bearer.some((it) => token.startsWith(it));
  };

  function read(authorization: string): string | undefined {
    if (authorization.length > MAX_SERVICE_CREDENTIAL) return undefined;
    const [, word, value = ''] = FORM.exec(authorization) ?? [];
    if (word === undefined) return undefined;
    const scheme = word.toLowerCase();
    const isNamed = scheme === 'bearer' ? ofService(value) : schemes.includes(scheme);
    if (!isNamed || (scheme === 'basic' && !isTokenText(value))) return undefined;
    return hidesToken(value, issuers) ? undefined : scheme;
  }

  // The check reads a header twice: first for the credential, then for the service that the rule chooses.
  let lastText = '';
  let last: string | undefined;
  const schemeOf = (authorization: string): string | undefined => {
    if (authorization !== lastText) {
      last = read(authorization);
      lastText = authorization;
    }
    return last;
  };
  return {
    schemeOf,
    schemeFor(service, authorization) {
      if (authorization === undefined || !services.includes(service)) return undefined;
      return schemeOf(authorization);
    },
  };
}
