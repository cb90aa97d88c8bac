import type { FactExplanation } from '../caller/explain.ts';
import type { Refusal, Result } from '../reasons.ts';
import { decide } from '../rules/decide.ts';
import type { Decision, Rule } from '../rules/types.ts';
import { parseClaims, parseHeader, splitJws } from '../token/format.ts';
import { parseObject } from '../token/json.ts';
import type { Binding, Claims } from '../token/types.ts';
import { type Asker, bearerOf } from './asker.ts';
import { deciding } from './explanation.ts';
import type { Loaded } from './load.ts';
import { mcpHeaders } from './message.ts';
import { type ClaimedCaller, type Judge, Offline } from './offline.ts';

/** What a token is, by its form alone: an opaque one says nothing, an encrypted one (RFC 7516) nothing that is read. */
export type Form = 'jwt' | 'encrypted' | 'opaque';

/** What was found of a token's signature: the key that made it, or why it is none of the provider's. */
export type Signature = 'not checked' | { readonly key: string } | Refusal;

/** What becomes of a token at one route, by methods. */
export interface AtRoute {
  readonly route: string;
  /** Absent: the route takes no tokens, or none of this provider. */
  readonly outcomes?: readonly { readonly methods: readonly string[]; readonly decision: Decision<Rule> }[];
}

/** What `meshgate token` says. Nothing of the signature is in it. */
export interface TokenReport {
  readonly form: Form;
  /** The JOSE header as it is; absent: it cannot be read. */
  readonly header?: Claims;
  readonly claims?: Claims;
  /** The provider that the token's `iss` names, or that was asked about it. */
  readonly provider?: string;
  /** Why no route takes it, by its text alone; absent: one does. */
  readonly refused?: Refusal;
  /** What the provider said that was asked about it (RFC 7662); absent: nobody was, or no answer came. */
  readonly active?: boolean;
  readonly asker?: Asker;
  readonly expires?: number;
  readonly binding?: Binding['kind'];
  /** Every role of the policy, and why the token gives it or not. */
  readonly roles: readonly FactExplanation[];
  readonly routes: readonly AtRoute[];
}

/** The place where a token is to be accepted. */
export interface Taken {
  /** Providers, by name. */
  readonly names: readonly string[];
  /** Audiences of the route, in the place of theirs. */
  readonly audiences?: readonly string[];
  /** No route is said: those of any route do. */
  readonly anywhere?: true;
}

/** Methods that are asked of each route, beside those that its rules name. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** A message that any rule with tools lets pass: which rule it is says which tools. */
const LISTED = mcpHeaders({ method: 'tools/list' });

/** A JWE has five parts (RFC 7516 section 7.1). */
function formOf(text: string): Form {
  if (/^[\w-]*(?:\.[\w-]*){4}$/.test(text)) return 'encrypted';
  return text.split('.').length === 3 ? 'jwt' : 'opaque';
}

/** Header and claims, as far as they can be read. */
function partsOf(text: string): Pick<TokenReport, 'header' | 'claims'> {
  const jws = splitJws(text);
  if (!jws.ok) return {};
  const parsed = parseHeader(jws.header);
  const header = parseObject(Buffer.from(jws.header, 'base64url')) ?? (parsed.ok ? { ...parsed.value } : undefined);
  const claims = parseClaims(jws.payload);
  return { ...(header && { header }), ...(claims && { claims }) };
}

/** Each route, which may have audiences of its own, and which of its rules lets the caller pass. */
function atRoutes({ policy, rules }: Loaded, judge: Judge, provider: string): readonly AtRoute[] {
  return policy.hosts.flatMap((host) =>
    host.routes.map(({ name, accept, audiences }): AtRoute => {
      if (!accept.includes('bearer') || !host.providers.includes(provider)) return { route: name };
      const claimed = judge(host.providers, audiences);
      if (!claimed.ok) {
        return { route: name, outcomes: [{ methods: METHODS, decision: { allow: false, reason: claimed.reason } }] };
      }
      const { caller } = bearerOf(claimed.value);
      const own = rules.filter((rule) => rule.route === name);
      const methods = [...new Set([...METHODS, ...own.flatMap((rule) => rule.methods ?? [])])];
      const outcomes = new Map<string, { methods: string[]; decision: Decision<Rule> }>();
      for (const method of methods) {
        const decision = decide(own, caller, { route: name, method, mcp: LISTED });
        const key = decision.allow ? decision.rule.id : decision.reason;
        const outcome = outcomes.get(key) ?? { methods: [], decision };
        outcome.methods.push(method);
        outcomes.set(key, outcome);
      }
      return { route: name, outcomes: [...outcomes.values()] };
    }),
  );
}

function judged(offline: Offline, judge: Judge, { names, audiences, anywhere }: Taken): Result<ClaimedCaller> {
  return anywhere ? offline.anywhere(judge) : judge(names, audiences);
}

/** What a token gives whoever comes with it. */
function given(loaded: Loaded, claimed: ClaimedCaller, judge: Judge) {
  const asker = bearerOf(claimed);
  const { binding, expires } = claimed.facts.verified;
  return {
    asker,
    expires,
    ...(binding !== undefined && { binding: binding.kind }),
    roles: Object.values(loaded.policy.roles).map((role) => deciding(asker.role(role))),
    routes: atRoutes(loaded, judge, claimed.caller.provider),
  };
}

/** The report on a token that gives nothing. */
export function refusedReport(report: TokenReport, refused: Refusal): TokenReport {
  const { form, header, claims, provider } = report;
  const active = refused.reason === 'token_inactive' ? false : undefined;
  return {
    form,
    ...(header && { header }),
    ...(claims && { claims }),
    ...(provider !== undefined && { provider }),
    ...(active !== undefined && { active }),
    ...{ refused, roles: [], routes: [] },
  };
}

/**
 * Says of a token's text what it is, which provider of the policy would take it, which roles it gives and where it
 * passes. Its signature is not looked at here.
 *
 * @param now seconds since the epoch
 */
export function tokenReport(loaded: Loaded, text: string, now: number, taken: Taken): TokenReport {
  const { policy } = loaded;
  const parts = partsOf(text);
  const offline = new Offline(policy, now);
  const provider = parts.claims && offline.issuerOf(parts.claims, taken.names);
  const read = { form: formOf(text), ...parts, ...(provider !== undefined && { provider }), roles: [], routes: [] };
  const judge: Judge = (names, audiences) => offline.ofToken(text, names, audiences);
  const claimed = judged(offline, judge, taken);
  return claimed.ok ? { ...read, ...given(loaded, claimed.value, judge) } : refusedReport(read, claimed);
}

/** What a provider said, but for the token itself, which some repeat. */
function withoutToken(claims: Claims, text: string): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => !JSON.stringify(value).includes(text)));
}

/**
 * The same of a token that only its provider can read.
 *
 * @param said what it said, or why it is not known
 */
export function introspectedReport(
  loaded: Loaded,
  text: string,
  report: TokenReport,
  provider: string,
  said: Result<Claims>,
  taken: Taken,
  now: number,
): TokenReport {
  const asked = { ...report, provider };
  if (!said.ok) return refusedReport(asked, said);
  const read = { ...asked, claims: withoutToken(said.value, text) };
  const offline = new Offline(loaded.policy, now);
  const judge: Judge = (_, audiences) => offline.ofIntrospected(provider, said.value, audiences);
  const claimed = judged(offline, judge, taken);
  if (!claimed.ok) return { ...refusedReport(read, claimed), active: true };
  const { refused: _, ...open } = read;
  return { ...open, active: true, ...given(loaded, claimed.value, judge) };
}
