import { expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import type { Query } from '../../../src/rules/compare/compared-callers.ts';
import { covers } from '../../../src/rules/compare/cover.ts';
import { type Change, diff } from '../../../src/rules/compare/diff.ts';
import { population } from '../../../src/rules/compare/population.ts';
import { named, prove } from '../../../src/rules/compare/prove.ts';
import { type Region, written } from '../../../src/rules/compare/regions.ts';
import { compile } from '../../../src/rules/compile.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import { match } from '../../../src/rules/decide/match.ts';
import { alone } from '../../../src/rules/implied.ts';
import type { Path, Rule } from '../../../src/rules/types.ts';
import { draw } from '../../harness/property.ts';
import { AGENTS, METHODS, policy, ROLES } from './arbitrary.ts';
import { CHANGES, chance, plant, rewrite } from './mutate.ts';

/** Compares the reported differences with the decision about each request. */

type Caller = Query;

const PEOPLE = [{ roles: [] }, ...ROLES.map((role) => ({ roles: [role] }))];

/** Anonymous callers: the roles that the request gives them before and after, one, two, or others. */
const ANONYMOUS = [
  ...[['reader'], ['admin'], ['reader', 'admin']].map((roles) => ({ left: roles, right: roles })),
  { left: [], right: ['reader'] },
  { left: ['admin'], right: [] },
  { left: ['reader'], right: ['admin'] },
  { left: ['admin'], right: ['admin', 'reader'] },
].map((it, i) => ({ ...it, address: `192.0.2.${i}` }));

const POPULATION = population(alone, ANONYMOUS);

/** The same on both sides. */
const EVEN = population(
  alone,
  ANONYMOUS.filter(({ left, right }) => left === right),
);

const CALLERS: readonly Caller[] = [
  null,
  ...ANONYMOUS.map(({ left, right }) => ({ roles: right, left, nobody: true }) as const),
  ...PEOPLE,
  ...AGENTS.flatMap(({ agent }) => PEOPLE.map((person) => ({ ...person, agent }))),
  ...AGENTS.map(({ agent }) => ({ roles: [], agent, alone: true }) as const),
];

const parsed = (text: string): Path =>
  text.endsWith('/*') ? { prefix: text.slice(0, -2), except: [] } : { exact: text };

/** A region reads as the policy does: the path of a route excludes its more specific routes. */
function inRegion({ path, except }: Region, rules: readonly (Rule | undefined)[], requested: string): boolean {
  const own = except.length > 0 ? undefined : rules.find((rule) => rule && written(rule.path) === path);
  if (own !== undefined && covers(own.path, requested)) return true;
  return (
    own === undefined && covers(parsed(path), requested) && !except.some((part) => covers(parsed(part), requested))
  );
}

function speaksOf({ who, still }: Change, caller: Caller): boolean {
  if (who.agent !== caller?.agent) return false;
  if (who.kind === 'alone' || caller?.alone) return who.kind === 'alone' && caller?.alone === true;
  if (caller?.roles.some((role) => still.includes(role))) return false;
  if (who.kind === 'anyone') return true;
  if (caller === null) return who.kind === 'nobody' && who.roles === undefined;
  if (caller.nobody) return saysOfBare(who, caller);
  if (who.kind === 'nobody') return false;
  return who.kind === 'authenticated' || who.roles.join() === caller.roles.join();
}

/** Whether it is about anonymous callers with these roles by the request, about all callers with a role, or about all
 * anonymous ones. */
function saysOfBare(who: Change['who'], { roles, left = roles }: Exclude<Caller, null>): boolean {
  if (who.kind === 'roles') return who.roles.every((role) => roles.includes(role) && left.includes(role));
  if (who.kind !== 'nobody' || who.roles === undefined) return who.kind === 'nobody';
  const [role = '', other = role] = who.roles;
  if (who.given === 'now') return roles.includes(role) && !left.includes(role);
  if (who.given === 'no longer') return left.includes(other) && !roles.includes(other);
  return who.roles.every((it) => roles.includes(it) && left.includes(it));
}

/** A statement about everyone with a role, or a loss of all anonymous callers, need not be true of anonymous callers
 * that have a role by the request: another rule may allow them. A statement about a role that the request gives is true
 * of callers without other roles. Any other statement is true of the callers that it names. */
function isOfRequest({ who, kind }: Change, { roles, left = roles }: Exclude<Caller, null>): boolean {
  if (who.kind !== 'nobody') return who.kind !== 'roles';
  if (who.roles === undefined) return kind === 'gained';
  return [...roles, ...left].every((role) => who.roles?.includes(role));
}

function hasMethod({ methods }: Change, method: string): boolean {
  if (methods === 'all') return true;
  return 'only' in methods ? methods.only.includes(method) : !methods.except.includes(method);
}

function outcome(policy: Policy, rules: readonly Rule[], host: string, path: string, method: string, caller: Caller) {
  const matched = match(policy.hosts, host, path);
  if ('reason' in matched) return undefined;
  const decision = decide(rules, caller, { route: matched.route.name, method });
  return decision.allow ? named(decision.rule) : undefined;
}

function kindOf(before: string | undefined, after: string | undefined): Change['kind'] | undefined {
  if (before === after) return undefined;
  if (before === undefined) return 'gained';
  return after === undefined ? 'lost' : 'changed';
}

const random = chance(5);
const planted = draw(policy, 300).map((one, i) => ({
  one,
  ...plant(one, CHANGES[i % CHANGES.length] as string, random),
}));

test('each gain, loss and other identity is reported, and nothing else', () => {
  let stated = 0;
  for (const { one, policy: other, routes } of planted) {
    const [before, after] = [compile(one), compile(other)];
    const changes = diff(before, after, POPULATION);
    const host = routes[0]!.host;
    const paths = routes.flatMap(({ path, kind }) => (kind === 'exact' ? [path] : [path || '/', `${path}/zz`]));
    for (const path of paths) {
      for (const method of METHODS) {
        const here = changes.filter(
          (it) =>
            it.host === host &&
            hasMethod(it, method) &&
            it.paths.some((region) => inRegion(region, [it.after, it.before], path)),
        );
        for (const caller of CALLERS) {
          const ask = (policy: Policy, rules: readonly Rule[], query: Caller) =>
            outcome(policy, rules, host.replace('*', 'zz'), path, method, query);
          const earlier = caller?.left === undefined ? caller : { ...caller, roles: caller.left };
          const [was, is] = [ask(one, before, earlier), ask(other, after, caller)];
          const own = here.filter((it) => speaksOf(it, caller));
          const kind = kindOf(was, is);
          if (kind !== undefined) {
            stated += 1;
            expect(own.map((it) => it.kind)).toContain(kind);
          }
          const reported = caller?.nobody ? own.filter((it) => isOfRequest(it, caller)) : own;
          for (const it of reported) expect(is === undefined, it.kind).toBe(it.kind === 'lost');
        }
      }
    }
  }
  expect(stated).toBeGreaterThan(1000);
});

test('nothing is reported exactly if the proof finds nothing', () => {
  for (const { one, policy: other } of planted) {
    const [before, after] = [compile(one), compile(other)];
    const witness = prove({ rules: before, outcome: named }, { rules: after, outcome: named }, POPULATION);
    expect(diff(before, after, POPULATION).length === 0).toBe(witness === undefined);
    expect(diff(before, compile(rewrite(one)), EVEN)).toEqual([]);
  }
});
