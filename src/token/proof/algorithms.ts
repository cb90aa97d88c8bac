/** What proofs may be signed with: `algs` of the challenge (RFC 9449 section 7.1). nginx's module lacks Ed25519. */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'RS256'] as const;
