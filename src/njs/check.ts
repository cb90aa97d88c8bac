import { type Result, refuse } from '../reasons.ts';
import { IN_QUERY } from '../rules/challenge.ts';
import { decide } from '../rules/decide.ts';
import type { Table } from '../rules/types.ts';
import { again } from './answer.ts';
import { type Bearers, bearer } from './bearers.ts';
import { answer, answerNobody } from './decision.ts';
import type { KnownCaller } from './known.ts';
import { prove } from './prove.ts';
import { deny, NOWHERE } from './refusal.ts';
import { type PreparedRoute, routesOf } from './routes.ts';
import { SessionDoor } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { Signer } from './signer.ts';

/** Path of the internal location, before the route's name. */
const CHECK = '/.meshgate/check/';

const inQuery = refuse(
  'credential_unsupported',
  'the URL has an access_token, and URLs stay in logs: send it as Authorization: Bearer TOKEN',
);

const noBearers = refuse('credential_unsupported', 'this route takes no tokens: sign in with a browser');

/**
 * Makes the handler that answers nginx's `auth_request`.
 * A known token or session is answered synchronously: it costs one context and no promise.
 *
 * @param sessions where the policy has them
 * @param signer signs for callers, where the policy has an assertion; nobody's requests have none
 */
export function checkHandler(
  table: Table,
  bearers: Bearers,
  sessions?: Sessions,
  signer?: Signer,
): (r: NginxHTTPRequest) => void | Promise<void> {
  const route = routesOf(table);
  const door = sessions === undefined ? undefined : new SessionDoor(sessions, signer);

  /** Decides where nobody says who asks. */
  function answerAnyone(r: NginxHTTPRequest, to: PreparedRoute, method: string): void {
    const decision = decide(to.rules, null, { route: to.name, method });
    if (decision.allow) answerNobody(r, to, decision.rule);
    else deny(r, to, decision, { nearest: decision.nearest });
  }

  /** A request with a token. */
  type Asked = readonly [r: NginxHTTPRequest, to: PreparedRoute, method: string, now: number, token: string];

  function answerNewcomer(caller: Result<KnownCaller>, asked: Asked): void | Promise<void> {
    if (!caller.ok) return deny(asked[0], asked[1], caller);
    if (caller.value.binding !== undefined) return answerBound(caller.value, asked);
    return answer(signer, asked[0], asked[1], asked[2], caller.value, asked[3]);
  }

  /** Answers who comes with a bound token, once they have proved that it is theirs. */
  function answerBound(known: KnownCaller, [r, to, method, now, token]: Asked): void | Promise<void> {
    const proved = prove({ r, realm: to.realm, method, token, scheme: 'Bearer', now }, known);
    if (!proved.ok) return deny(r, to, proved, { known });
    if (again(r, to, method, known, now, signer)) return;
    return answer(signer, r, to, method, known, now);
  }

  function answerBearer(
    r: NginxHTTPRequest,
    to: PreparedRoute,
    method: string,
    authorization: string,
  ): void | Promise<void> {
    if (!to.bearers) {
      // No token of ours: what a service calls so is its own matter, and the session decides.
      if (authorization === IN_QUERY && door !== undefined) return door.ask(r, to, method, r.headersIn.Cookie);
      return deny(r, to, noBearers);
    }
    const token = bearer(authorization);
    if (token === undefined) {
      const told = authorization.startsWith(IN_QUERY) ? inQuery : refuse('credential_unsupported');
      return deny(r, to, told);
    }
    const now = Date.now() / 1000;
    const known = bearers.recall(to, token, now);
    if (known !== undefined) {
      if (known.binding !== undefined) return answerBound(known, [r, to, method, now, token]);
      if (again(r, to, method, known, now, signer)) return;
      return answer(signer, r, to, method, known, now);
    }
    const asked: Asked = [r, to, method, now, token];
    return bearers.verify(to, token, now, answerNewcomer, asked);
  }

  return (r) => {
    const to = route((r.uri as string).slice(CHECK.length));
    if (to === undefined) return deny(r, NOWHERE, { reason: 'route_unknown' });
    // Each read makes an object.
    const { headersIn } = r;
    const method = headersIn['X-Meshgate-Method'] as string;
    const authorization = headersIn.Authorization;
    // The first credential that is there decides.
    if (authorization !== undefined) return answerBearer(r, to, method, authorization);
    return door === undefined ? answerAnyone(r, to, method) : door.ask(r, to, method, headersIn.Cookie);
  };
}
