import { isService } from './check-agents.ts';
import { type DraftPolicy, entriesOf, isDirect, needsDefault, writes } from './draft.ts';
import type { Named } from './hints.ts';
import { namesOf, type Reference, references, SECTIONS } from './names.ts';
import type { Report } from './report.ts';

const ADVICE: Readonly<Record<Named, string>> = {
  provider: 'add it to the providers of a host, or remove it',
  role: 'use it in an allow, or remove it',
  agent: 'use it in an allow, or remove it',
  service: 'route a path to it, or remove it',
  ingress: 'name it in the "ingress" of a service, or remove it',
  identity: 'name it in the "as" of a rule, or remove it',
};

/** Checks that every definition is used. This check must run last, because the other checks count the uses of names. */
export function checkUnused(report: Report, draft: DraftPolicy): void {
  if (report.has(['hosts'])) return;
  const all = references(report);
  const used = (kind: Named, counts: (it: Reference) => boolean = () => true) =>
    new Set(all.filter((it) => it.kind === kind && counts(it)).map((it) => it.name));
  complain(report, 'role', used('role'));
  // An agent with tokens needs no rule: without the agent in the policy, its tokens would be tokens of people.
  const withTokens = entriesOf(draft.agents).filter(([, agent]) => !isService(agent));
  complain(report, 'agent', new Set([...used('agent'), ...withTokens.map(([name]) => name)]));
  const called = used('service', ({ path }) => path[0] !== 'agents');
  complain(report, 'service', called);
  if (!report.has(['mesh'])) {
    complain(report, 'ingress', new Set([...used('ingress'), ...(silentServices(draft) ? ['default'] : [])]));
    complain(report, 'identity', new Set([...used('identity'), ...(needsDefault(draft) ? ['default'] : [])]));
  }
  if ((namesOf(report, 'provider')?.length ?? 0) < 2) return;
  // If there is only one provider, it belongs to every host. If there are several, only hosts use them. But if the
  // providers of a host are wrong, every reference counts.
  const silent = Object.keys(draft.hosts ?? {}).some((host) => report.has(['hosts', host, 'providers']));
  const accepted = used('provider', ({ path }) => silent || path[0] === 'hosts');
  complain(report, 'provider', accepted);
}

const silentServices = ({ services }: DraftPolicy): boolean =>
  entriesOf(services).some(([, service]) => !isDirect(service) && !writes(service, 'ingress', 'ingresses'));

function complain(report: Report, kind: Named, used: ReadonlySet<string>): void {
  const unused = (namesOf(report, kind) ?? []).filter((name) => !used.has(name) && !report.mentions(name));
  for (const name of unused.slice(report.lacking(kind))) {
    report.key([...SECTIONS[kind], name], `no effect: nothing uses this ${kind}; ${ADVICE[kind]}`);
  }
}
