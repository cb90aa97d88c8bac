import { toCaller } from '../caller/caller.ts';
import type { Caller } from '../caller/types.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { decide } from '../rules/decide.ts';
import type { Decision, Table } from '../rules/types.ts';
import { providerToAsk } from '../token/refetch.ts';
import { verifyToken } from '../token/verify.ts';
import { again, deny, type KnownCaller, speak } from './answer.ts';
import type { KeyStore } from './keys.ts';
import { emptyErrorQueue } from './openssl.ts';
import { type PreparedRoute, type PreparedRule, routesOf } from './routes.ts';
import type { Signer } from './signer.ts';
import { TokenCache } from './tokens.ts';

/** Path of the internal location, before the route's name. */
const CHECK = '/.meshgate/check/';

/** The token of `Authorization: Bearer …` (RFC 6750 section 2.1; by RFC 9110 section 11.4 the scheme's case does not matter, and spaces may follow it). */
function bearer(authorization: string): Result<string> {
  if (authorization.length > 7 && authorization.slice(0, 7).toLowerCase() === 'bearer ') {
    return ok(authorization.slice(7).trimStart());
  }
  return refuse('credential_unsupported');
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
  const tokens = new TokenCache(table.selection);

  /** A caller of this route's providers whose key is still published. */
  function recall(to: PreparedRoute, token: string, now: number): KnownCaller | undefined {
    const known = tokens.get(token, now);
    if (known === undefined || !to.accepted.has(known.provider)) return undefined;
    if (keys.vouchFor(known, now)) return known;
    tokens.drop(token);
    return undefined;
  }

  async function verify(to: PreparedRoute, token: string, now: number): Promise<Result<KnownCaller>> {
    const context = {
      providers: to.providers,
      keysOf: (provider: { readonly name: string }) => keys.of(provider.name, now),
      now,
      skew: table.clockSkew,
      imported: keys.imported,
      onFailure: emptyErrorQueue,
    };
    let verified = await verifyToken(token, context);
    const ask = verified.ok ? undefined : providerToAsk(token, verified, to.providers);
    if (ask !== undefined) {
      const refetched = await keys.refetch(ask);
      if (refetched === 'busy') return refuse('provider_unavailable');
      if (refetched === 'fetched') verified = await verifyToken(token, context);
    }
    if (!verified.ok) return verified;
    const caller: Result<Caller> = toCaller(verified.value, table);
    if (!caller.ok) return caller;
    return ok(tokens.put(token, verified.value, caller.value, now, table.tokenCache));
  }

  /**
   * Speaks to a known caller, with what is signed for them where something is.
   *
   * @param keep whether the token has come again
   */
  function answer(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    decision: Decision<PreparedRule>,
    known: KnownCaller,
    now: number,
    keep: boolean,
  ): void | Promise<void> {
    if (signer === undefined || !decision.allow) {
      speak(r, to, method, decision, known, { keep });
      return;
    }
    const { grant, id } = decision.rule;
    const recalled = signer.recall(known, grant, now);
    if (recalled !== undefined) {
      speak(r, to, method, decision, known, { assertion: recalled });
      return;
    }
    return signer.sign(known, grant, now).then((signed) => {
      if (signed.ok) speak(r, to, method, decision, known, { assertion: signed.value });
      else deny(r, to.realm, signed, { known, nearest: id });
    });
  }

  return (r) => {
    const name = (r.uri as string).slice(CHECK.length);
    const to = route(name);
    if (to === undefined) {
      deny(r, '-', { reason: 'route_unknown' });
      return;
    }
    const request = { route: name, method: r.headersIn['X-Meshgate-Method'] as string };
    const authorization = r.headersIn.Authorization;
    if (authorization === undefined) {
      speak(r, to, request.method, decide(to.rules, null, request));
      return;
    }
    const token = bearer(authorization);
    if (!token.ok) {
      deny(r, to.realm, token);
      return;
    }
    const now = Date.now() / 1000;
    const known = recall(to, token.value, now);
    if (known !== undefined) {
      if (signer === undefined && again(r, to, request.method, known)) return;
      return answer(r, to, request.method, decide(to.rules, known.caller, request), known, now, true);
    }
    return verify(to, token.value, now).then((result) => {
      if (result.ok)
        return answer(r, to, request.method, decide(to.rules, result.value.caller, request), result.value, now, false);
      deny(r, to.realm, result);
    });
  };
}
