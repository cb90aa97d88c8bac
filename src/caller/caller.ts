import { claimAt } from '../base/claim-at.ts';
import { MAX_LIST_VALUES } from '../base/limits.ts';
import { ownOf } from '../base/own.ts';
import { ok, type Result, refuse } from '../base/reasons.ts';
import type { SigninView } from '../policy/facts/operator.ts';
import { scopesClaim } from '../policy/facts/scope.ts';
import { emailOf, identityAt } from '../providers/email.ts';
import type { ProviderKind } from '../providers/index.ts';
import { leavesGroupsOut } from '../token/overage.ts';
import type { Claims, Verified } from '../token/types.ts';
import { refuseAgent, withAgent } from './agent.ts';
import { claimedBy } from './claimed.ts';
import { isTooLong } from './encode.ts';
import { isReserved, OWN } from './reserved.ts';
import { type Prepared, preparedOf, rolesBy, signinView } from './roles/roles.ts';
import { scopeUp } from './roles/scope-up.ts';
import { type CallerFactContext, isSatisfied, roleTruth, type SigninFact, signedInSo } from './roles/truth.ts';
import { truthsOf } from './roles/views.ts';
import type { Caller, CallerTable } from './types.ts';

const nothing: readonly string[] = Object.freeze([]);

/** Returns the strings of a list. A single string counts as a list of one string, any other value as empty. */
function stringsOf(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return [claim];
  if (!Array.isArray(claim)) return nothing;
  for (let i = 0; i < claim.length; i++) if (typeof claim[i] !== 'string') return nothing;
  return claim;
}

/** Whether there are too many groups or scopes. Scopes are elements of a list or words that spaces separate. */
function isTooMany(groups: unknown, scopes: unknown): boolean {
  if (Array.isArray(groups) && groups.length > MAX_LIST_VALUES && stringsOf(groups).length > 0) return true;
  // A text with too many words also has too many characters, and its length is known at once.
  if (typeof scopes === 'string') return scopes.length > MAX_LIST_VALUES && wordsOf(scopes) > MAX_LIST_VALUES;
  return Array.isArray(scopes) && scopes.length > MAX_LIST_VALUES && stringsOf(scopes).length > 0;
}

const wordsOf = (text: string): number => text.split(' ').filter((word) => word !== '').length;

const noClaims: Claims = Object.freeze({});

/** Whether a value has an unambiguous text. A number that is not a safe integer has no such text. */
const isScalar = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);

/** Returns the claims that headers send and can carry: scalars and lists of scalars. */
function namedClaims(claims: Claims, paths: readonly string[], kind: ProviderKind): Claims {
  const named: [string, unknown][] = [];
  for (const path of paths) {
    const value = identityAt(claims, path, kind);
    if (Array.isArray(value) ? value.every(isScalar) : isScalar(value)) named.push([path, value]);
  }
  return Object.fromEntries(named);
}

type Making = { -readonly [K in keyof Caller]: Caller[K] };

/** Adds to the caller the roles that another sign-in would give, and the time at which the present roles change. */
function addSignin(caller: Making, verified: Verified, made: Prepared, { now, until }: SigninView): void {
  if (until < Number.POSITIVE_INFINITY) caller.until = until;
  const roles = stepUpRoles(verified, made, caller.roles, now);
  if (roles.length > 0) caller.stepUp = roles;
}

/** Makes the caller of a verified token: subject, roles, values for headers, and the agent if one acts; or a reason of
 * {@link toPerson} or {@link withAgent}. */
export function toCaller(verified: Verified, table: CallerTable, now: number): Result<Caller> {
  const made = preparedOf(verified.provider, table);
  const person = personOf(verified, made, table, now);
  if (!made.seeksAgents && verified.claims.act === undefined) return person;
  return person.ok ? withAgent(person.value, verified, made) : person;
}

/** Makes the caller of a token like {@link toCaller}, with the roles that it lacks only because of missing scopes. A
 * session cannot get more scopes. */
export function tokenCaller(verified: Verified, table: CallerTable, now: number): Result<Caller> {
  const caller = toCaller(verified, table, now);
  if (table.scopes === undefined || !caller.ok) return caller;
  const more = scopeUp(verified, table, caller.value.roles, now);
  return more === undefined ? caller : ok({ ...caller.value, scopeUp: more });
}

/** Refuses the sign-in of an agent, see {@link refuseAgent}. */
export const refuseSignin = (provider: string, claims: Claims, table: CallerTable): ReturnType<typeof refuseAgent> =>
  refuseAgent({ provider, claims, expires: 0, key: '' }, preparedOf(provider, table));

/** Makes the person of a session: subject, roles and values for headers.
 * @param now seconds since the epoch; `until` of the result says how long it is valid
 * @returns reason `claim_absent` if the subject is missing or too long for a header, a list has too many elements, or
 * the provider left the groups out; or a reason of {@link refuseAgent} */
export function toPerson(verified: Verified, table: CallerTable, now: number): Result<Caller> {
  const made = preparedOf(verified.provider, table);
  return refuseAgent(verified, made) ?? personOf(verified, made, table, now);
}

/** Makes the caller of a token or a session, without a check for agents, from the prepared data of the provider. */
function personOf(verified: Verified, made: Prepared, table: CallerTable, now: number): Result<Caller> {
  const { provider, claims, binding } = verified;
  const { kind, subject: source } = made;
  const named = claimAt(claims, source.claim);
  if (typeof named !== 'string' || named === '') {
    return refuse('claim_absent', `"${source.claim}" is not a non-empty string`);
  }
  if (source.claim === kind.email && emailOf(claims, kind) === undefined) {
    const verified = `"${kind.emailVerified}" does not say that it is verified`;
    const detail = `"${source.claim}" is not an address of the person: it does not have exactly one @, or ${verified}`;
    return refuse('claim_absent', detail);
  }
  const subject = source.prefix + named;
  if (isTooLong(subject)) return refuse('claim_absent', `"${source.claim}" is too long`);
  if ((table.certificates === true || subject.startsWith(OWN)) && isReserved(subject, kind.name, table)) {
    const detail = `"${source.claim}" looks like a subject that the gateway assigns; give the provider a prefix`;
    return refuse('claim_absent', detail);
  }
  const groups = kind.groups === undefined ? undefined : claimAt(claims, kind.groups);
  if (isTooMany(groups, scopesClaim(verified, kind))) {
    return refuse('claim_absent', `more than ${MAX_LIST_VALUES} groups or scopes`);
  }
  if (groups === undefined && made.readsGroups && leavesGroupsOut(claims, kind.name)) {
    return refuse(
      'claim_absent',
      'the provider left out the groups because there are too many; configure it to send only the needed groups',
    );
  }
  const { sends } = table;
  const signin = signinView(made, now);
  const email = sends.email ? emailOf(claims, kind) : undefined;
  const name = sends.name && kind.displayName !== undefined ? claimAt(claims, kind.displayName) : undefined;
  const caller: Making = {
    provider,
    subject,
    roles: rolesBy(verified, made, groups, signin),
    groups: sends.groups ? stringsOf(groups) : nothing,
    claims: table.claims.length === 0 ? noClaims : namedClaims(claims, table.claims, kind),
  };
  if (email !== undefined) caller.email = email;
  if (typeof name === 'string') caller.name = name;
  if (table.logged !== undefined) caller.claimed = claimedBy(claims, ownOf(table.logged, provider) ?? [], table.hide);
  if (binding !== undefined) caller.binding = binding.kind;
  // This comes before the facts about the sign-in, because they limit how long the whole result is valid.
  if (made.ofRequest !== undefined) {
    caller.truths = truthsOf(made.ofRequest, { verified, kind, roles: made.roles, signin });
  }
  if (signin !== undefined) addSignin(caller, verified, made, signin);
  return ok(caller);
}

/** Returns the roles that the caller lacks now and would have after a sign-in that meets the policy's requirements.
 * Roles whose requirements the present sign-in already meets are left out: their step-up would repeat forever. */
function stepUpRoles(
  verified: Verified,
  { kind, roles, grants, requested }: Prepared,
  held: readonly string[],
  now: number,
): readonly string[] {
  const context: CallerFactContext = { verified, kind, roles, signin: { now, assumed: true, until: 0 } };
  const real: CallerFactContext = { verified, kind, roles, signin: { now, assumed: false, until: 0 } };
  const isSo = (fact: SigninFact): boolean => signedInSo(fact, real) === true;
  return grants.bySignin
    .map((place) => grants.names[place] as string)
    .filter((name) => {
      if (held.includes(name) || roleTruth(name, context) !== true) return false;
      return !isSatisfied(requested.role(name), isSo);
    });
}
