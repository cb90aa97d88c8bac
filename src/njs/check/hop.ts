import { agentCaller, agentOf, trustsCertificate } from '../../assertion/agent.ts';
import { type AssertionContext, verifyAssertion } from '../../assertion/verify.ts';
import { TO_CHECK } from '../../base/internal-headers.ts';
import { ok, type Result, refuse } from '../../base/reasons.ts';
import { assertionOf } from '../../caller/credential.ts';
import type { Caller } from '../../caller/types.ts';
import type { Table, TableHop } from '../../rules/types.ts';
import { claimsToRevoke, identifyingClaims, ofCaller, ofCertificate } from '../../session/revocation/revocation.ts';
import { readClientSvid } from '../../token/escaped-certificate.ts';
import { isJws } from '../../token/format.ts';
import type { ProviderKey } from '../../token/types.ts';
import { certificateReader } from '../callers/certificate-callers.ts';
import { TokenCache } from '../callers/tokens.ts';
import { emptyErrorQueue } from '../keys/openssl.ts';
import type { AssertionSigner } from '../keys/signer.ts';
import { counterName, increment } from '../shared/counts.ts';
import type { KnownCaller } from '../shared/known.ts';
import { usePseudonyms } from '../shared/pseudonyms.ts';
import { awaitRevocations, isKeptRevoked, isRevokedNow, revokedClaims } from '../shared/revocation-reader.ts';
import { answer } from './decision.ts';
import { deny, NOWHERE } from './refusal.ts';
import { type PreparedRoute, prepareRoutes } from './routes.ts';

/** Path of the internal location of the inner listener. The route's name follows it. */
const HOP = '/.meshgate/hop/';

const ASSERTION = counterName('verified', ['assertion']);

/** Makes the handler of nginx's `auth_request` on the inner listener. There, a service sends a request for the person
 * whose request it serves. It sends the assertion that it received and shows its own certificate, which nginx has
 * verified. No other credential is accepted. */
export function hopHandler(
  table: Table,
  hop: TableHop,
  signer: AssertionSigner,
): (r: NginxHTTPRequest) => Promise<void> {
  // On this listener only services show certificates. What the caller's own certificate proved is in the assertion.
  awaitRevocations(table);
  usePseudonyms(table.pseudonyms);
  const route = prepareRoutes(table, {});
  const svidOf = certificateReader((escaped) => {
    const read = readClientSvid(escaped);
    if (!read.ok) return read;
    const { spiffe, notBefore, thumbprint } = read.value;
    const revocable = { ...ofCertificate(spiffe), kids: [thumbprint], at: notBefore };
    return ok({ ...read.value, revocable });
  });
  // The cache keeps all claims of the caller that an assertion contains.
  const sends = { ...table.sends, name: true };
  const callers = new TokenCache({ selection: hop.selection, sends, claims: [] }, isJws);
  const context: AssertionContext = {
    issuer: table.assertion?.issuer ?? '',
    skew: table.clockSkew,
    imported: new Map(),
    onFailure: emptyErrorQueue,
  };

  /** Returns the properties by which the person in an assertion can be revoked, and the key that signed the assertion. */
  function revocable(
    caller: Pick<Caller, 'provider' | 'subject'>,
    key: string,
    at: number,
    keys: readonly ProviderKey[],
  ) {
    const { provider, subject } = caller;
    const of = identifyingClaims(table.providers, provider);
    const value = subject.slice(of?.subject.prefix.length ?? 0);
    // An assertion has no other claims, and an earlier policy may have read the subject from another one.
    const names = claimsToRevoke(of?.subject.claim ?? 'sub', revokedClaims()).map((claim) => [claim, value] as const);
    return {
      ...(of === undefined ? { names } : ofCaller(of, names)),
      kids: [key, keys.find(({ thumbprint }) => thumbprint === key)?.kid],
      at,
      skew: table.clockSkew,
    };
  }

  /** Returns the caller for a certificate and an assertion. It is remembered as long as the key is published. */
  async function callerOf(spiffe: string, assertion: string, now: number): Promise<Result<KnownCaller>> {
    const agent = agentOf(spiffe, hop.agents);
    if (!agent.ok) return agent;
    const keys = await signer.published(now);
    if (keys === undefined) return refuse('assertion_unavailable');
    const known = callers.get(spiffe, assertion, now);
    if (known !== undefined && keys.some(({ thumbprint }) => thumbprint === known.key)) {
      const isRevoked = isKeptRevoked(known, (it) => revocable(it.caller, it.key, Number(it.stamp), keys));
      return isRevoked ? refuse('revoked') : ok(known);
    }
    const asserted = await verifyAssertion(assertion, keys, now, context);
    if (!asserted.ok) return asserted;
    increment(ASSERTION);
    const { key, issuedAt } = asserted.value;
    if (isRevokedNow(() => revocable(asserted.value, key, issuedAt, keys))) return refuse('revoked');
    const caller = agentCaller(asserted.value, spiffe, agent.value);
    if (!caller.ok) return caller;
    const stamp = String(issuedAt);
    return ok(callers.put(spiffe, assertion, asserted.value, caller.value, now, table.tokenCache, stamp));
  }

  async function hopCaller(
    to: PreparedRoute,
    { headersIn }: NginxHTTPRequest,
    now: number,
  ): Promise<Result<KnownCaller>> {
    const svid = svidOf(headersIn['SSL-Client-Cert'] ?? '', now);
    if (!svid.ok) return svid;
    const assertion = assertionOf(headersIn);
    if (!assertion.ok) return assertion;
    const caller = await callerOf(svid.value.spiffe, assertion.value, now);
    if (!caller.ok) return caller;
    if (!trustsCertificate(caller.value.caller, to.realm, hop)) {
      const detail = 'the caller’s certificate is not from the CA with which this host verifies clients';
      return refuse('issuer_unknown', detail);
    }
    if (to.accepted.has(caller.value.provider)) return caller;
    return refuse('issuer_unknown', `this host accepts no caller of the provider ${caller.value.provider}`);
  }

  return async (r) => {
    const to = route((r.uri as string).slice(HOP.length));
    if (to === undefined) return deny(r, NOWHERE, { reason: 'route_unknown' });
    const now = Date.now() / 1000;
    const caller = await hopCaller(to, r, now);
    // A service gets no challenge, because it cannot send a token on this listener.
    if (!caller.ok) return deny(r, { name: to.name, realm: to.realm, metadata: '' }, caller);
    return answer(signer, r, to, r.headersIn[TO_CHECK.method] as string, caller.value, now);
  };
}
