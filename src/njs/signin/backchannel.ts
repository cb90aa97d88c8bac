import { composed } from '../../composed.ts';
import { FROM_HANDLER } from '../../internal-headers.ts';
import { type Result, refuse } from '../../reasons.ts';
import { parseParams, valuesOf } from '../../session/flow/query.ts';
import { sha256 } from '../../session/flow/random.ts';
import { issuerOf, verifyLogoutToken } from '../../session/logout-token.ts';
import { ending, revocation } from '../../session/new-revocation.ts';
import { audiencesOf } from '../../session/provider-token.ts';
import { ofProvider } from '../../session/revocation.ts';
import type { SigninProvider } from '../../session/signin-table.ts';
import type { Revocation } from '../../session/store.ts';
import { isIssuer } from '../../token/issuer.ts';
import type { Claims } from '../../token/types.ts';
import { refuseMethod } from './answer.ts';
import { callBack } from './end.ts';
import { withNewestKeys } from './exchange.ts';
import type { SigninScene } from './scene.ts';
import { hostOf, type Visit } from './visit.ts';

/** The one logout token of a form. */
function tokenOf(r: NginxHTTPRequest): string | undefined {
  const type = (r.headersIn['Content-Type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return undefined;
  const [token, ...more] = valuesOf(parseParams(r.requestText ?? '') ?? [], 'logout_token');
  return more.length === 0 ? token : undefined;
}

/** The providers of a host with this issuer; on the sign-in host, those of all hosts. */
function providersOf({ signin }: SigninScene, host: string, issuer: unknown): readonly SigninProvider[] {
  const names = host === signin.signinHost ? Object.keys(signin.providers) : (hostOf(signin, host)?.providers ?? []);
  return names.flatMap((name) => {
    const provider = signin.providers[name];
    return provider !== undefined && isIssuer(provider, issuer) ? [provider] : [];
  });
}

/** The providers that a verified token is for. */
const addressed = (providers: readonly SigninProvider[], claims: Claims): readonly SigninProvider[] =>
  providers.filter(({ client }) => audiencesOf(claims).includes(client.id));

/** The claims of a logout token that one of some providers verifies, or why the first one does not. */
async function verifiedBy(
  scene: SigninScene,
  [first, ...others]: readonly SigninProvider[],
  token: string,
  now: number,
): Promise<Result<Claims>> {
  if (first === undefined) return refuse('issuer_unknown', 'its issuer is no provider of this host');
  const verified = await withNewestKeys(scene, first, token, now, (context) =>
    verifyLogoutToken(token, context, Date.now() / 1000),
  );
  if (verified.ok || others.length === 0) return verified;
  // The token may be for another client of the same issuer.
  const next = await verifiedBy(scene, others, token, now);
  return next.ok ? next : verified;
}

/** The revocation for a logout token: of the provider's session, or if it names none, of all sessions that the person
 * began until then. */
function calledBack({ sid, sub, iat }: Claims, provider: string, now: number, absolute: number): Revocation {
  if (typeof sid === 'string') {
    if (typeof sub !== 'string') return revocation('psid', ofProvider(provider, sid), now, absolute);
    return ending({ provider, subject: sub, psid: sid, kids: [], at: 0 }, now, absolute);
  }
  const one = revocation('sub', ofProvider(provider, String(sub)), now, absolute);
  // If the provider's clock is ahead, only sessions that began here until now.
  return { ...one, before: Math.min(one.before, Math.floor(iat as number) + 1) };
}

async function take(scene: SigninScene, { r, host, now }: Visit): Promise<Result<void>> {
  const token = tokenOf(r);
  if (token === undefined) return refuse('token_malformed', 'a form with one "logout_token" is required');
  const providers = providersOf(scene, host, issuerOf(token));
  const verified = await verifiedBy(scene, providers, token, now);
  if (!verified.ok) return verified;
  const claims = verified.value;
  const meant = addressed(providers, claims);
  // Revoke first, which may be repeated: a token that was recorded without being executed would be lost.
  const { absolute } = scene.signin.session;
  await callBack(
    scene,
    meant.map(({ name }) => calledBack(claims, name, now, absolute)),
  );
  const left = (claims.exp as number) - now + scene.table.clockSkew;
  const isFirst = await scene.store.once(
    composed('logout', sha256(composed(String(meant[0]?.name), String(claims.jti)))),
    Math.max(1, left),
  );
  return isFirst
    ? { ok: true, value: undefined }
    : refuse('token_expired', 'it was used before, and is valid only once');
}

function answer(r: NginxHTTPRequest, status: 200 | 400, body: string): void {
  r.headersOut['Cache-Control'] = 'no-store';
  r.headersOut['Content-Type'] = 'application/json';
  r.headersOut['X-Content-Type-Options'] = 'nosniff';
  r.return(status, body);
}

/** `/.meshgate/backchannel`: the provider says who has signed out (OpenID Connect Back-Channel Logout 1.0). 200 when
 * the revocation is in force on this replica; the others follow within two seconds. 400 with a reason for anything
 * else. */
export async function backchannel(scene: SigninScene, visit: Visit): Promise<void> {
  const { r } = visit;
  if (r.method !== 'POST') {
    refuseMethod(visit, 'POST');
    return;
  }
  let taken: Result<void>;
  try {
    taken = await take(scene, visit);
  } catch (error) {
    ngx.log(ngx.ERR, `meshgate: back-channel sign-out: ${(error as Error).message}`);
    answer(r, 400, JSON.stringify({ error: 'logout_failed' }));
    return;
  }
  if (taken.ok) {
    answer(r, 200, '');
    return;
  }
  const { reason, detail = '' } = taken;
  ngx.log(ngx.WARN, `meshgate: back-channel sign-out refused: ${reason}: ${detail}`);
  r.headersOut[FROM_HANDLER.reason] = reason;
  answer(r, 400, JSON.stringify({ error: 'invalid_request', error_description: `${reason}: ${detail}` }));
}
