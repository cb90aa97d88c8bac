import { claimAt } from '../base/claim-at.ts';
import { isLike } from '../base/like.ts';
import { ok, type Result, refuse } from '../base/reasons.ts';
import type { Bound } from '../policy/checked/types.ts';
import { type ClaimFact, valueTruth } from '../policy/facts/claim.ts';
import type { Truth } from '../policy/facts/operator.ts';
import type { AgentMark, ProviderKind, Sign } from '../providers/index.ts';
import { type Actor, actorChain } from '../token/act.ts';
import { clientIds } from '../token/client-id.ts';
import { quoted } from '../token/detail.ts';
import { asObject } from '../token/json.ts';
import type { Claims, Verified } from '../token/types.ts';
import type { Prepared } from './roles/roles.ts';
import type { Caller, TokenAgent } from './types.ts';

function shows(sign: Sign, claims: Claims): boolean {
  const value = claimAt(claims, sign.claim);
  if ('absent' in sign) return value === undefined;
  if ('is' in sign) return value === sign.is;
  if ('like' in sign) return typeof value === 'string' && isLike(value, sign.like);
  const other = claimAt(claims, sign.as);
  if (typeof value !== 'string' || typeof other !== 'string' || other === '') return false;
  const named = `${sign.before ?? ''}${other}${sign.after ?? ''}`;
  return sign.ignoreCase ? value.toLowerCase() === named.toLowerCase() : value === named;
}

/** Whether a token with a valid signature shows that no person is behind it: software got it for itself (RFC 6749
 * section 4.4), or a workload showed its own identity. A token without such a mark counts as a person's. */
export function isAlone(claims: Claims, kind: ProviderKind): boolean {
  if (kind.alone === 'always') return true;
  return kind.alone.some((signs) => signs.every((sign) => shows(sign, claims)));
}

interface Acting {
  readonly agent: TokenAgent;
  /** The actor chain, the current actor first. */
  readonly actors: readonly [string, ...string[]];
  readonly alone: boolean;
}

const noGroups: readonly string[] = Object.freeze([]);
const noClaims: Claims = Object.freeze({});

function isMarked(mark: AgentMark, claims: Claims): boolean {
  const value = claims[mark.claim];
  if (mark.has === undefined || value === undefined) return value !== undefined;
  if (typeof value === 'number') return String(value) === mark.has;
  // A mark in an unknown form may belong to an agent, so the token does not count as a person's.
  const words = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value.map(String) : [mark.has];
  return words.includes(mark.has);
}

/** Returns what the provider says: `agent` if the caller is an agent, `alone` if no person is behind the token. */
function marksOf({ kind }: Pick<Prepared, 'kind'>, claims: Claims): 'agent' | 'alone' | undefined {
  const held = (kind.agents ?? []).filter((mark) => isMarked(mark, claims));
  if (held.length === 0) return undefined;
  return held.some(({ alone }) => alone) ? 'alone' : 'agent';
}

/** The parts of a token from which its caller is found. */
interface Saying {
  readonly verified: Verified;
  readonly made: Prepared;
  /** The current actor; absent: the token has no `act`. */
  readonly actor: Actor | undefined;
  /** The clients of the token, see {@link clientIds}. */
  readonly clients: readonly string[];
}

/** Whether a claim says that the token belongs to an agent; unknown if the claim has another form. An e-mail address
 * counts even if it is not verified: it can belong to an agent, and identifies no person here. */
function claimTruth(fact: ClaimFact, claims: Claims): Truth {
  const value = claimAt(claims, fact.claim);
  return value === undefined ? false : valueTruth(fact, value);
}

/** Whether the token belongs to this agent. If the token names an actor, only the actor counts, because the client and
 * other claims then describe the subject. */
function isOf({ match }: TokenAgent, { verified, made, actor, clients }: Saying): Truth {
  switch (match.kind) {
    case 'client':
      if (actor === undefined) return clients.includes(match.client);
      return (
        actor.sub === match.client && (actor.iss === undefined || actor.iss === (verified.claims.iss ?? made.issuer))
      );
    case 'spiffe':
      if (actor === undefined) return made.kind.name === 'spiffe' && verified.claims.sub === match.spiffe;
      return actor.sub === match.spiffe;
    case 'claim':
      return actor === undefined && claimTruth(match.fact, verified.claims);
  }
}

/** Returns the first agent of the policy to which the token belongs. If an agent's claim cannot be read, the token may
 * belong to that agent, so the token is rejected. */
function agentBy(reported: Saying): Result<TokenAgent | undefined> {
  for (const agent of reported.made.agents) {
    const truth = isOf(agent, reported);
    if (truth === true) return ok(agent);
    if (truth === undefined && agent.match.kind === 'claim') {
      const { claim } = agent.match.fact;
      return refuse('claim_absent', `"${claim}", which identifies agent ${agent.name}, has another form`);
    }
  }
  return ok(undefined);
}

/** Returns a second agent to which the token could belong, because the token names another actor or another client. */
function otherOf(found: TokenAgent, agents: readonly TokenAgent[], reported: Saying): TokenAgent | undefined {
  const { match: own } = found;
  if (reported.actor === undefined && own.kind !== 'client') return undefined;
  return agents.find(
    (it) =>
      it.match.kind === 'client' &&
      !(own.kind === 'client' && own.client === it.match.client) &&
      isOf(it, { ...reported, actor: undefined }),
  );
}

/** Whether a token allows an actor to act for its subject (RFC 8693 section 4.4). Without `may_act`, every actor may
 * act. */
function mayAct(claims: Claims, issuer: string, names: readonly string[]): boolean {
  if (claims.may_act === undefined) return true;
  const { sub, client_id: client, iss } = asObject(claims.may_act) ?? {};
  if (iss !== undefined && iss !== issuer) return false;
  return [sub, client].some((it) => typeof it === 'string' && names.includes(it));
}

/** Returns the name of an agent in tokens; undefined if a claim identifies the agent. */
const nameOf = (match: TokenAgent['match']): string | undefined =>
  match.kind === 'client' ? match.client : match.kind === 'spiffe' ? match.spiffe : undefined;

const notKnown = (who: string) => refuse('actor_not_allowed', `no agent of the policy is ${who}`);

/** Returns the agent that acts with a token: the one that `act` names, or else the first agent of the policy whose
 * client, SPIFFE id or claim is in the token. */
function actingBy(verified: Verified, made: Prepared): Result<Acting | undefined> {
  const { claims } = verified;
  const { issuer } = made;
  const marked = marksOf(made, claims);
  if (claims.act === undefined && marked === undefined && made.agents.length === 0) return ok(undefined);
  const chain = claims.act === undefined ? [] : actorChain(claims.act);
  if (chain === undefined) return refuse('claim_absent', '"act" is not a chain of actors, each with a "sub"');
  const [actor, ...before] = chain;
  const clients = clientIds(claims, made.kind);
  const reported: Saying = { verified, made, actor, clients };
  const found = agentBy(reported);
  if (!found.ok) return found;
  const agent = found.value;
  if (agent === undefined) {
    if (actor !== undefined) return notKnown(`${quoted(actor.sub)}, the actor of this token`);
    if (marked === undefined) return ok(undefined);
    return notKnown(`the client ${quoted(clients[0])}, which its provider calls an agent`);
  }
  const other = otherOf(agent, made.agents, reported);
  if (other !== undefined) {
    const two = `the token names clients of two agents, ${agent.name} and ${other.name}`;
    const issued = `the token was issued to agent ${other.name}, and its actor is agent ${agent.name}`;
    return refuse('actor_not_allowed', actor === undefined ? two : issued);
  }
  const name = actor?.sub ?? nameOf(agent.match) ?? clients[0] ?? String(claims.sub);
  const alone = actor === undefined && (marked === 'alone' || isAlone(claims, made.kind));
  if (
    actor === undefined &&
    !alone &&
    !mayAct(claims, issuer, agent.match.kind === 'client' ? [name] : [name, ...clients])
  ) {
    return refuse('actor_not_allowed', `the token allows another actor for its subject, not agent ${agent.name}`);
  }
  return ok({ agent, actors: [name, ...before.map(({ sub }) => sub)], alone });
}

const BINDINGS: Readonly<Record<Exclude<Bound, 'none'>, string>> = {
  dpop: 'a key of DPoP',
  certificate: 'a client certificate',
  any: 'a key of DPoP or a client certificate',
};

/** Returns why an agent may not act with this token, for reasons that do not depend on the rules. */
function misfit({ agent, actors, alone }: Acting, binding: Caller['binding']) {
  const { name, hops, bound = 'none' } = agent;
  if (bound !== 'none' && (binding === undefined || (bound !== 'any' && bound !== binding))) {
    return refuse('proof_missing', `the tokens of agent ${name} must be bound to ${BINDINGS[bound]}`);
  }
  if (alone || actors.length <= hops) return undefined;
  const allowed = hops === 1 ? '1 hop' : `${hops} hops`;
  return refuse('actor_not_allowed', `this is hop ${actors.length} for one person, but ${name} may do ${allowed}`);
}

/** Returns the caller of a token that an agent may have sent: the person with the roles in the agent's `acts_for`, and
 * the agent; or the agent alone, without a role. Groups and claims of the person are dropped.
 * @param caller the caller if no agent acts
 * @returns `caller` itself if no agent acts; reason `actor_not_allowed` if the agent is not in the policy, may not act
 * for the subject, or the chain is too long; `claim_absent` if the chain or an agent's claim cannot be read; and
 * `proof_missing` if the agent must use a bound token */
export function withAgent(caller: Caller, verified: Verified, made: Prepared): Result<Caller> {
  const { subject, provider } = caller;
  const acting = actingBy(verified, made);
  if (!acting.ok) return { ...acting, about: { subject, provider } };
  if (acting.value === undefined) return ok(caller);
  const { agent, actors, alone } = acting.value;
  const refused = misfit(acting.value, caller.binding);
  if (refused !== undefined) return { ...refused, about: { subject, provider, agent: agent.name, actors } };
  const { stepUp: _, scopeUp = {}, email, name, roles, ...rest } = caller;
  const common = { ...rest, groups: noGroups, claims: noClaims, agent: agent.name, actors };
  if (alone) return ok({ ...common, roles: noGroups, alone: true });
  const travels = (role: string): boolean => agent.actsFor.includes(role);
  const lacking = Object.entries(scopeUp).filter(([role]) => travels(role));
  return ok({
    ...common,
    roles: roles.filter(travels),
    ...(lacking.length > 0 && { scopeUp: Object.fromEntries(lacking) }),
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
  });
}

/** Refuses the sign-in of an agent, which must use its token: with a session, it would count as a person, and no key
 * would protect the session.
 * @returns reason `actor_not_allowed`, or `claim_absent` if an agent's claim cannot be read; undefined for a person */
export function refuseAgent(verified: Verified, made: Prepared): ReturnType<typeof refuse> | undefined {
  const { claims } = verified;
  const acts = claims.act !== undefined;
  if (!acts && !made.seeksAgents) return undefined;
  if (!acts && marksOf(made, claims) === undefined) {
    const found = agentBy({ verified, made, actor: undefined, clients: clientIds(claims, made.kind) });
    if (!found.ok) return refuse(found.reason, found.detail ?? '');
    if (found.value === undefined) return undefined;
  }
  return refuse('actor_not_allowed', 'an agent sends its token, and never signs in');
}
