import { TO_RENEWAL } from '../../../base/internal-headers.ts';
import { readClaims } from '../../../session/cookie-claims.ts';
import { RENEWED } from '../../../session/names.ts';
import { signinProvider } from '../../../session/signin-table.ts';
import type { SessionClaims } from '../../../session/types.ts';
import { isIssuer } from '../../../token/issuer.ts';
import { counterName, increment } from '../../shared/counts.ts';
import { respond } from '../../shared/problem.ts';
import { endOne } from '../out/end.ts';
import type { SigninContext } from '../signin-context.ts';
import { refresh } from './refresh.ts';
import { Renewals } from './renewal.ts';

/** Milliseconds between two reads of the store by a waiting request: of shared memory, and of etcd by a call. */
const LOOK_MS = 50;
const LOOK_ETCD_MS = 200;

const answer = (r: NginxHTTPRequest, status: number, text = ''): void => respond(r, status, text, 'a renewal');

/** Answers with the cookie of a session. A session that no longer fits into a cookie ends. */
async function answerSession({ keyring }: SigninContext, r: NginxHTTPRequest, host: string, session: SessionClaims) {
  const text = await keyring.sealSession(host, session, Date.now() / 1000);
  if (text !== undefined) return answer(r, RENEWED.renewed, text);
  ngx.log(ngx.WARN, 'meshgate: claim_absent: the claims that the policy reads no longer fit into a cookie');
  return answer(r, RENEWED.ended);
}

/** Makes the handler of `/.meshgate/renew`, which only the check calls. See {@link RENEWED}. */
export function renewHandler(context: SigninContext): (r: NginxHTTPRequest) => Promise<void> {
  const { table, signin, store, keyring } = context;
  const renewals = new Renewals({
    store,
    longest: context.longest * 1000,
    look: signin.store === undefined ? LOOK_MS : LOOK_ETCD_MS,
    choose: (claims, provider) => keyring.chosen(claims, provider),
    refresh: async (record) => {
      const refreshed = await refresh(context, record);
      increment(counterName('refresh', [record.session.provider, refreshed.kind]));
      return refreshed;
    },
    isRevoked: (session, claims) => keyring.isRevoked(session, claims),
    knows: (session, { iss } = {}) => {
      const provider = signinProvider(signin, session);
      return provider !== undefined && (iss === undefined || isIssuer(provider, iss));
    },
    end: async (session) => {
      try {
        // Only this session ends. Sessions of other hosts have their own refresh tokens.
        await endOne(context, session, Date.now() / 1000);
      } catch (error) {
        ngx.log(ngx.ERR, `meshgate: a session that its provider ended is not revoked: ${(error as Error).message}`);
      }
    },
    policy: signin.session,
    skew: table.clockSkew,
    selection: table.selection,
  });
  return async (r) => {
    const { headersIn } = r;
    const host = headersIn[TO_RENEWAL.host] ?? '';
    const wait = headersIn[TO_RENEWAL.wait] === '1';
    try {
      const plain = await keyring.openFor('session', host, headersIn[TO_RENEWAL.session] ?? '', Date.now() / 1000);
      const cookie = plain === undefined ? undefined : readClaims(plain);
      if (cookie === undefined) return answer(r, RENEWED.alone);
      const renewal = await renewals.renew(cookie, host, wait);
      if (renewal.kind === 'session') await answerSession(context, r, host, renewal.session);
      else answer(r, RENEWED[renewal.kind]);
      // The check has its answer. Its connection is closed, so no later call waits for the provider.
      if (renewal.kind === 'going') await renewal.go?.();
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: a session is not renewed: ${(error as Error).message}`);
      answer(r, RENEWED.alone);
    }
  };
}
