import { EXPIRING_AT, isRepeated, REPEAT_LINE_S } from '../base/limits.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { readClientUse } from '../x509/client-use.ts';
import { belongs } from '../x509/key.ts';
import { readPem } from '../x509/pem.ts';
import { type HealthReason, healthReasons, type Part } from './types.ts';

/** The validity of a certificate, in seconds since the epoch. */
export type Svid = Pick<Certificate, 'notBefore' | 'notAfter'>;

/** A problem with the files of an identity that does not depend on the time. */
type SvidFault = Extract<
  HealthReason,
  | 'svid_unreadable'
  | 'svid_malformed'
  | 'svid_key_mismatch'
  | 'svid_other_identity'
  | 'svid_rsa'
  | 'svid_first_name'
  | 'svid_not_for_clients'
>;

/** The last result for an identity's files, as it is stored in the dict. */
export interface Found {
  /** The versions of the files that were read; empty if they must be read again. */
  readonly seen: string;
  readonly svid?: Svid;
  readonly fault?: SvidFault;
  /** The last log line about the identity. */
  readonly reported?: { readonly reason: HealthReason; readonly at: number };
}

/** Returns why Linkerd's proxies do not accept a certificate as that of a client with one of these names. */
function linkerdFault(bytes: Uint8Array, names: readonly string[]): SvidFault | undefined {
  const { isRsa, isForClients, firstName = '' } = readClientUse(bytes);
  if (isRsa) return 'svid_rsa';
  if (!isForClients) return 'svid_not_for_clients';
  return names.includes(firstName) ? undefined : 'svid_first_name';
}

/** Reads an X.509-SVID from its files. One file may contain both parts.
 * @param cert the file with the certificate. If there are several, the first one counts, as in nginx.
 * @param spiffe the expected SPIFFE id. A certificate without a URI, as Linkerd issues it, is accepted too.
 * @param names the names of the identity for Linkerd's proxies, if nginx connects to them */
export function readSvid(cert: string, key: string, spiffe: string, names?: readonly string[]): Svid | SvidFault {
  const first = readPem(cert)?.find(({ label }) => label === 'CERTIFICATE');
  const certificate = first && readCertificate(first.bytes);
  const privateKey = readPem(key)?.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (first === undefined || certificate === undefined || privateKey === undefined) return 'svid_malformed';
  if (belongs(privateKey, certificate.publicKey) === false) return 'svid_key_mismatch';
  const { uris, notBefore, notAfter } = certificate;
  if (uris.length > 0 && !uris.includes(spiffe)) return 'svid_other_identity';
  return (names && linkerdFault(first.bytes, names)) ?? { notBefore, notAfter };
}

/** Returns what is wrong with the validity of an SVID. */
export function svidLifetime({ notBefore, notAfter }: Svid, now: number): HealthReason | undefined {
  if (now < notBefore) return 'svid_not_yet_valid';
  if (now > notAfter) return 'svid_expired';
  return notAfter - now < (notAfter - notBefore) * EXPIRING_AT ? 'svid_expiring' : undefined;
}

const reasonOf = ({ svid, fault }: Found, now: number): HealthReason | undefined =>
  svid === undefined ? (fault ?? 'svid_unchecked') : svidLifetime(svid, now);

export function svidPart(found: Found, now: number): Part {
  const reason = reasonOf(found, now);
  return {
    state: reason === undefined ? 'ok' : reason === 'svid_expiring' ? 'warning' : 'failed',
    ...(reason && { reason, help: healthReasons[reason] }),
    ...(found.svid && { expires_in: Math.floor(found.svid.notAfter - now) }),
  };
}

/** Returns after how many seconds a line is logged again: a minute, or a tenth of the lifetime for an expiry. */
function pause(reason: HealthReason, svid: Svid | undefined): number {
  if (reason !== 'svid_expiring' || svid === undefined) return REPEAT_LINE_S;
  return Math.max(REPEAT_LINE_S, ((svid.notAfter - svid.notBefore) * EXPIRING_AT) / 10);
}

/** Returns what to log about an SVID: a change at once, and an unchanged problem at intervals. */
export function toSay(found: Found, now: number): HealthReason | undefined {
  const reason = reasonOf(found, now);
  if (reason === undefined) return undefined;
  const { reported } = found;
  return reported?.reason === reason && isRepeated(reported.at, now, pause(reason, found.svid)) ? undefined : reason;
}
