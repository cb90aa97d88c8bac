import { tokenCaller, toPerson } from '../caller/caller.ts';
import { type Accepting, acceptingOf, takeCredential, type Ways } from '../caller/credential.ts';
import { NOBODY } from '../caller/reserved.ts';
import { factContext } from '../caller/roles.ts';
import type { TokenContext } from '../caller/truth.ts';
import type { Caller } from '../caller/types.ts';
import { inView, requestRoles } from '../caller/views.ts';
import { claimAt } from '../claim-at.ts';
import type { AskedFrom, Policy, Provider, Route } from '../policy/types.ts';
import { issuerHelp, providerKind, providerKinds } from '../providers/index.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { toTable } from '../rules/table.ts';
import type { Table } from '../rules/types.ts';
import { keep } from '../session/cookie-claims.ts';
import { withBinding } from '../token/binding.ts';
import { checkClaims } from '../token/claims.ts';
import { listed, shown } from '../token/detail.ts';
import { type JoseHeader, parseClaims, parseHeader, splitJws } from '../token/format.ts';
import { judgeIntrospected, providerToIntrospect } from '../token/introspection.ts';
import { providerOf } from '../token/issuer.ts';
import { type Claims, forResource, type TokenProvider, type Verified } from '../token/types.ts';
import { holderOf, requestView } from './asked-from.ts';

/** A caller as a token's text describes it, and the input from which its roles were found. */
export interface ClaimedCaller {
  readonly caller: Caller;
  readonly facts: TokenContext;
}

/** What a request is said to show of its caller. */
export interface Said extends AskedFrom {
  /** Judges its token; absent: it has none. */
  readonly token?: () => Result<ClaimedCaller>;
  /** Judges its session; absent: it has none. What comes to nothing is no caller's. */
  readonly session?: () => Result<ClaimedCaller> | undefined;
}

/** Judges a token by the names of providers, and by a route's audiences, which replace the provider's. */
export type Judge = (providers: readonly string[], audiences?: readonly string[]) => Result<ClaimedCaller>;

/** The claims that each token of the provider has, so that a test need not list them. */
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

/** What is known without a running gateway: the policy, and the time of judgement. */
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

  /** The caller of a token, if its signature is valid: all other checks, in the gateway's order.
   *
   * @param providers names of those that are accepted
   * @param audiences of the route, which replace the provider's
   */
  ofToken(
    text: string,
    providers: readonly string[],
    audiences?: readonly string[],
    from: AskedFrom = {},
  ): Result<ClaimedCaller> {
    const jws = splitJws(text);
    if (!jws.ok) return this.#onlyAsked(text, providers) ?? jws;
    const header = parseHeader(jws.header);
    if (!header.ok) return header;
    const claims = parseClaims(jws.payload);
    if (claims === undefined) return refuse('token_malformed', 'the payload is not a claims set');
    return this.#judge(header.value, claims, providers, audiences, from);
  }

  #providers(names: readonly string[], own?: readonly string[]): readonly TokenProvider[] {
    const all = names.flatMap((name) => this.#table.providers[name] ?? []);
    return own === undefined ? all : all.map((it) => forResource(it, own));
  }

  /** The provider of a token, by its claims.
   *
   * @param providers names of those to try first, before the others of the policy
   */
  issuerOf(claims: Claims, providers: readonly string[]): string | undefined {
    const all = [...providers, ...Object.keys(this.policy.providers)];
    return providerOf(claims, this.#providers(all))?.name;
  }

  /** The provider that must be asked about a token first (RFC 7662).
   *
   * @param providers names of those that are accepted
   */
  askedAbout(text: string, providers: readonly string[]): string | undefined {
    return providerToIntrospect(text, this.#providers(providers))?.name;
  }

  #onlyAsked(text: string, providers: readonly string[]): ReturnType<typeof refuse> | undefined {
    const asked = this.askedAbout(text, providers);
    if (asked === undefined) return undefined;
    const detail = `only provider ${asked} knows what it is, and was not asked; meshgate token --online asks`;
    return refuse('provider_unavailable', detail);
  }

  /** The caller of a token that its provider called active.
   *
   * @param claims the provider's answer
   * @param own audiences of the route, which replace the provider's
   */
  ofIntrospected(name: string, claims: Claims, own?: readonly string[]): Result<ClaimedCaller> {
    const [provider] = this.#providers([name], own);
    if (provider === undefined) throw new Error(`the policy has no provider ${name}`);
    const until = this.now + (provider.introspection?.cache ?? 0);
    const verified = judgeIntrospected(claims, provider, this.now, this.#table.clockSkew, until);
    if (!verified.ok) return verified;
    return this.#metToken(verified.value, {});
  }

  /** Judges a token without a route: by the providers' own audiences, and else by those of any route.
   *
   * @returns why the providers reject it, if no route accepts it
   */
  anywhere(judge: Judge): Result<ClaimedCaller> {
    const usual = judge(Object.keys(this.policy.providers));
    if (usual.ok || usual.reason !== 'audience_mismatch') return usual;
    for (const { providers, routes } of this.policy.hosts) {
      for (const { audiences } of routes) {
        const own = audiences && judge(providers, audiences);
        if (own?.ok) return own;
      }
    }
    return usual;
  }

  /** The same for the claims of a policy test. Claims that the test leaves out have valid values. */
  ofClaims(
    name: string,
    given: Claims,
    providers: readonly string[],
    own?: readonly string[],
    from: AskedFrom = {},
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
    return this.#judge({ alg: algorithms[0] as string }, claims, providers, own, from);
  }

  /** The caller of a session in which the provider returned these claims.
   *
   * @returns undefined if the host does not accept the provider, so that its sessions are ignored
   */
  ofSession(
    name: string,
    given: Claims,
    providers: readonly string[],
    from: AskedFrom = {},
  ): Result<ClaimedCaller> | undefined {
    if (!providers.includes(name)) return undefined;
    const { claim } = this.#table.providers[name]?.subject ?? { claim: 'sub' };
    const named = claimAt(given, claim) === undefined && !Object.hasOwn(given, claim) ? { [claim]: 'test' } : {};
    const { keep: kept } = this.#table.session ?? {};
    const all = { ...named, ...given };
    const claims = kept === undefined ? all : { ...keep(all, kept, name), auth_time: given.auth_time };
    return this.#met({ provider: name, claims, expires: this.now + 3600, key: '' }, from, toPerson);
  }

  #judge(
    header: JoseHeader,
    claims: Claims,
    providers: readonly string[],
    own: readonly string[] | undefined,
    from: AskedFrom,
  ): Result<ClaimedCaller> {
    const accepted = this.#providers(providers, own);
    const provider = providerOf(claims, accepted);
    // The gateway says neither before the signature is verified. This command is run by the owner of the policy.
    if (provider === undefined) {
      const wanted = listed(accepted.flatMap((it) => it.issuers ?? [it.issuer]));
      const help = issuerHelp(claims.iss);
      const detail = `"iss" is ${shown(claims.iss)}, this host accepts ${wanted}`;
      return refuse('issuer_unknown', help === undefined ? detail : `${detail}; ${help}`);
    }
    if (!(provider.algorithms as readonly string[]).includes(header.alg)) {
      const wanted = provider.algorithms.join(', ');
      return refuse('algorithm_refused', `"alg" is ${shown(header.alg)}, provider ${provider.name} allows ${wanted}`);
    }
    const refused = checkClaims(header, claims, provider, this.now, this.#table.clockSkew);
    if (refused !== undefined) return refused;
    const verified = withBinding({ provider: provider.name, claims, expires: claims.exp as number, key: '' });
    if (!verified.ok) return verified;
    return this.#metToken(verified.value, from);
  }

  /** Rejects a bound token if the gateway accepts no proof of its kind. */
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

  #metToken(verified: Verified, from: AskedFrom): Result<ClaimedCaller> {
    const met = this.#met(verified, from, tokenCaller);
    return met.ok ? (this.#unprovable(verified) ?? met) : met;
  }

  /** Roles of the policy itself, whose facts have a place in the file. */
  get #roles() {
    return Object.values(this.policy.roles).map(({ name, fact }) => [name, fact] as const);
  }

  #met(verified: Verified, from: AskedFrom, meet: typeof tokenCaller): Result<ClaimedCaller> {
    const caller = meet(verified, this.#table, this.now);
    if (!caller.ok) return caller;
    const facts = factContext(verified, { ...this.#table, roles: this.#roles }, this.now, requestView(from));
    return ok({ caller: this.#seen(caller.value, from), facts });
  }

  /** The caller with the facts of the request. */
  #seen(caller: Caller, from: AskedFrom): Caller {
    const of = requestRoles(this.#table);
    return of === undefined ? caller : inView(caller, of, requestView(from));
  }

  /** The input for facts if there is no token. */
  #withoutToken(from: AskedFrom): TokenContext {
    const verified = { provider: '', claims: {}, expires: 0, key: '' };
    const given = () => undefined;
    const roles = new Map(this.#roles);
    return { verified, kind: providerKinds.generic, roles, request: requestView(from), given };
  }

  /** An anonymous caller, with the roles that the request itself gives. A certificate is a credential and gives none
   * here. */
  ofNobody({ network }: AskedFrom): ClaimedCaller {
    const from = network === undefined ? {} : { network };
    return { caller: this.#seen(NOBODY, from), facts: this.#withoutToken(from) };
  }

  /** The caller who shows a certificate with this name and no other credential. */
  ofCertificate(certificate: string, from: AskedFrom): Result<ClaimedCaller> {
    const caller = holderOf(certificate, this.#table.agents);
    if (!caller.ok) return caller;
    const all = { ...from, certificate };
    return ok({ caller: this.#seen(caller.value, all), facts: this.#withoutToken(all) });
  }

  /** The caller of a request to a route: by the credential of it that counts. */
  callerAt({ accept }: Pick<Route, 'accept'>, said: Said): Result<ClaimedCaller> {
    const ways: Ways<Said, Accepting, Result<ClaimedCaller>> = {
      token: ({ token }) => (token as NonNullable<typeof token>)(),
      certificate: (from, _at, _method, certificate) => this.ofCertificate(certificate, from),
      session: (from) => from.session?.() ?? ok(this.ofNobody(from)),
      anonymous: (from) => ok(this.ofNobody(from)),
      refuse: (_from, _at, _method, { reason, detail }) => refuse(reason, detail),
    };
    // What they say is judged elsewhere: only what is there counts here.
    const shown = {
      Authorization: said.token && 'Bearer said',
      'SSL-Client-Cert': said.certificate,
      Cookie: said.session && 'said',
    };
    return takeCredential(ways, shown, said, acceptingOf(accept, this.policy.gateway.proof !== undefined), '');
  }
}
