import { ownOf } from '../../base/own.ts';
import { isOver, type Wish } from '../../session/flow/attempt.ts';
import { type ChoiceInput, chooseProvider } from '../../session/flow/choose.ts';
import { readErrand } from '../../session/flow/errand.ts';
import { readSigninRequest } from '../../session/flow/signin-request.ts';
import type { SigninHost, SigninProvider } from '../../session/signin-table.ts';
import { isOwnForm } from '../../session/signout-request.ts';
import { httpsOrigin } from '../../session/urls.ts';
import { begin } from './begin.ts';
import { challenge, refuseMethod, refuseWith } from './browser-answer.ts';
import type { SigninContext } from './signin-context.ts';
import { isRequestedFor, type Visit, visitedHost } from './visit.ts';

/** Returns a mode as the URL contains it. */
const modeOf = ({ mode, role }: Wish): string =>
  role === undefined ? mode : `${mode}&role=${encodeURIComponent(role)}`;

const providersOf = ({ signin }: SigninContext, { providers }: SigninHost): readonly SigninProvider[] =>
  providers.map((name) => ownOf(signin.providers, name)).filter((provider) => provider !== undefined);

function chooser(
  { pages }: SigninContext,
  visit: Visit,
  wish: Wish,
  { choose: providers, unknown }: { readonly choose: readonly SigninProvider[]; readonly unknown: boolean },
): void {
  const { r, host, requestId } = visit;
  pages.answer(r, 200, {
    kind: 'choose',
    host,
    requestId,
    unknown,
    choices: providers.map(({ name, signin }) => ({ name, label: signin.label })),
    email: providers.some(({ signin }) => signin.domains.length > 0),
    mode: modeOf(wish),
    issuers: providers.map(({ issuer }) => issuer),
    to: wish.to,
  });
}

async function here(context: SigninContext, visit: Visit, wish: Wish, reported: ChoiceInput): Promise<void> {
  const host = visitedHost(context.signin, visit.host);
  const providers = host === undefined ? [] : providersOf(context, host);
  if (providers.length === 0) return refuseWith(context.pages, visit, 'attempt_unknown');
  // A new sign-in ignores the existing session: another person may want to sign in. Otherwise its provider stays.
  const session =
    wish.mode === 'in' ? undefined : await context.keyring.sessionOf(visit.host, visit.cookies, visit.now);
  const chosen = chooseProvider(providers, {
    ...reported,
    ...(session !== undefined && { current: session.provider }),
  });
  if ('choose' in chosen) chooser(context, visit, wish, chosen);
  else await begin(context, visit, { wish, ...chosen });
}

/** Whether the person in front of the browser has confirmed the sign-in to a wildcard host. If not, the page asks.
 * Without this question, the owner of one name below the wildcard could make any person complete a sign-in, and would
 * receive the session for that name. */
function isConfirmed(
  { signin, pages }: SigninContext,
  visit: Visit,
  { request, host, issuer }: { readonly request: string; readonly host: string; readonly issuer: string },
): boolean {
  const { r, requestId } = visit;
  if (r.method !== 'POST') {
    pages.answer(r, 200, { kind: 'confirm', host, requestId, issuers: [issuer], request });
    return false;
  }
  const sender = { origin: r.headersIn.Origin, site: r.headersIn['Sec-Fetch-Site'] };
  if (sender.origin !== undefined && isOwnForm(sender, httpsOrigin(visit.host, signin.publicPort))) return true;
  refuseWith(pages, visit, 'origin_refused');
  return false;
}

/** Signs a person in for another host, which sealed the request. */
async function forAnother(context: SigninContext, visit: Visit, request: string): Promise<void> {
  const { signin, keyring, pages } = context;
  const { host, now } = visit;
  const plain = signin.signinHost === host ? await keyring.openFor('state', host, request, now) : undefined;
  const wanted = plain === undefined ? undefined : readErrand(plain);
  const target = wanted === undefined ? undefined : visitedHost(signin, wanted.errand.host);
  const provider = target && providersOf(context, target).find(({ name }) => name === wanted?.provider);
  if (wanted === undefined || provider === undefined || isOver(wanted, now, context.table.clockSkew))
    return refuseWith(pages, visit, 'attempt_unknown');
  const { wish, errand, hint } = wanted;
  const endpointHeaders = isRequestedFor(signin, errand.host);
  if (endpointHeaders && !isConfirmed(context, visit, { request, host: errand.host, issuer: provider.issuer })) return;
  await begin(context, visit, {
    wish,
    provider,
    errand,
    confirmed: endpointHeaders,
    ...(hint !== undefined && { hint }),
  });
}

/** `/.meshgate/signin`: begins a sign-in for a person in a browser. A program, or a prefetching browser, gets 401.
 * @throws Error with one line for the log if nothing can be sealed */
export async function serveSignin(context: SigninContext, visit: Visit): Promise<void> {
  const endpointHeaders = readSigninRequest(visit.query);
  // This is the form of the page that asks for confirmation.
  const isAnswer =
    visit.r.method === 'POST' && 'request' in endpointHeaders && visit.host === context.signin.signinHost;
  if (visit.r.method !== 'GET' && !isAnswer) return refuseMethod(visit, 'GET');
  if (!visit.isPage && !isAnswer) return challenge(visit);
  if ('request' in endpointHeaders) await forAnother(context, visit, endpointHeaders.request);
  else await here(context, visit, endpointHeaders.wish, endpointHeaders.reported);
}
