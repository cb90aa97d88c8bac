import { composed } from '../../base/composed-key.ts';
import { type Attempt, type Errand, newAttempt, type Wish } from '../../session/flow/attempt.ts';
import { attemptCookie } from '../../session/flow/attempt-cookies.ts';
import { authorizationParams, isPushed, signinRequirements } from '../../session/flow/authorize.ts';
import type { SigninErrand } from '../../session/flow/errand.ts';
import { type Params, withQuery } from '../../session/flow/query.ts';
import { readPushed } from '../../session/flow/token-answer.ts';
import { PUSHED_PEOPLE, PUSHES_MS } from '../../session/limits.ts';
import type { SigninProvider } from '../../session/signin-table.ts';
import { redirectUri, requestUrl } from '../../session/urls.ts';
import { locksDict } from '../shared/dicts.ts';
import { redirect, refuseWith } from './browser-answer.ts';
import { addPerson } from './people.ts';
import type { AtProvider } from './provider.ts';
import type { SigninContext } from './signin-context.ts';
import { callbackAt, isRequestedFor, type Visit } from './visit.ts';

interface Beginning {
  readonly wish: Wish;
  readonly provider: SigninProvider;
  /** The person who is expected to sign in (`login_hint`). */
  readonly hint?: string;
  /** On the sign-in host: the attempt of the other host. */
  readonly errand?: Errand;
  /** Whether the person in this browser has confirmed the sign-in to the other host. If not, they may be asked. */
  readonly confirmed?: boolean;
  /** Further `Set-Cookie` values for the response. */
  readonly cookies?: readonly string[];
}

/** The host that opens a sealed state, and the time. */
type Host = Pick<Visit, 'host' | 'now'>;

/** Seals a state. If the address of the page is too long, the sign-in returns to `/` instead. */
async function sealed<T>({ keyring }: SigninContext, { host, now }: Host, state: T, atRoot: T): Promise<string> {
  const seal = (it: T) => keyring.sealFor('state', host, JSON.stringify(it), now);
  const text = (await seal(state)) ?? (await seal(atRoot));
  if (text === undefined) throw new Error('a state is too long');
  return text;
}

/** Returns the provider's URL with a reference to a request, which is pushed first (RFC 9126 section 4). */
async function pushed({ client }: SigninContext, at: AtProvider, params: Params, now: number): Promise<string> {
  const { provider, metadata } = at;
  // Every client authentication except client_secret_basic adds the client id to the form itself.
  const others = params.filter(([name]) => name !== 'client_id');
  const id = ['client_id', provider.client.id] as const;
  const named = provider.client.auth.kind === 'client_secret_basic' ? [...others, id] : others;
  const { status, text, secrets } = await client.call(at, 'par', named, now);
  const answer = readPushed(status, text, secrets);
  if ('error' in answer) throw new Error(answer.error);
  return withQuery(metadata.authorization, [id, ['request_uri', answer.requestUri]]);
}

type Named = Pick<SigninProvider, 'name' | 'issuer'>;

/** A provider may require it of one client and not of another. */
const pushes = ({ name, issuer }: Named): string => composed('pushes', name, issuer);

/** Whether a provider has shown that it accepts only pushed requests. */
const requiresPush = (provider: Named): boolean => locksDict().has(pushes(provider));

/** Returns the name of the set of people who signed in with a pushed request after an error of the provider. */
const pushedPeople = ({ name, issuer }: Named): string => composed('pushed', name, issuer);

/** Remembers that a provider refused a request that was not pushed, and answered the pushed one with a code. Only then:
 * anyone can open the callback with an error, but not with the code of a pushed request. One person can do so at will,
 * so several in a row count. */
export function rememberPush(provider: Named, person: string): void {
  if (requiresPush(provider) || addPerson(pushedPeople(provider), person, PUSHES_MS) < PUSHED_PEOPLE) return;
  locksDict().delete(pushedPeople(provider));
  locksDict().set(pushes(provider), 1, PUSHES_MS);
  ngx.log(
    ngx.WARN,
    `meshgate: provider ${provider.name} accepts only pushed requests (RFC 9126), so the gateway pushes them; write signin: { par: true } to spare some redirects each hour`,
  );
}

/** Forgets this if the provider has answered a request that was not pushed. */
export const forgetPush = (provider: Named): void => {
  locksDict().delete(pushedPeople(provider));
};

async function toProvider(context: SigninContext, visit: Visit, beginning: Beginning): Promise<void> {
  const { host, now } = visit;
  const { wish, provider, hint, errand, cookies = [] } = beginning;
  const { signin, pages } = context;
  const metadata = await context.metadata.of(provider, now);
  if (metadata === undefined) return refuseWith(pages, visit, 'provider_unavailable', { retry: wish.to, cookies });
  const learned = wish.pushed === true || requiresPush(provider);
  const push = isPushed(provider, metadata, learned);
  const made = newAttempt(wish, provider, now, errand);
  const attempt: Attempt = { ...made.attempt, ...(push && { pushed: true }) };
  const state = await sealed<Attempt>(context, visit, attempt, { ...attempt, to: '/' });
  const endpointHeaders = signinRequirements(attempt, provider, signin.stepUps);
  const uri = redirectUri(host, signin.publicPort, callbackAt(signin, host, provider.name));
  const sent = { redirect: uri, state, ...(hint !== undefined && { hint }) };
  const params = authorizationParams(attempt, provider, endpointHeaders, sent);
  let address: string;
  try {
    address = push
      ? await pushed(context, { provider, metadata }, params, now)
      : withQuery(metadata.authorization, params);
  } catch (error) {
    ngx.log(ngx.ERR, `meshgate: sign-in through ${provider.name}: ${(error as Error).message}`);
    return refuseWith(pages, visit, 'provider_unavailable', { retry: wish.to, cookies });
  }
  redirect(visit, address, [attemptCookie(made.cookie), ...cookies]);
}

/** What begins for another host. */
type ForHost = Beginning & { readonly errand: Errand };

/** Redirects the browser to the sign-in host, with a sealed request that only this gateway can make. */
async function request(context: SigninContext, visit: Visit, signinHost: string, forHost: ForHost): Promise<void> {
  const { now } = visit;
  const { wish, provider, hint, errand, cookies = [] } = forHost;
  const of = { wish, errand, provider: provider.name, ...(hint !== undefined && { hint }), at: Math.floor(now) };
  const text = await sealed<SigninErrand>(context, { host: signinHost, now }, of, {
    ...of,
    wish: { ...wish, to: '/' },
  });
  redirect(visit, requestUrl(signinHost, context.signin.publicPort, text), cookies);
}

/** Redirects the browser to the sign-in host, where the attempt of this host is completed. */
function toSigninHost(context: SigninContext, visit: Visit, signinHost: string, beginning: Beginning): Promise<void> {
  const { wish, provider, cookies = [] } = beginning;
  const { attempt, cookie } = newAttempt(wish, provider, visit.now);
  const errand: Errand = { host: visit.host, id: attempt.id, binding: attempt.binding };
  return request(context, visit, signinHost, { ...beginning, errand, cookies: [attemptCookie(cookie), ...cookies] });
}

/** Begins an attempt: binds it to the browser with a cookie, and redirects to the provider or to the sign-in host. All
 * sign-ins pass here, so that a person is always asked before the sign-in to a wildcard host.
 * @throws Error with one line for the log if nothing can be sealed */
export function begin(context: SigninContext, visit: Visit, beginning: Beginning): Promise<void> {
  const { signinHost } = context.signin;
  if (signinHost === undefined) return toProvider(context, visit, beginning);
  if (signinHost !== visit.host) return toSigninHost(context, visit, signinHost, beginning);
  const { errand, confirmed } = beginning;
  return errand !== undefined && confirmed !== true && isRequestedFor(context.signin, errand.host)
    ? request(context, visit, signinHost, { ...beginning, errand })
    : toProvider(context, visit, beginning);
}
