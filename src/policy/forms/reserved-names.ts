/** The provider names of anonymous callers and of callers with a certificate. No provider of a policy may have one of
 * these names. */
export const NOBODY_PROVIDER = 'nobody';
export const CERTIFICATE_PROVIDER = 'certificate';

export const RESERVED_PROVIDERS: readonly string[] = [NOBODY_PROVIDER, CERTIFICATE_PROVIDER];
