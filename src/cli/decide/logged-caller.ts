import { decidedAt, isCut, type LogLine } from '../../audit/lines/line.ts';
import type { Requested } from '../../audit/lines/logged-caller.ts';
import { explainFact, type FactExplanation } from '../../caller/roles/explain.ts';
import type { TokenContext } from '../../caller/roles/truth.ts';
import type { Policy, Role } from '../../policy/checked/types.ts';
import { isLeaf } from '../../policy/facts/describe.ts';
import type { Fact } from '../../policy/facts/index.ts';
import { TOKEN } from '../../policy/facts/operator.ts';
import { dependsOn } from '../../policy/facts/walk.ts';
import { heldByAnonymous } from '../../rules/compare/anonymous-callers.ts';
import type { Claims } from '../../token/types.ts';
import type { ExplainedCaller } from './explained-caller.ts';
import { Offline } from './offline.ts';

/** Says why a fact about the token is unknown, if the log does not contain the claims. */
const NO_CLAIMS = 'the log has no claims (gateway.audit.claims)';

/** Returns the claims in a line; undefined if there are none, or if a part is missing. */
function claimsOf({ claims }: LogLine): Claims | undefined {
  if (claims === undefined || isCut(claims)) return undefined;
  try {
    const value: unknown = JSON.parse(claims);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

/** Removes what only the token could show. The rest, such as facts about the address, is known. */
function withoutClaims(fact: Fact, found: FactExplanation, policy: Policy): FactExplanation {
  if (isLeaf(fact)) {
    if ((dependsOn(fact) & TOKEN) === 0) return found;
    const { help: _, ...rest } = found;
    return { ...rest, truth: undefined, unsaid: NO_CLAIMS };
  }
  const inner = fact.op === 'role' ? [policy.roles[fact.value]?.fact] : 'facts' in fact ? fact.facts : [];
  const parts = found.parts.flatMap((part, i) => {
    const own = inner[i];
    return own === undefined ? [] : [withoutClaims(own, part, policy)];
  });
  return { ...found, truth: undefined, unsaid: NO_CLAIMS, parts };
}

/** Explains a role that an anonymous caller does not have: no claim can give it, but the address could have. */
function anonymousRole({ name, at, fact }: Role, facts: TokenContext, policy: Policy): FactExplanation {
  const text = `role ${JSON.stringify(name)}`;
  return heldByAnonymous(policy).has(name)
    ? { text: `${text}: not in the log`, truth: false, at, parts: [explainFact(fact, facts)] }
    : { text: `${text}: no caller has it without a credential`, truth: false, at, parts: [] };
}

/** Explains a role: whether the log names it, and what it requires if the caller does not have it. */
function roleOf(role: Role, held: boolean, facts: TokenContext, isKnown: boolean, policy: Policy): FactExplanation {
  const text = `role ${JSON.stringify(role.name)}: ${held ? '' : 'not '}in the log`;
  if (held) return { text, truth: true, at: role.at, parts: [] };
  const why = explainFact(role.fact, facts);
  return { text, truth: false, at: role.at, parts: [isKnown ? why : withoutClaims(role.fact, why, policy)] };
}

function callerText({ user, provider, agent, roles }: LogLine, { caller }: Requested): string {
  const named = `${JSON.stringify(user)}${provider === '' ? '' : ` of ${provider}`}`;
  const who = caller === null || caller.nobody === true ? 'an anonymous caller' : named;
  const acting = caller?.alone ? `agent ${agent}, alone: ` : agent === '' ? '' : `agent ${agent}, for `;
  return `${acting}${who}; roles in the log: ${roles.join(', ') || 'none'}`;
}

/** Returns the caller of a logged request. Its roles are those in the log. */
export function loggedCaller(policy: Policy, line: LogLine, requested: Requested): ExplainedCaller {
  const claims = claimsOf(line);
  const offline = new Offline(policy, decidedAt(line));
  const facts = offline.factsOf(
    { provider: line.provider, claims: claims ?? {}, expires: 0, key: '' },
    { network: line.address },
  );
  const held = requested.caller?.roles ?? [];
  const isAnonymous = requested.caller === null || requested.caller.nobody === true;
  return {
    kind: isAnonymous ? 'nobody' : 'roles',
    text: callerText(line, requested),
    caller: requested.caller,
    role: (role) =>
      isAnonymous && !held.includes(role.name)
        ? anonymousRole(role, facts, policy)
        : roleOf(role, held.includes(role.name), facts, claims !== undefined, policy),
  };
}
