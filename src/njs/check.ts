import { FROM_CHECK, TO_CHECK } from '../internal-headers.ts';
import { MISSING, type ReasonCode, type Result, refuse } from '../reasons.ts';
import { IN_QUERY } from '../rules/challenge.ts';
import type { Table } from '../rules/types.ts';
import type { Binding } from '../token/types.ts';
import { again, type Last } from './answer.ts';
import { type Bearers, bearer, dpop } from './bearers.ts';
import type { CertificateCallers } from './certificate-callers.ts';
import { answer } from './decision.ts';
import { hostOf, isForeign } from './foreign.ts';
import type { KnownCaller } from './known.ts';
import { decideNobody } from './nobody.ts';
import type { Prover, Sent } from './prove.ts';
import { type DpopError, deny, NOWHERE } from './refusal.ts';
import { awaitRevocations, canLookUp, unread } from './revocation-reader.ts';
import { type PreparedRoute, routesOf } from './routes.ts';
import { SessionDoor } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { Signer } from './signer.ts';
import type { Views } from './views.ts';

/** Path of the internal location, before the route's name. */
const CHECK = '/.meshgate/check/';

const inQuery = refuse(
  'credential_unsupported',
  'the URL has an access_token, and URLs stay in logs: send it as Authorization: Bearer TOKEN',
);

/** What a challenge says of a proof, or of none; nothing where the token is bound to a certificate. */
function dpopError(reason: ReasonCode, { scheme }: Sent, binding: Binding | undefined): DpopError | undefined {
  if (scheme === 'Bearer') return binding?.kind === 'dpop' ? 'invalid_token' : undefined;
  return reason === 'proof_nonce_required' ? 'use_dpop_nonce' : 'invalid_dpop_proof';
}

const noBearers = refuse('credential_unsupported', 'this route takes no tokens: sign in with a browser');
const certificatesAlone = refuse('credential_unsupported', 'this route takes no tokens: show a client certificate');
const noCertificate = refuse('credential_missing', MISSING.certificate);

/** Whether callers show certificates there and nothing else. */
const isForMachines = ({ bearers, sessions, certificates }: PreparedRoute): boolean =>
  certificates && !bearers && !sessions;

/**
 * Makes the handler that answers nginx's `auth_request`.
 * A known token or session is answered synchronously: it costs one context and no promise.
 *
 * @param prover asked for each request with a bound token
 * @param sessions where the policy has them
 * @param signer signs for callers, where the policy has an assertion
 * @param views where roles rest on facts of the request
 * @param certificates where some route takes them as credentials
 */
export function checkHandler(
  table: Table,
  bearers: Bearers,
  prover: Prover,
  sessions?: Sessions,
  signer?: Signer,
  views?: Views,
  certificates?: CertificateCallers,
): (r: NginxHTTPRequest) => void | Promise<void> {
  const isShared = awaitRevocations(table);
  const route = routesOf(table);
  const door = sessions === undefined ? undefined : new SessionDoor(sessions, signer, views);

  function answerAnyone(r: NginxHTTPRequest, to: PreparedRoute, method: string): void | Promise<void> {
    return decideNobody(signer, views, r, to, method, (refused) => {
      const isMissing = refused.reason === 'credential_missing' && isForMachines(to);
      deny(r, to, isMissing ? noCertificate : refused, { nearest: refused.nearest });
    });
  }

  /** Answers a caller whose credential is good, as the request sees them. */
  function answerKnown(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    known: KnownCaller,
    now: number,
    last?: Last,
  ) {
    const seen = views === undefined ? known : views.see(known, r.headersIn, now);
    if (again(r, to, method, seen, now, signer, last)) return;
    return answer(signer, r, to, method, seen, now, undefined, last);
  }

  function answerCertificate(r: NginxHTTPRequest, to: PreparedRoute, method: string, escaped: string) {
    const now = Date.now() / 1000;
    const known = (certificates as CertificateCallers).meet(escaped, now);
    if (!known.ok) return deny(r, to, known);
    if (isForeign(r, to, to.origins)) return deny(r, to, refuse('origin_refused'), { known: known.value });
    return answerKnown(r, to, method, known.value, now);
  }

  /** A request with a token. */
  type Asked = readonly [
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    now: number,
    token: string,
    scheme: Sent['scheme'],
  ];

  function answerNewcomer(caller: Result<KnownCaller>, asked: Asked): void | Promise<void> {
    if (!caller.ok) return deny(asked[0], asked[1], caller, asked[5] === 'DPoP' ? { dpop: 'invalid_token' } : {});
    if (caller.value.binding !== undefined || asked[5] === 'DPoP') return answerBound(caller.value, asked);
    const seen = views === undefined ? caller.value : views.see(caller.value, asked[0].headersIn, asked[3]);
    return answer(signer, asked[0], asked[1], asked[2], seen, asked[3]);
  }

  /** What is answered once it is clear whether a bound token is its sender's. */
  function answerProved(proved: Result<unknown>, sent: Sent, [to, known]: readonly [PreparedRoute, KnownCaller]) {
    const { r, method, now, nonce, remember } = sent;
    if (nonce !== undefined) r.headersOut[FROM_CHECK.dpopNonce] = nonce;
    if (!proved.ok) return deny(r, to, proved, { known, dpop: dpopError(proved.reason, sent, known.binding) });
    if (remember === undefined) return answerKnown(r, to, method, known, now);
    return answerKnown(r, to, method, known, now, () => {
      const refused = remember(known);
      if (refused === undefined) return false;
      const dpop = refused.reason === 'limit_exceeded' ? undefined : dpopError(refused.reason, sent, known.binding);
      deny(r, to, refused, { known, dpop, ...('retryAfter' in refused && { retryAfter: refused.retryAfter }) });
      return true;
    });
  }

  function answerBound(known: KnownCaller, [r, to, method, now, token, scheme]: Asked): void | Promise<void> {
    return prover.prove({ r, host: hostOf(r, to), method, token, scheme, now }, known.binding, answerProved, [
      to,
      known,
    ] as const);
  }

  function answerBearer(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    authorization: string,
  ): void | Promise<void> {
    if (!to.bearers) {
      // No token of ours: what a service calls so is its own matter, and what else there is decides.
      if (authorization === IN_QUERY) return answerOther(r, to, method);
      return deny(r, to, isForMachines(to) ? certificatesAlone : noBearers);
    }
    if (isShared && !canLookUp()) return deny(r, to, unread);
    const token = bearer(authorization);
    if (token === undefined) return answerDpop(r, to, method, authorization);
    const now = Date.now() / 1000;
    const known = bearers.recall(to, token, now);
    if (known !== undefined) {
      if (known.binding !== undefined) return answerBound(known, [r, to, method, now, token, 'Bearer']);
      const seen = views === undefined ? known : views.see(known, r.headersIn, now);
      if (again(r, to, method, seen, now, signer)) return;
      return answer(signer, r, to, method, seen, now);
    }
    return bearers.verify(to, token, now, answerNewcomer, [r, to, method, now, token, 'Bearer'] as Asked, r);
  }

  /** {@link answerBearer} for the scheme DPoP: whatever the token is bound to, there has to be a proof. */
  function answerDpop(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    authorization: string,
  ): void | Promise<void> {
    const token = prover.takesProofs ? dpop(authorization) : undefined;
    if (token === undefined) {
      return deny(r, to, authorization.startsWith(IN_QUERY) ? inQuery : refuse('credential_unsupported'));
    }
    const now = Date.now() / 1000;
    const asked: Asked = [r, to, method, now, token, 'DPoP'];
    const known = bearers.recall(to, token, now);
    return known === undefined ? bearers.verify(to, token, now, answerNewcomer, asked, r) : answerBound(known, asked);
  }

  /** Answers a request without a token. */
  function answerOther(r: NginxHTTPRequest, to: PreparedRoute, method: string): void | Promise<void> {
    const { headersIn } = r;
    const escaped = to.certificates ? headersIn['SSL-Client-Cert'] : undefined;
    if (escaped !== undefined) return answerCertificate(r, to, method, escaped);
    return door === undefined ? answerAnyone(r, to, method) : door.ask(r, to, method, headersIn.Cookie);
  }

  return (r) => {
    const to = route((r.uri as string).slice(CHECK.length));
    if (to === undefined) return deny(r, NOWHERE, { reason: 'route_unknown' });
    // Each read makes an object.
    const { headersIn } = r;
    const method = headersIn[TO_CHECK.method] as string;
    const authorization = headersIn.Authorization;
    // The first credential that is there decides.
    if (authorization !== undefined) return answerBearer(r, to, method, authorization);
    if (to.certificates) return answerOther(r, to, method);
    return door === undefined ? answerAnyone(r, to, method) : door.ask(r, to, method, headersIn.Cookie);
  };
}
