import type { Scheme, Ways } from '../caller/credential.ts';
import { type ReasonCode, type Refusal, type Result, refuse } from '../reasons.ts';
import type { DpopError } from '../rules/challenge.ts';
import type { Binding, Verified } from '../token/types.ts';
import type { Last } from './answer.ts';
import type { Answered, Door, Place } from './door.ts';
import { hostOf, isForeign } from './foreign.ts';
import type { Gateway } from './gateway.ts';
import type { KnownCaller } from './known.ts';
import type { Sent } from './prove.ts';
import { canLookUp, unread } from './revocation-reader.ts';
import { SessionCallers } from './session.ts';

/** A request with a token. A list costs a fifth of the closures that would hold the same. */
type Asked<P> = readonly [r: NginxHTTPRequest, to: P, method: string, now: number, token: string, scheme: Scheme];

/** What a challenge says of a proof, or of none; nothing where the token is bound to a certificate. */
function dpopError(reason: ReasonCode, { scheme }: Sent, binding: Binding | undefined): DpopError | undefined {
  if (scheme === 'Bearer') return binding?.kind === 'dpop' ? 'invalid_token' : undefined;
  return reason === 'proof_nonce_required' ? 'use_dpop_nonce' : 'invalid_dpop_proof';
}

/**
 * From the credential of a request to its caller, or to the reason why there is none. A known token or session needs no
 * promise.
 */
export class Callers<P extends Place> implements Ways<NginxHTTPRequest, P, Answered> {
  readonly #gateway: Gateway;
  readonly #door: Door<P>;
  readonly #sessions: SessionCallers<P> | undefined;

  constructor(gateway: Gateway, door: Door<P>) {
    this.#gateway = gateway;
    this.#door = door;
    this.#sessions = gateway.sessions && new SessionCallers(gateway.sessions, door);
  }

  refuse(r: NginxHTTPRequest, to: P, _method: string, refusal: Refusal): void {
    this.#door.refuse(r, to, refusal);
  }

  anonymous(r: NginxHTTPRequest, to: P, method: string): Answered {
    return this.#door.absent(r, to, method, 'credential_missing');
  }

  session(r: NginxHTTPRequest, to: P, method: string, line: string): Answered {
    return this.#sessions === undefined ? this.anonymous(r, to, method) : this.#sessions.meet(r, to, method, line);
  }

  certificate(r: NginxHTTPRequest, to: P, method: string, certificate: string): Answered {
    const now = Date.now() / 1000;
    const known = this.#gateway.certificates?.meet(certificate, now);
    if (known === undefined) return this.anonymous(r, to, method);
    if (!known.ok) return this.#door.refuse(r, to, known);
    if (isForeign(r, to, to.origins)) {
      return this.#door.refuse(r, to, refuse('origin_refused'), { known: known.value });
    }
    return this.#door.met(r, to, method, known.value, now);
  }

  token(r: NginxHTTPRequest, to: P, method: string, token: string, scheme: Scheme): Answered {
    if (!canLookUp()) return this.#door.refuse(r, to, unread);
    const { bearers } = this.#gateway;
    const now = Date.now() / 1000;
    const known = this.#door.fresh ? undefined : bearers.recall(to, token, now);
    if (known === undefined)
      return bearers.verify(to, token, now, this.#arrive, [r, to, method, now, token, scheme], r);
    if (known.binding === undefined && scheme === 'Bearer') return this.#door.met(r, to, method, known, now);
    return this.#prove(known, [r, to, method, now, token, scheme]);
  }

  readonly #arrive = (caller: Result<KnownCaller>, asked: Asked<P>, verified?: Verified): Answered => {
    const [r, to, method, now, , scheme] = asked;
    if (!caller.ok) return this.#door.refuse(r, to, caller, scheme === 'DPoP' ? { dpop: 'invalid_token' } : undefined);
    if (caller.value.binding !== undefined || scheme === 'DPoP') return this.#prove(caller.value, asked, verified);
    return this.#door.met(r, to, method, caller.value, now, undefined, verified);
  };

  /** Whatever a token is bound to, one that is sent by the scheme DPoP needs a proof. */
  #prove(known: KnownCaller, [r, to, method, now, token, scheme]: Asked<P>, verified?: Verified): Answered {
    const sent: Sent = { r, host: hostOf(r, to), method, token, scheme, now };
    return this.#gateway.prover.prove(sent, known.binding, this.#proved, [to, known, verified] as const);
  }

  readonly #proved = (
    proved: Result<unknown>,
    sent: Sent,
    [to, known, verified]: readonly [P, KnownCaller, Verified | undefined],
  ): Answered => {
    const { r, method, now, nonce, remember } = sent;
    const { binding } = known;
    if (nonce !== undefined) r.headersOut[this.#door.nonceHeader] = nonce;
    if (!proved.ok) return this.#door.refuse(r, to, proved, { known, dpop: dpopError(proved.reason, sent, binding) });
    if (remember === undefined) return this.#door.met(r, to, method, known, now, undefined, verified);
    const last: Last = () => {
      const refused = remember(known);
      if (refused === undefined) return false;
      const dpop = refused.reason === 'limit_exceeded' ? undefined : dpopError(refused.reason, sent, binding);
      this.#door.refuse(r, to, refused, {
        known,
        dpop,
        ...('retryAfter' in refused && { retryAfter: refused.retryAfter }),
      });
      return true;
    };
    return this.#door.met(r, to, method, known, now, last, verified);
  };
}
