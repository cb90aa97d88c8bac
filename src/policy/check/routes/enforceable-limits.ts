import { MAX_REFILL_S, MAX_UNIT_RATE } from '../../forms/bounds.ts';
import { type Path, ROUTES } from '../../forms/path.ts';
import { perSecond } from '../../forms/units.ts';
import { type DraftPolicy, type DraftRule, entriesOf, type RouteAt, routesOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';

type DraftLimits = NonNullable<NonNullable<DraftPolicy['gateway']>['limits']>;
type DraftLimit = DraftLimits['callers'];

/** Checks that limits can be enforced, and that each of them applies to a caller. */
export function checkLimits(report: Report, draft: DraftPolicy): void {
  const limits = draft.gateway?.limits;
  for (const [path, limit] of limitsOf(draft)) checkLimit(report, path, limit);
  if (limits) checkGateway(report, draft, limits);
  for (const [name, host] of entriesOf(draft.hosts)) {
    const path = ['hosts', name, 'limit'];
    const routes = entriesOf(host[ROUTES]);
    if (!writes(host, 'limit') || report.has(path)) continue;
    if (host.limit === null && !saysLimit(limits)) report.key(path, needless);
    else if (routes.length > 0 && routes.every(([, route]) => writes(route, 'limit'))) {
      report.key(path, 'no effect: each route of this host has a limit of its own; remove it');
    }
  }
  for (const { host, path, route } of routesOf(draft)) {
    const outer = writes(host, 'limit') ? host.limit : saysLimit(limits);
    if (route.limit === null && !outer) report.key([...path, 'limit'], needless);
  }
}

const needless = 'no effect: neither the host nor the gateway has a limit; remove it';

/** Whether `gateway.limits` has a default that `null` could remove. */
const saysLimit = (limits: DraftLimits | undefined): boolean =>
  limits !== undefined && writes(limits, 'callers', 'agents', 'anonymous');

/** Every limit in the policy, with its path. */
function limitsOf(draft: DraftPolicy): readonly (readonly [Path, NonNullable<DraftLimit>])[] {
  const { callers, agents, anonymous } = draft.gateway?.limits ?? {};
  const at = (path: Path, limit: DraftLimit | null) => (limit ? [[path, limit] as const] : []);
  return [
    ...Object.entries({ callers, agents, anonymous }).flatMap(([key, it]) => at(['gateway', 'limits', key], it)),
    ...entriesOf(draft.agents).flatMap(([name, { limit }]) => at(['agents', name, 'limit'], limit)),
    ...entriesOf(draft.hosts).flatMap(([name, { limit }]) => at(['hosts', name, 'limit'], limit)),
    ...routesOf(draft).flatMap(({ path, route }) => at([...path, 'limit'], route.limit)),
  ];
}

function checkLimit(report: Report, path: Path, { rate, burst }: NonNullable<DraftLimit>): void {
  if (rate === undefined) return;
  const [perS, most] = [perSecond(rate), burst ?? Number.parseInt(rate, 10)];
  const least = Math.ceil(perS / MAX_UNIT_RATE);
  const at = burst === undefined ? [...path, 'rate'] : [...path, 'burst'];
  if (most < least) {
    const why = `a burst of ${most} is too small for ${rate}: time is counted in milliseconds`;
    report.add(at, `${why}; write at least ${least}`);
  } else if (most / perS > MAX_REFILL_S) {
    const days = MAX_REFILL_S / 86400;
    report.add(at, `${most} at ${rate} take more than ${days} days to refill; write a smaller burst, or a faster rate`);
  }
}

/** Whether a rule allows anonymous callers. */
function admitsNobody(draft: DraftPolicy, rule: DraftRule): boolean {
  const who = typeof rule === 'string' ? rule : (rule?.who ?? rule?.role);
  return who === 'anyone' || mentionsNetwork(draft.roles?.[who ?? '']);
}

/** Whether a fact, or a fact inside it, depends on the client's address. */
function mentionsNetwork(fact: unknown): boolean {
  if (Array.isArray(fact)) return fact.some(mentionsNetwork);
  if (typeof fact !== 'object' || fact === null) return false;
  return 'network' in fact || Object.values(fact).some(mentionsNetwork);
}

/** Whether a default limit applies to a route, because neither the route nor its host has a limit. */
const open = ({ host, route }: RouteAt): boolean => !writes(route, 'limit') && !writes(host, 'limit');

function checkGateway(report: Report, draft: DraftPolicy, limits: DraftLimits): void {
  const path = ['gateway', 'limits'];
  const idle = (key: string, why: string) =>
    writes(limits, key) && report.key([...path, key], `no effect: ${why}; remove it`);
  if (limitsOf(draft).length === 0 && !report.touches(path)) {
    for (const key of ['zone', 'insecure_pass_when_full']) idle(key, 'nothing is counted without a limit');
  }
  const routes = routesOf(draft);
  if (report.has(['hosts']) || routes.length === 0) return;
  const counted = routes.filter(open);
  if (counted.length === 0) idle('callers', 'each host or route has a limit of its own');
  if (!counted.some(({ route }) => route.allow?.some((rule) => rule === undefined || admitsNobody(draft, rule)))) {
    idle('anonymous', 'no route that it applies to allows anonymous callers');
  }
  const agents = entriesOf(draft.agents);
  if (report.touches(['agents'])) return;
  if (agents.length === 0) idle('agents', 'the policy has no agents');
  else if (agents.every(([, agent]) => writes(agent, 'limit'))) idle('agents', 'each agent has a limit of its own');
}
