import type { Named } from '../forms/hints.ts';
import { formatPath, type Path } from '../forms/path.ts';
import {
  type DraftPolicy,
  entriesOf,
  type MeshAt,
  meshesOf,
  needsDefault,
  routesOf,
  servicesOf,
  writes,
} from '../read/draft.ts';
import type { Report } from '../read/report.ts';
import { namesIn, namesOf, type Reference, references, sectionsFor, sectionsOf } from '../read/sections.ts';
import { isService } from './callers/agents.ts';

const ADVICE: Readonly<Record<Named, string>> = {
  provider: 'add it to the providers of a host, or remove it',
  role: 'use it in an allow, or remove it',
  agent: 'use it in an allow, or remove it',
  service: 'route a path to it, or remove it',
  mesh: 'name it in the "mesh" of a service, or remove it',
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
  complain(report, 'mesh', new Set([...used('mesh'), ...(namesNoMesh(draft) ? ['default'] : [])]));
  // If the mesh of a service is not known, any mesh may be meant.
  const known = report.lacking('mesh') === 0 ? meshesOf(draft) : [];
  for (const mesh of known.filter(({ path }) => !report.has(path))) {
    const inMesh = (kind: 'ingress' | 'identity') => used(kind, (it) => isWithin(report, it, mesh));
    complain(
      report,
      'ingress',
      new Set([...inMesh('ingress'), ...(namesNoIngress(draft, mesh) ? ['default'] : [])]),
      mesh.path,
    );
    complain(
      report,
      'identity',
      new Set([...inMesh('identity'), ...(needsDefault(draft, mesh) || hidesRules(draft) ? ['default'] : [])]),
      mesh.path,
    );
  }
  if ((namesOf(report, 'provider')?.length ?? 0) < 2) return;
  // If there is only one provider, it belongs to every host. If there are several, only hosts use them. But if the
  // providers of a host are wrong, every reference counts.
  const silent = Object.keys(draft.hosts ?? {}).some((host) => report.has(['hosts', host, 'providers']));
  const accepted = used('provider', ({ path }) => silent || path[0] === 'hosts');
  complain(report, 'provider', accepted);
}

/** Whether the rules of a route are missing or wrong, so that they may use the default identity. */
const hidesRules = (draft: DraftPolicy): boolean => routesOf(draft).some(({ route }) => route.allow === undefined);

const namesNoMesh = (draft: DraftPolicy): boolean =>
  servicesOf(draft, { name: 'default' }).some(([, service]) => !writes(service, 'mesh'));

const namesNoIngress = (draft: DraftPolicy, mesh: MeshAt): boolean =>
  servicesOf(draft, mesh).some(([, service]) => !writes(service, 'ingress', 'ingresses'));

/** Whether a reference may name a thing of a mesh. */
const isWithin = (report: Report, reference: Reference, { path }: MeshAt): boolean =>
  sectionsFor(report, reference).some((section) => isBelow(section, path));

const isBelow = (section: Path, path: Path): boolean => formatPath(section.slice(0, path.length)) === formatPath(path);

/** Reports the definitions of a kind that nothing uses, in all sections or in those of one mesh. */
function complain(report: Report, kind: Named, used: ReadonlySet<string>, within: Path = []): void {
  for (const section of sectionsOf(report, kind).filter((it) => isBelow(it, within))) {
    const unused = (namesIn(report, section) ?? []).filter((name) => !used.has(name) && !report.mentions(name));
    for (const name of unused.slice(report.lacking(kind))) {
      report.key([...section, name], `no effect: nothing uses this ${kind}; ${ADVICE[kind]}`);
    }
  }
}
