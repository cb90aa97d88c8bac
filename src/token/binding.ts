import { ok, type Result, refuse } from '../reasons.ts';
import { asObject, decodeCanonical } from './json.ts';
import type { Binding, Verified } from './types.ts';

/** How a token names the key that it is bound to, by kind. */
const members = { jkt: 'dpop', 'x5t#S256': 'certificate' } as const;

const uncheckable = refuse(
  'proof_invalid',
  'the token is bound ("cnf") by something else than one thumbprint, "jkt" or "x5t#S256"',
);

/** Whether a text is a SHA-256 in base64url. */
const isThumbprint = (value: unknown): value is string =>
  typeof value === 'string' && value.length === 43 && decodeCanonical(value) !== undefined;

/**
 * The key that a token is bound to (RFC 7800 section 3.1): by the thumbprint of a DPoP key (RFC 9449 section 6.1) or of
 * a client certificate (RFC 8705 section 3.1).
 *
 * @param cnf the claim of that name, which is there
 * @returns reason `proof_invalid` for any other confirmation, and for more than one: whoever bound the token means that
 * it is checked
 */
export function bindingOf(cnf: unknown): Result<Binding> {
  const [entry, ...more] = Object.entries(asObject(cnf) ?? {});
  if (entry === undefined || more.length > 0) return uncheckable;
  const [name, thumbprint] = entry;
  if (!Object.hasOwn(members, name) || !isThumbprint(thumbprint)) return uncheckable;
  return ok({ kind: members[name as keyof typeof members], thumbprint });
}

/** A verified token with what its claims say of a key that it is bound to. */
export function withBinding(verified: Verified): Result<Verified> {
  const { cnf } = verified.claims;
  if (cnf === undefined) return ok(verified);
  const binding = bindingOf(cnf);
  return binding.ok ? ok({ ...verified, binding: binding.value }) : binding;
}
