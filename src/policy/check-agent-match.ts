import { type DraftPolicy, entriesOf, writes } from './draft.ts';
import { malformed, type WrittenClaim } from './facts/claim.ts';
import { namesOf } from './names.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { oneOf } from './suggest.ts';

export type DraftAgent = NonNullable<NonNullable<DraftPolicy['agents']>[string]>;

/** The keys that identify an agent. Each agent has exactly one of them. */
const MARKS = ['client_id', 'spiffe', 'service', 'claim'] as const;

/** Whether an agent is a service that uses the inner listener. All other agents send tokens. */
export const isService = ({ match }: DraftAgent): boolean => match !== undefined && writes(match, 'service');

/** Checks that each agent is identified in one way, and that no other agent has the same identification. Each agent
 * must also say for whom it acts and what its tokens are bound to. */
export function checkAgentMatch(report: Report, draft: DraftPolicy): void {
  const providers = namesOf(report, 'provider') ?? [];
  for (const [name, agent] of entriesOf(draft.agents)) {
    const path = ['agents', name];
    if (report.touches(path)) continue;
    if (agent.match) checkMarks(report, [...path, 'match'], agent.match, providers);
    checkWhom(report, path, agent);
    checkBound(report, path, agent);
  }
  checkTwins(report, draft);
  checkClients(report, draft);
}

type DraftMatch = NonNullable<DraftAgent['match']>;

function checkMarks(report: Report, path: Path, match: DraftMatch, providers: readonly string[]): void {
  if (report.touches(path)) return;
  const [mark, other] = MARKS.filter((it) => writes(match, it));
  const mistake = malformed(match as WrittenClaim, 'match');
  if (mark === undefined) {
    report.add(path, 'nothing identifies the agent; write client_id, spiffe, service or claim', 'key');
  } else if (other !== undefined) {
    report.add(path, `${mark} and ${other} in one match; keep one of them`, 'key');
  } else if (mistake?.part === 'key') {
    report.add([...path, ...mistake.path], mistake.message, mistake.part);
  } else if (match.claim !== undefined && /^act(\.|$)/.test(match.claim)) {
    report.add([...path, 'claim'], 'no effect: "act" names the actor; write client_id, or spiffe, with that name');
  } else if (mistake !== undefined) {
    report.add([...path, ...mistake.path], mistake.message);
  } else if (mark === 'service' && writes(match, 'provider')) {
    report.add([...path, 'provider'], 'no effect beside service, which comes without a token; remove it', 'key');
  } else if (['client_id', 'claim'].includes(mark) && providers.length > 1 && !writes(match, 'provider')) {
    report.add(path, `whose ${mark}? add provider: ${oneOf(providers)}`, 'key');
  }
}

/** Checks that an agent may act for people, or alone. */
function checkWhom(report: Report, path: Path, agent: DraftAgent): void {
  if (report.touches(path)) return;
  const acts = writes(agent, 'acts_for');
  if (!acts && !writes(agent, 'alone')) {
    const also = isService(agent) ? '' : ', or alone: true for one that acts alone';
    const message = `missing key "acts_for"; write acts_for: [staff], the roles that it may act for${also}`;
    report.add([...path, 'acts_for'], message, 'key');
  } else if (isService(agent) && writes(agent, 'alone')) {
    const why = 'no effect: a service acts for the person whose request it serves';
    report.add([...path, 'alone'], `${why}; remove it`, 'key');
  } else if (!acts && writes(agent, 'hops')) {
    report.add([...path, 'hops'], 'no effect without acts_for; remove it', 'key');
  }
}

/** Checks that the policy says what an agent's tokens are bound to. It decides whether a stolen token can be used. */
function checkBound(report: Report, path: Path, agent: DraftAgent): void {
  const { match } = agent;
  if (!match || report.touches(path) || report.touches([...path, 'match'])) return;
  const here = [...path, 'bound'];
  if (isService(agent)) {
    if (writes(agent, 'bound')) report.add(here, 'no effect: a service shows its certificate; remove it', 'key');
  } else if (writes(match, ...MARKS) && !writes(agent, 'bound')) {
    const message = 'missing key "bound"; write bound: dpop, certificate or any, or none to accept stolen tokens';
    report.add(here, message, 'key');
  }
}

/** Checks that no two agents are identified by the same value. */
function checkTwins(report: Report, draft: DraftPolicy): void {
  const seen = new Map<string, string>();
  for (const [name, { match }] of entriesOf(draft.agents)) {
    const mark = (['client_id', 'spiffe'] as const).find((it) => match?.[it] !== undefined);
    if (match === undefined || mark === undefined) continue;
    const key = JSON.stringify([mark, match[mark], mark === 'client_id' ? match.provider : undefined]);
    const other = seen.get(key);
    if (other !== undefined) {
      const message = `agent ${quote(other)} is identified by this already; keep one, with the roles of both`;
      report.add(['agents', name, 'match', mark], message);
    }
    seen.set(key, name);
  }
}

/** Whether two providers have the same issuer. Then an agent of one provider can also send tokens of the other. */
export function shareIssuer({ providers = {} }: DraftPolicy, one: string | undefined, other: string): boolean {
  const issuer = one === undefined ? undefined : providers[one]?.issuer;
  return issuer !== undefined && issuer === providers[other]?.issuer;
}

/** Checks that people do not sign in with an agent's client, and that the agent's provider accepts tokens of that
 * client. */
function checkClients(report: Report, draft: DraftPolicy): void {
  const only = Object.keys(draft.providers ?? {});
  for (const [agent, { match }] of entriesOf(draft.agents)) {
    const id = match?.client_id;
    const name = match?.provider ?? (only.length === 1 ? only[0] : undefined);
    const provider = name === undefined ? undefined : draft.providers?.[name];
    if (id === undefined || name === undefined || !provider || report.touches(['providers', name])) continue;
    const path = ['agents', agent, 'match', 'client_id'];
    const { clients } = provider;
    const signsIn = entriesOf(draft.providers).some(
      ([other, { client }]) => client?.id === id && (other === name || shareIssuer(draft, other, name)),
    );
    if (signsIn) {
      report.add(path, 'people sign in with this client; give the agent one of its own at the provider');
    } else if (clients && !clients.includes(undefined) && !clients.includes(id)) {
      const message = `no effect: provider ${quote(name)} accepts only tokens of its clients; add it there`;
      report.add(path, message);
    }
  }
}
