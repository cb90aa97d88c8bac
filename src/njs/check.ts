import { toCaller } from '../caller/caller.ts';
import { type Result, refuse } from '../reasons.ts';
import { decide } from '../rules/decide.ts';
import type { Table } from '../rules/types.ts';
import { providerToAsk } from '../token/refetch.ts';
import type { Verified } from '../token/types.ts';
import { type VerifyContext, verifyToken } from '../token/verify.ts';
import { again, letAnyonePass, letPass } from './answer.ts';
import type { KeyStore } from './keys.ts';
import type { KnownCaller } from './known.ts';
import { emptyErrorQueue } from './openssl.ts';
import { deny } from './refusal.ts';
import { type PreparedRoute, type PreparedRule, routesOf } from './routes.ts';
import type { Signer } from './signer.ts';
import { TokenCache } from './tokens.ts';

/** Path of the internal location, before the route's name. */
const CHECK = '/.meshgate/check/';

/** The token of `Authorization: Bearer …` (RFC 6750 section 2.1; by RFC 9110 section 11.4 the scheme's case does not matter, and spaces may follow it). */
function bearer(authorization: string): string | undefined {
  const usual = authorization.startsWith('Bearer ') || authorization.slice(0, 7).toLowerCase() === 'bearer ';
  return usual && authorization.length > 7 ? authorization.slice(7).trimStart() : undefined;
}

/** Decides for a known caller, and speaks to them, with what is signed for them where something is. */
export function answer(
  signer: Signer | undefined,
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  known: KnownCaller,
  now: number,
): void | Promise<void> {
  const decision = decide(to.rules, known.caller, { route: to.name, method });
  if (!decision.allow) return deny(r, to.realm, decision, { known, nearest: decision.nearest?.id });
  const { rule } = decision;
  if (signer === undefined) return pass(r, to, method, rule, known, undefined);
  const recalled = signer.recall(known, rule.grant, now);
  if (recalled !== undefined) return pass(r, to, method, rule, known, recalled);
  return signer.sign(known, rule.grant, now).then((signed) => {
    if (signed.ok) pass(r, to, method, rule, known, signed.value);
    else deny(r, to.realm, signed, { known, nearest: rule.id });
  });
}

/** {@link letPass}, or the refusal of a caller whose identity headers do not fit. */
function pass(
  r: NginxHTTPRequest,
  to: PreparedRoute,
  method: string,
  rule: PreparedRule,
  known: KnownCaller,
  assertion: string | undefined,
): void {
  const passed = letPass(r, to, method, rule, known, assertion);
  if (!passed.ok) deny(r, to.realm, passed, { known, nearest: rule.id });
}

/**
 * Makes the handler that answers nginx's `auth_request`.
 * A known token is answered synchronously: it costs one context and no promise.
 *
 * @param signer signs for callers, where the policy has an assertion; nobody's requests have none
 */
export function checkHandler(
  table: Table,
  keys: KeyStore,
  signer?: Signer,
): (r: NginxHTTPRequest) => void | Promise<void> {
  const route = routesOf(table);
  const tokens = new TokenCache(table);
  const context: VerifyContext = {
    keysOf: (provider, now) => keys.of(provider.name, now),
    skew: table.clockSkew,
    imported: keys.imported,
    onFailure: emptyErrorQueue,
  };

  /** A caller of this route's providers whose key is still published. */
  function recall(to: PreparedRoute, token: string, now: number): KnownCaller | undefined {
    const known = tokens.get(token, now);
    if (known === undefined || !to.accepted.has(known.provider)) return undefined;
    if (keys.vouchFor(known, now)) return known;
    tokens.drop(token);
    return undefined;
  }

  /** Answers who comes with a new token; known from now on. */
  function meet(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    token: string,
    now: number,
    verified: Result<Verified>,
  ): void | Promise<void> {
    if (!verified.ok) return deny(r, to.realm, verified);
    const caller = toCaller(verified.value, table, now);
    if (!caller.ok) return deny(r, to.realm, caller);
    const known = tokens.put(token, verified.value, caller.value, now, table.tokenCache);
    return answer(signer, r, to, method, known, now);
  }

  /** Verifies a new token; once more with the provider's newest keys, where those at hand do not do. */
  function verify(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    token: string,
    now: number,
  ): void | Promise<void> {
    return verifyToken(token, to.providers, now, context, (verified) => {
      const ask = verified.ok ? undefined : providerToAsk(token, verified, to.providers);
      if (ask === undefined) return meet(r, to, method, token, now, verified);
      const meetAs = (outcome: Result<Verified>) => meet(r, to, method, token, now, outcome);
      return keys.refetch(ask).then((refetched) => {
        if (refetched === 'busy') return meetAs(refuse('provider_unavailable'));
        return refetched === 'fetched' ? verifyToken(token, to.providers, now, context, meetAs) : meetAs(verified);
      });
    });
  }

  /** Decides where nobody says who asks. */
  function answerAnyone(r: NginxHTTPRequest, to: PreparedRoute, method: string): void {
    const decision = decide(to.rules, null, { route: to.name, method });
    if (decision.allow) letAnyonePass(r, decision.rule);
    else deny(r, to.realm, decision, { nearest: decision.nearest?.id });
  }

  return (r) => {
    const to = route((r.uri as string).slice(CHECK.length));
    if (to === undefined) return deny(r, '-', { reason: 'route_unknown' });
    // Each read makes an object.
    const { headersIn } = r;
    const method = headersIn['X-Meshgate-Method'] as string;
    const authorization = headersIn.Authorization;
    if (authorization === undefined) return answerAnyone(r, to, method);
    const token = bearer(authorization);
    if (token === undefined) return deny(r, to.realm, refuse('credential_unsupported'));
    const now = Date.now() / 1000;
    const known = recall(to, token, now);
    if (known !== undefined) {
      if (again(r, to, method, known, now, signer)) return;
      return answer(signer, r, to, method, known, now);
    }
    return verify(r, to, method, token, now);
  };
}
