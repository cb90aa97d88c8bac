import type { Refusal, Result } from '../../base/reasons.ts';
import type { FactExplanation } from '../../caller/roles/explain.ts';
import { decide } from '../../rules/decide/decide.ts';
import type { Decision, Rule } from '../../rules/types.ts';
import { parseClaims, parseHeader, splitJws } from '../../token/format.ts';
import { parseObject } from '../../token/json.ts';
import type { Binding, Claims } from '../../token/types.ts';
import type { Loaded } from '../common/load.ts';
import { mcpHeaders } from '../common/message-flags.ts';
import { bearerOf, type ExplainedCaller } from '../decide/explained-caller.ts';
import { deciding } from '../decide/explanation.ts';
import { type CallerFor, Offline } from '../decide/offline.ts';

/** The form of a token: a JWT, an encrypted token (RFC 7516), which only its recipient can read, or an opaque token. */
export type Form = 'jwt' | 'encrypted' | 'opaque';

/** The result for a token's signature: the key that verifies it, or the reason why none does. */
export type Signature = 'not checked' | { readonly key: string } | Refusal;

/** The result for a token at one route, by method. */
export interface AtRoute {
  readonly route: string;
  /** Absent: the route accepts no tokens, or no tokens of this provider. */
  readonly outcomes?: readonly { readonly methods: readonly string[]; readonly decision: Decision<Rule> }[];
}

/** The report of `meshgate token`. It does not contain the signature. */
export interface TokenReport {
  readonly form: Form;
  /** The decoded JOSE header; absent if it cannot be read. */
  readonly header?: Claims;
  readonly claims?: Claims;
  /** The provider that `iss` names, or the provider that was asked about the token. */
  readonly provider?: string;
  /** Why every route rejects the token, according to its text alone; absent if some route accepts the token. */
  readonly refused?: Refusal;
  /** Whether the provider says that the token is active (RFC 7662); absent if it was not asked or did not answer. */
  readonly active?: boolean;
  readonly explained?: ExplainedCaller;
  readonly expires?: number;
  readonly binding?: Binding['kind'];
  /** Every role of the policy, and why the token gives the role or not. */
  readonly roles: readonly FactExplanation[];
  readonly routes: readonly AtRoute[];
}

/** The providers and audiences for which a token is checked. */
export interface Taken {
  /** Names of the providers. */
  readonly names: readonly string[];
  /** Audiences of the route, which replace the provider's audiences. */
  readonly audiences?: readonly string[];
  /** No route is given, so the audiences of each route are tried. */
  readonly anywhere?: true;
}

/** Methods that are tried on each route, in addition to the methods of its rules. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** An MCP message that every rule with tools allows. The matching rule then says which tools the caller may use. */
const LISTED = mcpHeaders({ method: 'tools/list' });

/** Returns the form of a token. A JWE has five parts (RFC 7516 section 7.1). */
function formOf(text: string): Form {
  if (/^[\w-]*(?:\.[\w-]*){4}$/.test(text)) return 'encrypted';
  return text.split('.').length === 3 ? 'jwt' : 'opaque';
}

/** Decodes the header and the claims, as far as they can be read. */
function partsOf(text: string): Pick<TokenReport, 'header' | 'claims'> {
  const jws = splitJws(text);
  if (!jws.ok) return {};
  const parsed = parseHeader(jws.header);
  const header = parseObject(Buffer.from(jws.header, 'base64url')) ?? (parsed.ok ? { ...parsed.value } : undefined);
  const claims = parseClaims(jws.payload);
  return { ...(header && { header }), ...(claims && { claims }) };
}

/** Lists all routes, each with the rules that allow the caller of the token. */
function atRoutes({ policy, rules }: Loaded, callerFor: CallerFor, provider: string): readonly AtRoute[] {
  return policy.hosts.flatMap((host) =>
    host.routes.map(({ name, accept, audiences }): AtRoute => {
      if (!accept.includes('bearer') || !host.providers.includes(provider)) return { route: name };
      const claimed = callerFor(host.providers, audiences);
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

/** Adds to a report how the policy judges the token: its roles and the routes where it passes, or the refusal. */
function withDecisions(
  report: TokenReport,
  loaded: Loaded,
  offline: Offline,
  callerFor: CallerFor,
  taken: Taken,
): TokenReport {
  const claimed = taken.anywhere ? offline.anywhere(callerFor) : callerFor(taken.names, taken.audiences);
  if (!claimed.ok) return refusedReport(report, claimed);
  const explained = bearerOf(claimed.value);
  const { binding, expires } = claimed.value.facts.verified;
  const { refused: _, ...read } = report;
  return {
    ...{ ...read, explained, expires, ...(binding && { binding: binding.kind }) },
    roles: Object.values(loaded.policy.roles).map((role) => deciding(explained.role(role))),
    routes: atRoutes(loaded, callerFor, claimed.value.caller.provider),
  };
}

/** Returns the report on a token that is rejected. */
export function refusedReport(report: TokenReport, refused: Refusal): TokenReport {
  const { explained: _explained, expires: _expires, binding: _binding, active: _active, ...read } = report;
  const isInactive = refused.reason === 'token_inactive';
  return { ...read, ...(isInactive && { active: false }), refused, roles: [], routes: [] };
}

/** Reports on a token's text. The signature is not verified here. */
export function tokenReport(loaded: Loaded, text: string, now: number, taken: Taken): TokenReport {
  const { policy } = loaded;
  const parts = partsOf(text);
  const offline = new Offline(policy, now);
  const provider = parts.claims && offline.issuerOf(parts.claims, taken.names);
  const read = { form: formOf(text), ...parts, ...(provider !== undefined && { provider }), roles: [], routes: [] };
  return withDecisions(read, loaded, offline, (names, audiences) => offline.ofToken(text, names, audiences), taken);
}

/** Returns a provider's answer without the token, which some providers repeat. */
function withoutToken(claims: Claims, text: string): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => !JSON.stringify(value).includes(text)));
}

/** Reports on a token that only its provider can read. `reported` is the provider's answer, or why there is none. */
export function introspectedReport(
  loaded: Loaded,
  text: string,
  report: TokenReport,
  provider: string,
  reported: Result<Claims>,
  taken: Taken,
  now: number,
): TokenReport {
  const queried = { ...report, provider };
  if (!reported.ok) return refusedReport(queried, reported);
  const offline = new Offline(loaded.policy, now);
  const callerFor: CallerFor = (_, audiences) => offline.ofIntrospected(provider, reported.value, audiences);
  const read = { ...queried, claims: withoutToken(reported.value, text) };
  return { ...withDecisions(read, loaded, offline, callerFor, taken), active: true };
}
