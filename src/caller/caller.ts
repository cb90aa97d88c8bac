import { MAX_HEADER_VALUE, MAX_LIST_VALUES } from '../limits.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { claimAt } from '../token/claim-at.ts';
import type { Claims, Verified } from '../token/types.ts';
import { encodeValue } from './encode.ts';
import { type FactContext, scopesClaim } from './facts.ts';
import { factContext, rolesOf } from './roles.ts';
import type { Caller, CallerTable } from './types.ts';

/**
 * An address with one `@` that stands between two parts, without space or control character (Unicode's Cc, spelled out:
 * a regular expression with the flag `u` costs ten times as much).
 */
const address = /^[^\s\x00-\x1f\x7f-\x9f@]+@[^\s\x00-\x1f\x7f-\x9f@]+$/;

/** The address, if the provider says that it is verified. The text "true" is not a statement of that. */
function emailOf({ verified, kind }: FactContext): string | undefined {
  const email = claimAt(verified.claims, kind.email);
  if (claimAt(verified.claims, kind.emailVerified) !== true) return undefined;
  return typeof email === 'string' && address.test(email) ? email : undefined;
}

/** A list of strings, or words divided by spaces where `words` says so; anything else is an empty list. */
function stringsOf(claim: unknown, words: boolean): readonly string[] {
  if (typeof claim === 'string') return words ? claim.split(' ').filter((word) => word !== '') : [claim];
  return Array.isArray(claim) && claim.every((element) => typeof element === 'string') ? claim : [];
}

const noClaims: Claims = Object.freeze({});

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

/** The claims that headers name, if they have a form that a header can carry: a scalar or a list of scalars. */
function namedClaims(claims: Claims, paths: readonly string[]): Claims {
  if (paths.length === 0) return noClaims;
  const named: [string, unknown][] = [];
  for (const path of paths) {
    const value = claimAt(claims, path);
    if (Array.isArray(value) ? value.every(isScalar) : isScalar(value)) named.push([path, value]);
  }
  return Object.fromEntries(named);
}

/** Encoding makes at most nine characters of one, so that short values need not be encoded to be measured. */
function isTooLong(value: string): boolean {
  return value.length > MAX_HEADER_VALUE / 9 && encodeValue(value).length > MAX_HEADER_VALUE;
}

/**
 * Says who a verified token's caller is: subject, roles and what headers may carry.
 *
 * @param table what the gateway knows of the policy
 * @returns reason `claim_absent` where the subject is missing or too long for a header, or a list has too many elements
 */
export function toCaller(verified: Verified, table: CallerTable): Result<Caller> {
  const context = factContext(verified, table);
  const { claim, prefix } = table.providers[verified.provider]!.subject;
  const { claims } = verified;
  const subject = claimAt(claims, claim);
  if (typeof subject !== 'string' || subject === '') {
    return refuse('claim_absent', `"${claim}" is not a non-empty string`);
  }
  if (isTooLong(prefix + subject)) return refuse('claim_absent', `"${claim}" is too long`);
  const groups = stringsOf(claimAt(claims, context.kind.groups), false);
  const scopes = stringsOf(scopesClaim(verified, context.kind), true);
  if (groups.length > MAX_LIST_VALUES || scopes.length > MAX_LIST_VALUES) {
    return refuse('claim_absent', `more than ${MAX_LIST_VALUES} groups or scopes`);
  }
  const email = emailOf(context);
  const name = claimAt(claims, context.kind.displayName);
  const caller: { -readonly [K in keyof Caller]: Caller[K] } = {
    provider: verified.provider,
    subject: prefix + subject,
    roles: rolesOf(context),
    groups,
    scopes,
    claims: namedClaims(claims, table.claims),
  };
  if (email !== undefined) caller.email = email;
  if (typeof name === 'string') caller.name = name;
  return ok(caller);
}
