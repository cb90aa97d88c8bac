import { expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/types.ts';
import type { Asking } from '../../../src/rules/callers.ts';
import { compile } from '../../../src/rules/compile.ts';
import { covers } from '../../../src/rules/cover.ts';
import { decide } from '../../../src/rules/decide.ts';
import { type Change, diff } from '../../../src/rules/diff.ts';
import { alone } from '../../../src/rules/implied.ts';
import { match } from '../../../src/rules/match.ts';
import { named, prove } from '../../../src/rules/prove.ts';
import { type Region, written } from '../../../src/rules/regions.ts';
import type { Path, Rule } from '../../../src/rules/types.ts';
import { draw } from '../../harness/property.ts';
import { AGENTS, METHODS, policy, ROLES } from './arbitrary.ts';
import { CHANGES, chance, plant, rewrite } from './mutate.ts';

/** Differences as text, held against what the decision says of each request. */

type Caller = Asking;

const PEOPLE = [{ roles: [] }, ...ROLES.map((role) => ({ roles: [role] }))];

/** Roles that the request alone may give. */
const BY_REQUEST = new Set(['reader', 'admin']);

const CALLERS: readonly Caller[] = [
  null,
  ...[...BY_REQUEST].map((role) => ({ roles: [role], nobody: true }) as const),
  ...PEOPLE,
  ...AGENTS.flatMap(({ agent }) => PEOPLE.map((person) => ({ ...person, agent }))),
  ...AGENTS.map(({ agent }) => ({ roles: [], agent, alone: true }) as const),
];

const parsed = (text: string): Path =>
  text.endsWith('/*') ? { prefix: text.slice(0, -2), except: [] } : { exact: text };

/** A region reads as the policy does: the path of a route leaves out what its more specific routes take. */
function inRegion({ path, except }: Region, rules: readonly (Rule | undefined)[], asked: string): boolean {
  const own = except.length > 0 ? undefined : rules.find((rule) => rule && written(rule.path) === path);
  if (own !== undefined && covers(own.path, asked)) return true;
  return own === undefined && covers(parsed(path), asked) && !except.some((part) => covers(parsed(part), asked));
}

function speaksOf({ who, still }: Change, caller: Caller): boolean {
  if (who.agent !== caller?.agent) return false;
  if (who.kind === 'alone' || caller?.alone) return who.kind === 'alone' && caller?.alone === true;
  if (caller?.roles.some((role) => still.includes(role))) return false;
  if (who.kind === 'anyone') return true;
  if (caller === null) return who.kind === 'nobody' && who.roles === undefined;
  if (caller.nobody) return saysOfBare(who, caller.roles.join());
  if (who.kind === 'nobody') return false;
  return who.kind === 'authenticated' || who.roles.join() === caller.roles.join();
}

/** Whether it is said of anonymous callers with a role by the request, of all who have the role, or of all anonymous ones. */
function saysOfBare(who: Change['who'], role: string): boolean {
  if (who.kind === 'nobody') return who.roles === undefined || who.roles.join() === role;
  return who.kind === 'roles' && who.roles.join() === role;
}

/**
 * A statement about everyone with a role, or a loss of all anonymous callers, need not be true of anonymous callers to
 * whom the request gives a role: another rule may let them pass. Any other statement is true of those it speaks of.
 */
function isOfRequest({ who, kind }: Change): boolean {
  return who.kind === 'nobody' ? who.roles !== undefined || kind === 'gained' : who.kind !== 'roles';
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

test('each gain, loss and other identity is stated, and nothing else', () => {
  let stated = 0;
  for (const { one, policy: other, routes } of planted) {
    const [before, after] = [compile(one), compile(other)];
    const changes = diff(before, after, alone, BY_REQUEST);
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
          const ask = (policy: Policy, rules: readonly Rule[]) =>
            outcome(policy, rules, host.replace('*', 'zz'), path, method, caller);
          const [was, is] = [ask(one, before), ask(other, after)];
          const own = here.filter((it) => speaksOf(it, caller));
          const kind = kindOf(was, is);
          if (kind !== undefined) {
            stated += 1;
            expect(own.map((it) => it.kind)).toContain(kind);
          }
          const said = caller?.nobody ? own.filter(isOfRequest) : own;
          for (const it of said) expect(is === undefined, it.kind).toBe(it.kind === 'lost');
        }
      }
    }
  }
  expect(stated).toBeGreaterThan(1000);
});

test('nothing is stated exactly where the proof finds nothing', () => {
  for (const { one, policy: other } of planted) {
    const [before, after] = [compile(one), compile(other)];
    const witness = prove({ rules: before, outcome: named }, { rules: after, outcome: named }, alone, BY_REQUEST);
    expect(diff(before, after, alone, BY_REQUEST).length === 0).toBe(witness === undefined);
    expect(diff(before, compile(rewrite(one)), alone, BY_REQUEST)).toEqual([]);
  }
});
