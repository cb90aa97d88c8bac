/** When Linkerd's inbound proxy accepts a connection as mesh TLS, and which identity the client then has. */

export interface Certificate {
  /** In their order: `spiffe://…` and other URIs, `ip:…`, `email:…`, and DNS names. */
  readonly sans: readonly string[];
  /** Whether what is sent leads to a trust anchor. */
  readonly isTrusted: boolean;
  readonly isValidNow: boolean;
  readonly key: string;
  /** Extended key usages; undefined: the certificate has no such extension. */
  readonly eku?: readonly string[];
}

export interface Connection {
  /** Server name; undefined: none. */
  readonly sni?: string;
  /** Linkerd's name for the workload. */
  readonly workload: string;
  readonly maxTls: number;
  /** Group of the key exchange, if the client offers only this one. */
  readonly group?: string;
  readonly certificate?: Certificate;
}

/** The identity in a certificate: the first name that is a DNS name or a URI. A wildcard is no identity. */
export function identityOf(sans: readonly string[]): string | undefined {
  const first = sans.find((it) => !/^(ip|email):/.test(it));
  if (first === undefined || first.startsWith('*')) return undefined;
  return first.includes('://') ? first : first.toLowerCase();
}

/** `closed`, or the identity that the proxy knows, which may be none. */
export function meshTls({ sni, workload, maxTls, group, certificate }: Connection): 'closed' | { identity?: string } {
  // With another name the proxy passes TLS through, and the application does not speak TLS.
  if (sni?.toLowerCase() !== workload || maxTls < 1.3 || group === 'P-521') return 'closed';
  // The proxy announces no signature algorithm for RSA keys, so the client sends no certificate.
  if (certificate === undefined || certificate.key.startsWith('RSA')) return {};
  const { sans, isTrusted, isValidNow, eku } = certificate;
  if (!isTrusted || !isValidNow || (eku !== undefined && !eku.includes('clientAuth'))) return 'closed';
  const identity = identityOf(sans);
  return identity === undefined ? {} : { identity };
}
