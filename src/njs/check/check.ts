import { claimAt } from '../../base/claim-at.ts';
import { FROM_CHECK, TO_CHECK } from '../../base/internal-headers.ts';
import { ownOf } from '../../base/own.ts';
import { type Refusal, refuse } from '../../base/reasons.ts';
import { takeCredential } from '../../caller/credential.ts';
import { isAmbientScheme, passingOf } from '../../caller/service-credential.ts';
import { CLAIMS } from '../../session/cookie-claims.ts';
import { listedOf } from '../callers/sessions.ts';
import type { KnownCaller } from '../shared/known.ts';
import { awaitRevocations, canLookUp } from '../shared/revocation-reader.ts';
import { answerAnonymous } from './anonymous.ts';
import { replayCached, withoutSpaces } from './answer.ts';
import { callersOf } from './callers.ts';
import { answer } from './decision.ts';
import type { CheckParts } from './gateway.ts';
import { type Answered, type CheckHandlers, isForeign } from './handlers.ts';
import { deny, NOWHERE } from './refusal.ts';
import { type PreparedRoute, prepareRoutes } from './routes.ts';

/** Adds to a refusal which claim the session lacks for a role, if the policy has help for this case. */
function withHelp(refusal: Refusal, { help }: PreparedRoute, { provider, says }: KnownCaller): Refusal {
  if (refusal.reason !== 'role_missing' || help === undefined || says === undefined) return refusal;
  const claims = listedOf(says)[CLAIMS];
  const lacking = ownOf(help, provider)?.find(([claim]) => claimAt(claims, claim) === undefined);
  if (lacking === undefined) return refusal;
  const [claim, what] = lacking;
  const detail = `You are signed in, but none of your roles may do this here. Your sign-in returned no "${claim}", which roles here require. If you should have one, tell the owner of the route: ${what}`;
  return { ...refusal, detail };
}

/** Path of the internal location of the check. The route's name follows it. */
const CHECK = '/.meshgate/check/';

/** Makes the handler of nginx's `auth_request`. For a known token or session it answers without a promise. */
export function checkHandler(gateway: CheckParts): (r: NginxHTTPRequest) => Answered {
  const { table, bearers, keys, sessions, signer, views } = gateway;
  const route = prepareRoutes(table, undefined, passingOf);
  const handlers: CheckHandlers<PreparedRoute> = {
    fresh: false,
    renews: true,
    nonceHeader: FROM_CHECK.dpopNonce,
    withCaller(r, to, method, known, now, last) {
      const seen = views === undefined ? known : views.see(known, r.headersIn, now);
      if (seen.ready !== undefined && replayCached(r, to, method, seen, now, signer, last)) return;
      return answer(signer, r, to, method, seen, now, withHelp, last);
    },
    absent: (r, to, method, reason, expire, mode) => answerAnonymous(gateway, r, to, method, reason, expire, mode),
    refuse: deny,
  };
  const callers = callersOf(gateway, handlers);
  const { tokens } = bearers;
  const isShared = awaitRevocations(table);

  /** The routes by the whole path of the check. */
  const places = new Map<string, PreparedRoute>();
  const placeAt = (uri: string): PreparedRoute | undefined => {
    const to = route(uri.slice(CHECK.length));
    if (to !== undefined) places.set(uri, to);
    return to;
  };

  return (r) => {
    const uri = r.uri as string;
    const to = places.get(uri) ?? placeAt(uri);
    if (to === undefined) return deny(r, NOWHERE, { reason: 'route_unknown' });
    // Each access to headersIn makes a new object, so it is read once.
    const { headersIn } = r;
    const method = headersIn[TO_CHECK.method] as string;
    // The body is the client's `Authorization` and, if the policy has sessions, a second line: the gateway's cookies.
    let sent = r.requestText;
    let cookies: string | undefined;
    if (sessions && sent) {
      const end = sent[0] === '\n' ? 0 : sent.lastIndexOf('\n');
      if (end >= 0) {
        cookies = sent.slice(end + 1);
        sent = sent.slice(0, end);
      }
    }
    // A known token usually takes the short way: the steps of `callers.token` with fewer calls.
    if (sent && to.bearers && to.passing === undefined && (!isShared || canLookUp())) {
      const now = Date.now() / 1000;
      const known = tokens.near(to.scope, sent, now);
      if (known !== undefined && to.accepted.has(known.provider) && keys.isStillVerified(known, now)) {
        return handlers.withCaller(r, to, method, known, now);
      }
    }
    const authorization = sent ? withoutSpaces(sent) : undefined;
    if (to.passing !== undefined && authorization !== undefined && isForeign(r, to, to.origins)) {
      // A browser adds what it has cached for the service, whichever page sends the request.
      if (isAmbientScheme(to.passing, authorization)) return deny(r, to, refuse('origin_refused'));
    }
    if (cookies?.[cookies.length - 1] === ' ') cookies = withoutSpaces(cookies);
    return takeCredential(callers, headersIn, r, to, method, authorization, cookies || undefined);
  };
}
