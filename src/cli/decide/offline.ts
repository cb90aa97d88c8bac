import { claimAt } from '../../base/claim-at.ts';
import { TO_CHECK } from '../../base/internal-headers.ts';
import { ok, type Result, refuse } from '../../base/reasons.ts';
import { tokenCaller, toPerson } from '../../caller/caller.ts';
import { type Accepting, acceptingOf, takeCredential, type Ways } from '../../caller/credential.ts';
import { ANONYMOUS_CALLER } from '../../caller/reserved.ts';
import { factContext } from '../../caller/roles/roles.ts';
import type { TokenContext } from '../../caller/roles/truth.ts';
import { inView, requestRoles } from '../../caller/roles/views.ts';
import { type Passing, passingOf, policyIssuers } from '../../caller/service-credential.ts';
import type { Caller } from '../../caller/types.ts';
import type { Host, Policy, Provider, RequestOrigin, Route } from '../../policy/checked/types.ts';
import { issuerHelp, providerKind, providerKinds } from '../../providers/index.ts';
import { toTable } from '../../rules/table/table.ts';
import type { Table } from '../../rules/types.ts';
import { keep } from '../../session/cookie-claims.ts';
import { withBinding } from '../../token/binding.ts';
import { checkClaims } from '../../token/claims.ts';
import { quoted, quotedList } from '../../token/detail.ts';
import { type JoseHeader, parseClaims, parseHeader, splitJws } from '../../token/format.ts';
import { checkIntrospected, providerToIntrospect } from '../../token/introspection.ts';
import { tokenProvider } from '../../token/issuer.ts';
import { type Claims, forResource, type TokenProvider, type Verified } from '../../token/types.ts';
import { holderOf, requestView } from '../common/words.ts';

/** A caller according to the claims of a token, and the input with which its roles were evaluated. */
export interface ClaimedCaller {
  readonly caller: Caller;
  readonly facts: TokenContext;
}

/** The credentials of a request, as the user describes them. */
export interface Reported extends RequestOrigin {
  /** Checks the token of the request; absent: the request has no token. */
  readonly token?: () => Result<ClaimedCaller>;
  /** The text of this token, if the route may read it as a credential of its service. */
  readonly text?: string;
  /** An `Authorization` header for the service. */
  readonly authorization?: string;
  /** Checks the session of the request, or returns undefined if the gateway ignores it; absent: there is no session. */
  readonly session?: () => Result<ClaimedCaller> | undefined;
}

/** Stands for the text of a token for the gateway: it has the form of a JWT. */
const OWN_TOKEN = 'e30.e30.e30';

type Place = { readonly host: Pick<Host, 'providers'>; readonly route: Route };

/** Checks a token for the named providers. The audiences of a route replace those of the provider. */
export type CallerFor = (providers: readonly string[], audiences?: readonly string[]) => Result<ClaimedCaller>;

/** Returns the claims that every token of the provider has, so that a test need not list them. */
function usualClaims(
  { kind, issuer, issuers, trustDomain }: Provider,
  audiences: readonly string[],
  now: number,
): Claims {
  const { says } = providerKind(kind) ?? {};
  const iss = issuers?.[0] ?? issuer;
  return {
    iss,
    aud: [...audiences],
    exp: now + 3600,
    ...(trustDomain !== undefined && { sub: `spiffe://${trustDomain}/test` }),
    ...(says && { [says.claim]: says.is }),
  };
}

/** Decides about callers without a running gateway, by the policy and a given time. Parameters of its functions:
 * @param providers names of the providers that are accepted
 * @param own audiences of the route, which replace the provider's audiences */
export class Offline {
  readonly policy: Policy;
  readonly now: number;
  readonly #table: Table;

  /** @param now seconds since the epoch */
  constructor(policy: Policy, now: number) {
    this.policy = policy;
    this.now = now;
    this.#table = toTable(policy, [], { egress: '' });
  }

  /** Returns the caller of a token. It makes all checks in the gateway's order, except that of the signature. */
  ofToken(
    text: string,
    providers: readonly string[],
    audiences?: readonly string[],
    from: RequestOrigin = {},
  ): Result<ClaimedCaller> {
    const jws = splitJws(text);
    if (!jws.ok) return this.#onlyAsked(text, providers) ?? jws;
    const header = parseHeader(jws.header);
    if (!header.ok) return header;
    const claims = parseClaims(jws.payload);
    if (claims === undefined) return refuse('token_malformed', 'the payload is not a claims set');
    return this.#callerFor(header.value, claims, providers, audiences, from);
  }

  #providers(names: readonly string[], own?: readonly string[]): readonly TokenProvider[] {
    const all = names.flatMap((name) => this.#table.providers[name] ?? []);
    return own === undefined ? all : all.map((it) => forResource(it, own));
  }

  /** Returns the provider that issued a token, by its claims.
   * @param providers names of providers to try first, before the others of the policy */
  issuerOf(claims: Claims, providers: readonly string[]): string | undefined {
    const all = [...providers, ...Object.keys(this.policy.providers)];
    return tokenProvider(claims, this.#providers(all))?.name;
  }

  /** Returns the provider that must be asked about a token (RFC 7662) before the token is accepted. */
  knownBy(text: string, providers: readonly string[]): string | undefined {
    return providerToIntrospect(text, this.#providers(providers))?.name;
  }

  #onlyAsked(text: string, providers: readonly string[]): ReturnType<typeof refuse> | undefined {
    const requested = this.knownBy(text, providers);
    if (requested === undefined) return undefined;
    const detail = `only provider ${requested} can read this token, and was not asked; meshgate token --online asks`;
    return refuse('provider_unavailable', detail);
  }

  /** Returns the caller of a token that the provider has called active. `claims` is the provider's answer. */
  ofIntrospected(name: string, claims: Claims, own?: readonly string[]): Result<ClaimedCaller> {
    const [provider] = this.#providers([name], own);
    if (provider === undefined) throw new Error(`the policy has no provider ${name}`);
    const until = this.now + (provider.introspection?.cache ?? 0);
    const verified = checkIntrospected(claims, provider, { now: this.now, skew: this.#table.clockSkew, until });
    if (!verified.ok) return verified;
    return this.#metToken(verified.value, {});
  }

  /** Checks a token without a route. It tries the audiences of the providers first, then those of each route.
   * @returns the caller; if no route accepts the token, the reason why the providers reject it */
  anywhere(callerFor: CallerFor): Result<ClaimedCaller> {
    const usual = callerFor(Object.keys(this.policy.providers));
    if (usual.ok || usual.reason !== 'audience_mismatch') return usual;
    for (const { providers, routes } of this.policy.hosts) {
      for (const { audiences } of routes) {
        const own = audiences && callerFor(providers, audiences);
        if (own?.ok) return own;
      }
    }
    return usual;
  }

  /** Returns the caller of a policy test with claims. Claims that the test leaves out get valid values. */
  ofClaims(
    name: string,
    given: Claims,
    providers: readonly string[],
    own?: readonly string[],
    from: RequestOrigin = {},
  ): Result<ClaimedCaller> {
    const provider = this.policy.providers[name];
    if (provider === undefined) throw new Error(`the policy has no provider ${name}`);
    const { clients, algorithms, subject } = provider;
    const { client = [], tellsByClient } = providerKind(provider.kind) ?? {};
    const usual = usualClaims(provider, own ?? provider.audiences, this.now);
    const claims: Record<string, unknown> = { ...usual, ...given };
    if (claimAt(claims, subject.claim) === undefined && !Object.hasOwn(given, subject.claim))
      claims[subject.claim] = 'test';
    if ((clients !== undefined || tellsByClient) && client.every((path) => claimAt(claims, path) === undefined)) {
      claims[client[0] as string] = clients?.[0] ?? 'test';
    }
    return this.#callerFor({ alg: algorithms[0] as string }, claims, providers, own, from);
  }

  /** Returns the caller of a session for which the provider returned these claims.
   * @returns undefined if the host does not accept the provider, so that its sessions are ignored */
  ofSession(
    name: string,
    given: Claims,
    providers: readonly string[],
    from: RequestOrigin = {},
  ): Result<ClaimedCaller> | undefined {
    if (!providers.includes(name)) return undefined;
    const { claim } = this.#table.providers[name]?.subject ?? { claim: 'sub' };
    const named = claimAt(given, claim) === undefined && !Object.hasOwn(given, claim) ? { [claim]: 'test' } : {};
    const { keep: kept } = this.#table.session ?? {};
    const all = { ...named, ...given };
    const claims = kept === undefined ? all : { ...keep(all, kept, name), auth_time: given.auth_time };
    return this.#withCaller({ provider: name, claims, expires: this.now + 3600, key: '' }, from, toPerson);
  }

  #callerFor(
    header: JoseHeader,
    claims: Claims,
    providers: readonly string[],
    own: readonly string[] | undefined,
    from: RequestOrigin,
  ): Result<ClaimedCaller> {
    const accepted = this.#providers(providers, own);
    const provider = tokenProvider(claims, accepted);
    // The gateway gives no such details before it has verified the signature. The command shows them, because the
    // policy's owner runs it.
    if (provider === undefined) {
      const wanted = quotedList(accepted.flatMap((it) => it.issuers ?? [it.issuer]));
      const help = issuerHelp(claims);
      const detail = `"iss" is ${quoted(claims.iss)}, but this host accepts ${wanted}`;
      return refuse('issuer_unknown', help === undefined ? detail : `${detail}; ${help}`);
    }
    if (!(provider.algorithms as readonly string[]).includes(header.alg)) {
      const wanted = provider.algorithms.join(', ');
      return refuse('algorithm_refused', `"alg" is ${quoted(header.alg)}, provider ${provider.name} allows ${wanted}`);
    }
    const refused = checkClaims(header, claims, provider, this.now, this.#table.clockSkew);
    if (refused !== undefined) return refused;
    const verified = withBinding({ provider: provider.name, claims, expires: claims.exp as number, key: '' });
    if (!verified.ok) return verified;
    return this.#metToken(verified.value, from);
  }

  /** Rejects a bound token if the gateway does not accept the kind of proof that the token needs. */
  #unprovable({ binding }: Verified): ReturnType<typeof refuse> | undefined {
    const { gateway, hosts } = this.policy;
    if (binding?.kind === 'dpop' && gateway.proof === undefined) {
      return refuse(
        'proof_missing',
        'the token is bound to a DPoP key, and the policy accepts no proofs: add gateway.proof',
      );
    }
    if (binding?.kind === 'certificate' && hosts.every(({ clientCaFile }) => clientCaFile === undefined)) {
      return refuse('proof_missing', 'the token is bound to a certificate, and no host has a CA for clients');
    }
    return undefined;
  }

  #metToken(verified: Verified, from: RequestOrigin): Result<ClaimedCaller> {
    const withCaller = this.#withCaller(verified, from, tokenCaller);
    return withCaller.ok ? (this.#unprovable(verified) ?? withCaller) : withCaller;
  }

  /** The roles that the policy defines. Their facts have a place in the file. */
  get #roles() {
    return Object.values(this.policy.roles).map(({ name, fact }) => [name, fact] as const);
  }

  #withCaller(verified: Verified, from: RequestOrigin, readCaller: typeof tokenCaller): Result<ClaimedCaller> {
    const caller = readCaller(verified, this.#table, this.now);
    if (!caller.ok) return caller;
    return ok({ caller: this.#seen(caller.value, from), facts: this.factsOf(verified, from) });
  }

  /** Returns the input for facts about claims that were verified before. If the policy has no such provider, it returns
   * the input without a token. */
  factsOf(verified: Verified, from: RequestOrigin): TokenContext {
    if (!Object.hasOwn(this.policy.providers, verified.provider)) return this.#withoutToken(from);
    return factContext(verified, { ...this.#table, roles: this.#roles }, this.now, requestView(from));
  }

  /** Returns the caller with its roles, including those that the request itself gives. */
  #seen(caller: Caller, from: RequestOrigin): Caller {
    const of = requestRoles(this.#table);
    return of === undefined ? caller : inView(caller, of, requestView(from));
  }

  /** Returns the input for facts if there is no token. */
  #withoutToken(from: RequestOrigin): TokenContext {
    const verified = { provider: '', claims: {}, expires: 0, key: '' };
    const given = () => undefined;
    const roles = new Map(this.#roles);
    return { verified, kind: providerKinds.generic, roles, request: requestView(from), given };
  }

  /** Returns an anonymous caller, which has no certificate, with the roles that the request itself gives. */
  ofNobody({ network }: RequestOrigin): ClaimedCaller {
    const from = network === undefined ? {} : { network };
    return { caller: this.#seen(ANONYMOUS_CALLER, from), facts: this.#withoutToken(from) };
  }

  /** Returns the caller whose only credential is a certificate with this name. */
  ofCertificate(certificate: string, from: RequestOrigin): Result<ClaimedCaller> {
    const caller = holderOf(certificate, this.#table.agents);
    if (!caller.ok) return caller;
    const all = { ...from, certificate };
    return ok({ caller: this.#seen(caller.value, all), facts: this.#withoutToken(all) });
  }

  /** Returns how a route reads `Authorization`; undefined if every such header is for the gateway. */
  passingAt({ serviceCredential }: Pick<Route, 'serviceCredential'>): Passing | undefined {
    return serviceCredential && passingOf(serviceCredential, policyIssuers(this.#table));
  }

  /** Whether the gateway's token can be in a header of its own. */
  get hasTokenHeader(): boolean {
    return this.policy.gateway.credentialHeader !== undefined;
  }

  /** Whether a request to a route can have a credential of the gateway beside the service's. */
  takesBeside({ accept }: Pick<Route, 'accept'>): boolean {
    return this.hasTokenHeader || accept.some((kind) => kind !== 'bearer');
  }

  /** Returns the caller of a request. If there are several credentials, the route decides which one counts. */
  callerAt({ host, route }: Place, reported: Reported): Result<ClaimedCaller> {
    const { proof } = this.policy.gateway;
    const { authorization, text = OWN_TOKEN } = reported;
    const ways: Ways<Reported, Accepting, Result<ClaimedCaller>> = {
      token: ({ token }, _at, _method, shown) =>
        token !== undefined && shown === text ? token() : this.ofToken(shown, host.providers, route.audiences),
      certificate: (from, _at, _method, certificate) => this.ofCertificate(certificate, from),
      session: (from) => from.session?.() ?? ok(this.ofNobody(from)),
      anonymous: (from) => ok(this.ofNobody(from)),
      refuse: (_from, _at, _method, { reason, detail }) => refuse(reason, detail),
    };
    const token = reported.token && `Bearer ${text}`;
    const beside = authorization !== undefined && this.hasTokenHeader ? token : undefined;
    // For certificates and sessions, only the presence matters here. Their contents are checked elsewhere.
    const shown = {
      [TO_CHECK.credential]: beside,
      'SSL-Client-Cert': reported.certificate,
    };
    const accepting = acceptingOf(route.accept, proof !== undefined, this.passingAt(route));
    return takeCredential(ways, shown, reported, accepting, '', authorization ?? token, reported.session && 'said');
  }
}
