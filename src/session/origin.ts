/**
 * The origin of a host's own pages, as browsers write it (RFC 6454 section 6.2). It is always https: what ends TLS
 * before the gateway changes nothing of it.
 */
export const originOf = (host: string, port: number): string => `https://${host}${port === 443 ? '' : `:${port}`}`;
