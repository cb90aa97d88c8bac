import { ADDRESS, REQUEST, SCOPE, SIGNIN } from '../../policy/facts/operator.ts';
import { dependsOn } from '../../rules/per-policy.ts';
import type { Decision, Rule } from '../../rules/types.ts';
import { type Stage, stageOf } from '../lines/decided-by.ts';
import { isCut, type LogLine } from '../lines/line.ts';
import { type Requested, requestedBy, type Unreadable } from '../lines/logged-caller.ts';
import type { Decider } from './decider.ts';

/** Why a line was not decided again. */
export type Undecided = Extract<Stage, 'credential' | 'nginx'> | Unreadable;

/** Whether the policy decides a line as the gateway did. `other` has both results in words. */
export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'undecided'; readonly why: Undecided }
  | { readonly kind: 'other'; readonly gateway: string; readonly policy: string };

const same: Verdict = Object.freeze({ kind: 'same' });

const reaching = (rule: string, service: string, identity: string): string =>
  `allowed by ${rule}, to ${service}${identity === '' ? '' : ` as ${identity}`}`;

/** Returns what the gateway did, in words. */
export function doneText({ rule, reason, service, identity, status }: LogLine): string {
  if (reason !== '') return rule === '' ? `refused: ${reason}` : `refused: ${reason}, nearest rule ${rule}`;
  return rule === '' ? `answered ${status} without a rule` : reaching(rule, service, identity);
}

/** Returns a decision in words. */
const decisionText = (decision: Decision): string =>
  decision.allow
    ? reaching(decision.rule.id, decision.rule.service, decision.rule.as)
    : `refused: ${decision.reason}${decision.nearest === undefined ? '' : `, nearest rule ${decision.nearest.id}`}`;

/** Whether the caller of a refusal lacked a property that the line does not show, such as a stronger sign-in for a role.
 * The policy must say that the role depends on such a property. */
function lacking({ reason, rule }: LogLine, decider: Decider, requested: Requested): readonly Requested[] {
  const { caller } = requested;
  const named = decider.rule(rule);
  const role = named?.who.kind === 'role' ? named.who.role : undefined;
  const { policy } = decider.ruled;
  const depends = (name: string, bit: number): boolean => (dependsOn(policy).role(name) & bit) !== 0;
  const far = decider
    .rules(named?.route ?? '')
    .flatMap(({ who }) => (who.kind === 'role' && depends(who.role, ADDRESS) ? [who.role] : []));
  const isAnonymous = caller === null || caller.nobody === true;
  if (reason === 'network_refused' && isAnonymous)
    return [{ ...requested, caller: { roles: [], nobody: true, elsewhere: far } }];
  if (isAnonymous) {
    // The refusal of an anonymous caller does not show the roles that its request gave.
    return role !== undefined && depends(role, REQUEST)
      ? [{ ...requested, caller: { roles: [role], nobody: true } }]
      : [];
  }
  if (role === undefined) return [];
  if (reason === 'step_up_required' && depends(role, SIGNIN))
    return [{ ...requested, caller: { ...caller, stepUp: [role] } }];
  if (reason === 'scope_missing' && depends(role, SCOPE))
    return [{ ...requested, caller: { ...caller, scopeUp: { [role]: 'said' } } }];
  if (reason === 'network_refused' && depends(role, ADDRESS))
    return [{ ...requested, caller: { ...caller, elsewhere: [role] } }];
  return [];
}

/** Returns the caller with a role of another team that allowed it. The lines of a team's host do not show such roles. */
function hiddenRole({ rule }: LogLine, decider: Decider, requested: Requested): readonly Requested[] {
  const named = decider.rule(rule);
  const { roles, hosts } = decider.ruled.policy;
  if (named?.who.kind !== 'role' || requested.caller === null) return [];
  const { role } = named.who;
  const { team } = roles[role] ?? {};
  if (team === undefined || team === hosts.find(({ name }) => name === named.host)?.team) return [];
  return [{ ...requested, caller: { ...requested.caller, roles: [...requested.caller.roles, role] } }];
}

const isAllowedBy = ({ rule, service, identity }: LogLine, stage: Stage, by: Rule): boolean =>
  by.id === rule && (stage === 'later' || (by.service === service && by.as === identity));

function agrees(line: LogLine, stage: Stage, decision: Decision): boolean {
  if (stage === 'later' || line.reason === '') return decision.allow && isAllowedBy(line, stage, decision.rule);
  // The session of an anonymous caller ended, and the rules decide as without it.
  const reason = line.reason === 'session_expired' ? 'credential_missing' : line.reason;
  return !decision.allow && decision.reason === reason && (decision.nearest?.id ?? '') === line.rule;
}

/** Whether the route of the policy is the route of the line. */
function routeVerdict(line: LogLine, decider: Decider): Verdict | undefined {
  const { host, path, route, reason } = line;
  if (isCut(host) || isCut(path)) {
    if (route === '' || decider.routesOf(host, path).includes(route)) return undefined;
    return { kind: 'other', gateway: `took route ${route}`, policy: 'has another route for each path that begins so' };
  }
  const found = decider.match(host, path);
  const is = 'reason' in found ? found.reason : found.route.name;
  if (route !== '') {
    return is === route
      ? undefined
      : { kind: 'other', gateway: `took route ${route}`, policy: `has ${is} for this path` };
  }
  // host_unknown also means that the name in TLS differs from that in the request, which no line shows.
  return reason === 'route_unknown' && !('reason' in found)
    ? { kind: 'other', gateway: doneText(line), policy: `has route ${is}` }
    : undefined;
}

/** Whether the request went to a service although no rule allowed it, or although it was refused. Pages of the gateway
 * come from a unix socket. */
function isUnruled({ rule, reason, identity, upstream }: LogLine): boolean {
  if (rule !== '' && reason === '') return false;
  const isService = (address: string) => address !== '' && !address.startsWith('unix:');
  return identity !== '' || upstream.split(/, | : /).some(isService);
}

function unruled(line: LogLine): Verdict {
  const { upstream, identity, reason } = line;
  const [to, as] = [upstream === '' ? 'a service' : upstream, identity === '' ? '' : ` as ${identity}`];
  const sent = `sent the request to ${to}${as}`;
  return reason === ''
    ? {
        kind: 'other',
        gateway: `${sent}, without a rule`,
        policy: 'sends no request to a service without a rule',
      }
    : { kind: 'other', gateway: `${sent}, ${doneText(line)}`, policy: 'sends no request that it refuses to a service' };
}

/** Returns the request of a line with the properties of its caller with which the policy decides as the gateway did.
 * If there are none, it returns the request as the line shows it. */
function fitting(
  line: LogLine,
  stage: Stage,
  decider: Decider,
  all: readonly Requested[],
): { requested: Requested; agrees: boolean } {
  const decides = (requested: Requested) => agrees(line, stage, decider.assuming(line.route, requested));
  const found =
    all.find((requested) => agrees(line, stage, decider.decide(line.route, requested))) ??
    all
      .flatMap((requested) => [...lacking(line, decider, requested), ...hiddenRole(line, decider, requested)])
      .find(decides);
  return { requested: found ?? (all[0] as Requested), agrees: found !== undefined };
}

/** Returns the request of a line for an explanation; see {@link fitting}. */
export function requestedAs(line: LogLine, decider: Decider): Requested | Unreadable {
  const all = requestedBy(line);
  const stage = stageOf(line);
  return typeof all === 'string' || stage === undefined
    ? (all as Unreadable)
    : fitting(line, stage, decider, all).requested;
}

/** Decides the request of a line again, by the policy of its digest, and compares the result with what the gateway did:
 * route, rule, service and identity, or the reason of the refusal and the nearest rule. */
export function redecide(line: LogLine, decider: Decider): Verdict {
  const stage = stageOf(line);
  if (stage === undefined) return { kind: 'other', gateway: doneText(line), policy: 'knows no such reason' };
  const routed = routeVerdict(line, decider);
  if (routed !== undefined) return routed;
  if (isUnruled(line)) return unruled(line);
  if (stage === 'nginx' || stage === 'credential') return { kind: 'undecided', why: stage };
  const all = requestedBy(line);
  if (typeof all === 'string') return { kind: 'undecided', why: all };
  const { requested, agrees: is } = fitting(line, stage, decider, all);
  if (is) return same;
  return { kind: 'other', gateway: doneText(line), policy: decisionText(decider.decide(line.route, requested)) };
}
