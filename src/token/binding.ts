import { ok, type Result, refuse } from '../reasons.ts';
import { asObject, decodeCanonical } from './json.ts';
import type { Binding, Verified } from './types.ts';

/** How a token names the key that it is bound to, by kind. */
const members = [
  ['jkt', 'dpop'],
  ['x5t#S256', 'certificate'],
] as const;

/** Other registered ways (RFC 7800 section 6.2, RFC 9200): whoever uses one means that it is checked. */
const others = ['jwk', 'jwe', 'kid', 'jku', 'osc'];

const uncheckable = refuse(
  'proof_invalid',
  'the token is bound ("cnf") by something else than one thumbprint, "jkt" or "x5t#S256"',
);

/** Whether a text is a SHA-256 in base64url. */
const isThumbprint = (value: unknown): value is string =>
  typeof value === 'string' && value.length === 43 && decodeCanonical(value) !== undefined;

/**
 * The key that a token is bound to (RFC 7800 section 3.1): by the thumbprint of a DPoP key (RFC 9449 section 6.1) or of
 * a client certificate (RFC 8705 section 3.1). What is no registered way does not count, as that section says: Keycloak
 * adds `kc-jkt-type`.
 *
 * @param cnf the claim of that name, which is there
 * @returns reason `proof_invalid` for any other confirmation, for none, and for more than one
 */
export function bindingOf(cnf: unknown): Result<Binding> {
  const confirmation = asObject(cnf) ?? {};
  if (others.some((name) => Object.hasOwn(confirmation, name))) return uncheckable;
  const [named, ...more] = members.filter(([name]) => Object.hasOwn(confirmation, name));
  const thumbprint = named && confirmation[named[0]];
  if (named === undefined || more.length > 0 || !isThumbprint(thumbprint)) return uncheckable;
  return ok({ kind: named[1], thumbprint });
}

/** A verified token with what its claims say of a key that it is bound to. */
export function withBinding(verified: Verified): Result<Verified> {
  const { cnf } = verified.claims;
  if (cnf === undefined) return ok(verified);
  const binding = bindingOf(cnf);
  return binding.ok ? ok({ ...verified, binding: binding.value }) : binding;
}
