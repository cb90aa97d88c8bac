/** What stands for a provider where nobody shows a credential, and where it is a certificate: no provider has these names. */
export const NOBODY_PROVIDER = 'nobody';
export const CERTIFICATE_PROVIDER = 'certificate';

export const RESERVED_PROVIDERS: readonly string[] = [NOBODY_PROVIDER, CERTIFICATE_PROVIDER];
