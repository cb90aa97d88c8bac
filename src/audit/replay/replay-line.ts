import { ANONYMOUS_CALLER } from '../../caller/reserved.ts';
import { inView, requestRoles } from '../../caller/roles/views.ts';
import type { Policy, Route } from '../../policy/checked/types.ts';
import { CERTIFICATE_PROVIDER } from '../../policy/forms/reserved-names.ts';
import { isSameValue } from '../../rules/compare/declared.ts';
import { toTable } from '../../rules/table/table.ts';
import type { Decision } from '../../rules/types.ts';
import { stageOf } from '../lines/decided-by.ts';
import { isCut, type LogLine } from '../lines/line.ts';
import { type Requested, requestedBy, type Unreadable } from '../lines/logged-caller.ts';
import { addedActsFor, changedRoles } from './changed-roles.ts';
import { ClaimedRoles, viewFrom } from './claimed-roles.ts';
import type { Decider } from './decider.ts';

/** What becomes of a request. `service` and `as` are absent if the line does not show them. */
export type Outcome =
  | { readonly allow: true; readonly rule: string; readonly service?: string; readonly as?: string }
  | { readonly allow: false; readonly reason: string; readonly rule: string };

/** Why it is not known what a policy does with the request of a line:
 *
 * - `credential`, `nginx`: the old gateway refused the request before any rule, and the line shows no caller.
 * - `roles`: the decision depends on a role whose definition changed.
 * - `alone`: the line does not say whether the agent was alone. */
export type Unknown = Unreadable | 'credential' | 'nginx' | 'roles' | 'alone';

export type Replayed =
  | { readonly kind: 'same' }
  | { readonly kind: 'unknown'; readonly why: Unknown; readonly roles?: readonly string[] }
  | {
      /** `moved`: to another service or identity; `headers`: with other identity headers. */
      readonly kind: 'allowed' | 'denied' | 'moved' | 'headers';
      readonly before: Outcome;
      readonly after: Outcome;
    };

const same: Replayed = Object.freeze({ kind: 'same' });

const outcomeOf = (decision: Decision): Outcome =>
  decision.allow
    ? { allow: true, rule: decision.rule.id, service: decision.rule.service, as: decision.rule.as }
    : { allow: false, reason: decision.reason, rule: decision.nearest?.id ?? '' };

/** Whether two outcomes are the same for the client and the service: rules can have other numbers, refusals other
 * reasons. */
function isSame(a: Outcome, b: Outcome): boolean {
  if (!a.allow || !b.allow) return a.allow === b.allow;
  const isEqual = (x: string | undefined, y: string | undefined) => x === undefined || y === undefined || x === y;
  return isEqual(a.service, b.service) && isEqual(a.as, b.as);
}

/** Decides the requests of log lines by another policy. */
export class Replay {
  readonly #fresh: Decider;
  readonly #old: Decider | undefined;
  /** The roles that the lines do not show, because their definition changed. */
  readonly #changed: ReadonlySet<string>;
  readonly #nobody: (address: string) => Requested['caller'];
  readonly #claimed: ClaimedRoles | undefined;

  /** @param old the policy of the lines. Absent: the lines say what the gateway did, and roles keep their meaning */
  constructor(fresh: Decider, old?: Decider) {
    this.#fresh = fresh;
    this.#old = old;
    this.#changed = old === undefined ? new Set() : changedRoles(old.ruled.policy, fresh.ruled.policy);
    this.#nobody = anonymousAt(fresh.ruled.policy);
    this.#claimed = old && new ClaimedRoles(old.ruled.policy, fresh.ruled.policy);
  }

  /** Returns what changes for the request of a line. */
  of(line: LogLine): Replayed {
    const stage = stageOf(line);
    if (stage !== 'rules' && stage !== 'later') return this.#refusedBefore(line, stage ?? 'nginx');
    if (isCut(line.path) || isCut(line.host)) return { kind: 'unknown', why: 'cut' };
    const all = requestedBy(line);
    if (typeof all === 'string') return { kind: 'unknown', why: all };
    const before = this.#before(line, all);
    const found = this.#fresh.match(line.host, line.path);
    if ('reason' in found) return changeOf(before, { allow: false, reason: found.reason, rule: '' });
    const refused = refusedAt(found.host.providers, found.route, line);
    if (refused !== undefined) return changeOf(before, refused);
    return this.#decided(line, all, before, found.route);
  }

  /** A request that no rule decided stays refused, unless the new policy accepts its credential. */
  #refusedBefore({ host, path, route }: LogLine, stage: 'credential' | 'nginx'): Replayed {
    if (stage === 'nginx' && route !== '') return { kind: 'unknown', why: 'nginx' };
    const has = !isCut(path) && !('reason' in this.#fresh.match(host, path));
    return has ? { kind: 'unknown', why: stage } : same;
  }

  #before(line: LogLine, all: readonly Requested[]): Outcome {
    const { reason, rule, service, identity, host, path } = line;
    if (this.#old !== undefined) {
      const found = this.#old.match(host, path);
      if ('reason' in found) return { allow: false, reason: found.reason, rule: '' };
      return outcomeOf(this.#old.decide(found.route.name, all[0] as Requested));
    }
    if (reason === '') return { allow: true, rule, service, as: identity };
    return stageOf(line) === 'later' ? { allow: true, rule } : { allow: false, reason, rule };
  }

  #decided(line: LogLine, all: readonly Requested[], before: Outcome, route: Route): Replayed {
    const { held, hidden } = this.#rolesOf(line, route);
    const outcomes = all.flatMap((requested) =>
      this.#callers(line, requested, held, hidden).map((caller) =>
        outcomeOf(this.#fresh.decide(route.name, { ...requested, caller })),
      ),
    );
    const results = outcomes.map((after) => this.#change(before, after, line, route));
    const [first = same] = results;
    if (results.every((it) => it.kind === first.kind && JSON.stringify(it) === JSON.stringify(first))) return first;
    return all.length > 1 && hidden.length === 0
      ? { kind: 'unknown', why: 'alone' }
      : { kind: 'unknown', why: 'roles', roles: hidden };
  }

  /** The roles in the rules of a route that the line does not name although its caller may have them: those that the
   * caller has by the claims in the line, and those about which the line says nothing. */
  #rolesOf(line: LogLine, { name }: Route): { readonly held: readonly string[]; readonly hidden: readonly string[] } {
    if (this.#old === undefined) return { held: [], hidden: [] };
    const { agent } = line;
    const more = agent === '' ? [] : addedActsFor(this.#old.ruled.policy, this.#fresh.ruled.policy, agent);
    const named = this.#fresh.rules(name).flatMap(({ who }) => (who.kind === 'role' ? [who.role] : []));
    const [held, hidden]: [string[], string[]] = [[], []];
    for (const role of new Set(named)) {
      if (!this.#changed.has(role) && !more.includes(role)) continue;
      const has = this.#claimed?.has(role, line);
      if (has !== false) (has ? held : hidden).push(role);
    }
    return { held, hidden };
  }

  /** Returns the caller without the hidden roles, and with all of them. No other combination is allowed more or less, or
   * by another rule, than one of the two. */
  #callers(
    { address }: LogLine,
    { caller }: Requested,
    held: readonly string[],
    hidden: readonly string[],
  ): readonly Requested['caller'][] {
    if (caller === null || caller.nobody === true) return [this.#nobody(address)];
    if (caller.alone === true) return [caller];
    const { policy } = this.#fresh.ruled;
    const isDeclared = (role: string) => Object.hasOwn(policy.roles, role) && !this.#changed.has(role);
    const one = { ...caller, roles: [...caller.roles.filter(isDeclared), ...held] };
    return hidden.length === 0 ? [one] : [one, { ...one, roles: [...one.roles, ...hidden] }];
  }

  #change(before: Outcome, after: Outcome, line: LogLine, route: Route): Replayed {
    const change = changeOf(before, after);
    if (change !== same || !after.allow || this.#old === undefined) return change;
    const was = this.#old.match(line.host, line.path);
    if ('reason' in was || was.route === route) return same;
    return isSameValue(was.route.headers, route.headers) ? same : { kind: 'headers', before, after };
  }
}

function changeOf(before: Outcome, after: Outcome): Replayed {
  if (isSame(before, after)) return same;
  return { kind: before.allow && after.allow ? 'moved' : after.allow ? 'allowed' : 'denied', before, after };
}

/** Returns the refusal of a caller whose provider the host no longer accepts. */
function refusedAt(providers: readonly string[], { accept }: Route, { provider }: LogLine): Outcome | undefined {
  if (provider === '') return undefined;
  if (provider === CERTIFICATE_PROVIDER)
    return accept.includes('certificate') ? undefined : { allow: false, reason: 'credential_missing', rule: '' };
  return providers.includes(provider) ? undefined : { allow: false, reason: 'issuer_unknown', rule: '' };
}

/** Returns the anonymous caller at an address: the policy alone says which roles the address gives. */
function anonymousAt(policy: Policy): (address: string) => Requested['caller'] {
  const of = requestRoles(toTable(policy, [], { egress: '' }));
  if (of === undefined) return () => null;
  return (text) => {
    const { roles, elsewhere } = inView(ANONYMOUS_CALLER, of, viewFrom(text));
    return roles.length === 0 && elsewhere === undefined
      ? null
      : { roles, nobody: true, ...(elsewhere && { elsewhere }) };
  };
}
