import { ok, type Result, refuse } from '../base/reasons.ts';
import { asObject, decodeCanonical } from './json.ts';
import type { Binding, Verified } from './types.ts';

/** The members of `cnf` that name the key to which the token is bound. */
const members = [
  ['jkt', 'dpop'],
  ['x5t#S256', 'certificate'],
] as const;

/** Other registered members (RFC 7800 section 6.2, RFC 9200). A provider that sends one expects that it is checked. */
const others = ['jwk', 'jwe', 'kid', 'jku', 'osc'];

const otherwise = '"cnf" does not bind the token to exactly one thumbprint, "jkt" or "x5t#S256"';
const uncheckable = refuse('proof_invalid', otherwise);

/** Whether a text is a SHA-256 as base64url. */
const isThumbprint = (value: unknown): value is string =>
  typeof value === 'string' && value.length === 43 && decodeCanonical(value) !== undefined;

/** Returns the key to which a token is bound (RFC 7800 section 3.1): the thumbprint of a DPoP key (RFC 9449 section
 * 6.1) or of a client certificate (RFC 8705 section 3.1). Members that are not registered are ignored, as RFC 7800
 * requires; Keycloak adds `kc-jkt-type`.
 * @param cnf the claim `cnf`, which the token contains
 * @returns reason `proof_invalid` if there is no supported member, more than one, or another registered member */
function bindingOf(cnf: unknown): Result<Binding> {
  const confirmation = asObject(cnf) ?? {};
  if (others.some((name) => Object.hasOwn(confirmation, name))) return uncheckable;
  const [named, ...more] = members.filter(([name]) => Object.hasOwn(confirmation, name));
  const thumbprint = named && confirmation[named[0]];
  if (named === undefined || more.length > 0 || !isThumbprint(thumbprint)) return uncheckable;
  return ok({ kind: named[1], thumbprint });
}

/** Adds to a verified token the key to which it is bound. */
export function withBinding(verified: Verified): Result<Verified> {
  const { cnf } = verified.claims;
  if (cnf === undefined) return ok(verified);
  const binding = bindingOf(cnf);
  return binding.ok ? ok({ ...verified, binding: binding.value }) : binding;
}
