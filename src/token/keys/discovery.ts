import { MAX_DOCUMENT_BYTES } from '../../base/limits.ts';
import { fillTenant, TENANT } from '../../providers/index.ts';
import { quoted } from '../detail.ts';
import { asObject, type Members } from '../json.ts';

/** The address of a provider's keys, or a sentence for the log if the discovery document is not usable. */
type Discovery = { readonly ok: true; readonly jwksUri: string } | Unusable;

/** Matches https URLs: a host without userinfo, an optional port, and characters of RFC 3986, without a fragment. */
const httpsUrl = /^https:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?][\w\-.~!$&'()*+,;=:@%/?]*)?$/i;

/** Matches IPv6 in brackets, localhost, and IPv4 in any form that resolvers accept, all of which end in a number. */
const closeHost = /^\[|(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$|(?:^|\.)localhost\.?$/i;

const MAX_URL = 2048;

export function sameHost(url: string, other: string): boolean {
  const host = hostOf(url);
  return host !== undefined && host === issuerHost(other);
}

function hostOf(url: string): string | undefined {
  return url.length > MAX_URL ? undefined : httpsUrl.exec(url)?.[1]?.toLowerCase();
}

/** Returns the host of an issuer. For a template, this is the host of all its issuers. */
const issuerHost = (issuer: string): string | undefined => hostOf(fillTenant(issuer, 'organizations'));

/** Templates of version 1 use the discovery document of version 2. */
const templateAt = (issuer: string): string =>
  issuer === `https://sts.windows.net/${TENANT}/`
    ? 'https://login.microsoftonline.com/organizations'
    : fillTenant(issuer, 'organizations');

/** Returns the address of a provider's discovery document (OpenID Connect Discovery section 4.1). For a template of
 * Entra ID, this is the document of the tenant for all organisations: its issuer is the template. */
export function discoveryUrl(issuer: string): string {
  if (issuer.includes(TENANT)) return discoveryUrl(templateAt(issuer));
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Returns why an address in a discovery document is not accepted; `undefined` if it is. It must be an https URL. It
 * must not name this machine or an IP address, unless the issuer has the same host.
 * @param name name of the member in the document
 * @param issuer issuer of the document
 * @param anywhere whether the policy allows such addresses (`insecure_private_addresses`) */
export function addressProblem(name: string, uri: unknown, issuer: string, anywhere = false): string | undefined {
  if (typeof uri !== 'string') return `the discovery document has no "${name}"`;
  const host = hostOf(uri);
  if (host === undefined) return `"${name}" is not an https URL without user name and fragment: ${quoted(uri)}`;
  if (!anywhere && closeHost.test(host) && host !== issuerHost(issuer))
    return `"${name}" points to the address ${quoted(host)}`;
  return undefined;
}

/** The members of a discovery document, or a sentence for the log if it is not usable. */
type DiscoveryMembers = { readonly ok: true; readonly members: Members } | Unusable;

interface Unusable {
  readonly ok: false;
  readonly error: string;
}

/** Reads the members of a discovery document of this issuer (OpenID Connect Discovery section 4.3).
 * @param text the document as fetched
 * @param issuer the provider's issuer; the document must contain exactly this text */
export function discoveryMembers(text: string, issuer: string): DiscoveryMembers {
  if (text.length > MAX_DOCUMENT_BYTES) return { ok: false, error: 'the discovery document is too large' };
  let members: Members | undefined;
  try {
    members = asObject(JSON.parse(text));
  } catch {
    return { ok: false, error: 'the discovery document is not JSON' };
  }
  if (members === undefined) return { ok: false, error: 'the discovery document is not a JSON object' };
  if (members.issuer === issuer) return { ok: true, members };
  const error = `the discovery document has the issuer ${quoted(members.issuer)}, the policy says ${quoted(issuer)}`;
  return { ok: false, error };
}

/** Reads the address of the keys from a discovery document, see {@link discoveryMembers} and {@link addressProblem}. */
export function readDiscovery(text: string, issuer: string, anywhere = false): Discovery {
  const read = discoveryMembers(text, issuer);
  if (!read.ok) return read;
  const uri = read.members.jwks_uri;
  const problem = addressProblem('jwks_uri', uri, issuer, anywhere);
  return problem === undefined ? { ok: true, jwksUri: uri as string } : { ok: false, error: problem };
}
