/** Provider names for anonymous callers and for callers with a certificate; no provider may have them. */
export const NOBODY_PROVIDER = 'nobody';
export const CERTIFICATE_PROVIDER = 'certificate';

export const RESERVED_PROVIDERS: readonly string[] = [NOBODY_PROVIDER, CERTIFICATE_PROVIDER];
