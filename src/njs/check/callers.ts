import { type ReasonCode, type Result, refuse } from '../../base/reasons.ts';
import type { Scheme, Ways } from '../../caller/credential.ts';
import type { DpopError } from '../../rules/decide/challenge.ts';
import type { Binding, Verified } from '../../token/types.ts';
import type { Sent } from '../callers/prove-possession.ts';
import { SessionCallers } from '../callers/session-callers.ts';
import type { KnownCaller } from '../shared/known.ts';
import { awaitRevocations, canLookUp, unread } from '../shared/revocation-reader.ts';
import type { Last } from './answer.ts';
import type { CheckParts } from './gateway.ts';
import { type AcceptingPlace, type Answered, type CheckHandlers, isForeign, requestedHost } from './handlers.ts';

/** A request with a token. A tuple costs a fifth of a closure with the same values. */
type CheckArguments<P> = readonly [
  r: NginxHTTPRequest,
  to: P,
  method: string,
  now: number,
  token: string,
  scheme: Scheme,
];

/** Returns the error for the DPoP challenge; undefined if the token is bound to a certificate. */
function dpopError(reason: ReasonCode, { scheme }: Sent, binding: Binding | undefined): DpopError | undefined {
  if (scheme === 'Bearer') return binding?.kind === 'dpop' ? 'invalid_token' : undefined;
  return reason === 'proof_nonce_required' ? 'use_dpop_nonce' : 'invalid_dpop_proof';
}

/** Makes the functions that find the caller of a request by its credential, or the reason why there is none. A known
 * token or session needs no promise. Every request runs this code, so it uses variables, which are faster than members.
 * */
export function callersOf<P extends AcceptingPlace>(
  gateway: CheckParts,
  handlers: CheckHandlers<P>,
): Ways<NginxHTTPRequest, P, Answered> {
  const { table, bearers, prover, certificates } = gateway;
  const { fresh, withCaller } = handlers;
  const sessions = gateway.sessions && new SessionCallers(gateway.sessions, handlers);
  const isShared = awaitRevocations(table);

  const anonymous = (r: NginxHTTPRequest, to: P, method: string): Answered =>
    handlers.absent(r, to, method, 'credential_missing');

  /** Continues with the caller of a new token. It reads tuples by index, because an iterator would cost more time. */
  function arrive(caller: Result<KnownCaller>, args: CheckArguments<P>, verified?: Verified): Answered {
    const isDpop = args[5] === 'DPoP';
    if (!caller.ok) return handlers.refuse(args[0], args[1], caller, isDpop ? { dpop: 'invalid_token' } : undefined);
    if (isDpop || caller.value.binding !== undefined) return prove(caller.value, args, verified);
    return withCaller(args[0], args[1], args[2], caller.value, args[3], undefined, verified);
  }

  /** Verifies the proof. A token with the scheme DPoP always needs a proof, whatever the token is bound to. */
  function prove(
    known: KnownCaller,
    [r, to, method, now, token, scheme]: CheckArguments<P>,
    verified?: Verified,
  ): Answered {
    const sent: Sent = { r, host: requestedHost(r, to), method, token, scheme, now };
    return prover.prove(sent, known.binding, proved, [to, known, verified] as const);
  }

  function proved(
    outcome: Result<unknown>,
    sent: Sent,
    [to, known, verified]: readonly [P, KnownCaller, Verified | undefined],
  ): Answered {
    const { r, method, now, nonce, remember } = sent;
    const { binding } = known;
    if (nonce !== undefined) r.headersOut[handlers.nonceHeader] = nonce;
    if (!outcome.ok) return handlers.refuse(r, to, outcome, { known, dpop: dpopError(outcome.reason, sent, binding) });
    if (remember === undefined) return withCaller(r, to, method, known, now, undefined, verified);
    const last: Last = () => {
      const refused = remember(known);
      if (refused === undefined) return false;
      const dpop = refused.reason === 'limit_exceeded' ? undefined : dpopError(refused.reason, sent, binding);
      const retryAfter = 'retryAfter' in refused ? refused.retryAfter : undefined;
      handlers.refuse(r, to, refused, { known, dpop, retryAfter });
      return true;
    };
    return withCaller(r, to, method, known, now, last, verified);
  }

  return {
    anonymous,
    refuse: (r, to, _method, refusal) => handlers.refuse(r, to, refusal),
    session: (r, to, method, line) =>
      sessions === undefined ? anonymous(r, to, method) : sessions.readCaller(r, to, method, line),
    certificate(r, to, method, certificate) {
      const now = Date.now() / 1000;
      const known = certificates?.(certificate, now);
      if (known === undefined) return anonymous(r, to, method);
      if (!known.ok) return handlers.refuse(r, to, known);
      if (isForeign(r, to, to.origins)) return handlers.refuse(r, to, refuse('origin_refused'), { known: known.value });
      return withCaller(r, to, method, known.value, now);
    },
    token(r, to, method, token, scheme) {
      if (isShared && !canLookUp()) return handlers.refuse(r, to, unread);
      const now = Date.now() / 1000;
      const known = fresh ? undefined : bearers.recall(to, token, now);
      if (known === undefined) return bearers.verify(to, token, now, arrive, [r, to, method, now, token, scheme], r);
      if (known.binding === undefined && scheme === 'Bearer') return withCaller(r, to, method, known, now);
      return prove(known, [r, to, method, now, token, scheme]);
    },
  };
}
