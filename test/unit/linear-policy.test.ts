import { expect, test } from 'vitest';
import type { Policy } from '../../src/policy/checked/types.ts';
import { countSteps } from '../harness/steps.ts';
import { largePolicy } from '../large.ts';

/* A policy is checked, compared and proven with work that grows with its size, and not with the square of it. */

const steps = countSteps();

// These files are loaded while steps are counted, so that each block of them counts.
const { parsePolicy } = await import('../../src/policy/index.ts');
const { compile } = await import('../../src/rules/compile.ts');
const { diff } = await import('../../src/rules/compare/diff.ts');
const { populationOf } = await import('../../src/rules/compare/population.ts');
const { named, prove } = await import('../../src/rules/compare/prove.ts');

const SMALL = 200;
const LARGE = 800;

/** Four times the size is four times the work, or up to sixteen times; sorting adds a little. */
const LINEAR = 5;

/** A policy with this many roles, and with a rule for each role on one route. */
const textOf = (size: number): string => largePolicy({ routes: 1, roles: size, rolesOfRoute: size });

function read(text: string): Policy {
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  expect(errors).toEqual([]);
  return policy as Policy;
}

type Rules = Policy['hosts'][number]['routes'][number]['allow'];

/** The same policy with other rules on its route. */
function withRules(policy: Policy, change: (rules: Rules) => Rules): Policy {
  const hosts = policy.hosts.map((host) => ({
    ...host,
    routes: host.routes.map((route) => ({ ...route, allow: change(route.allow) })),
  }));
  return { ...policy, hosts };
}

/** How many times more steps a piece of work takes for a large policy than for a small one. */
function growth<T>(prepare: (size: number) => T, work: (prepared: T) => unknown): number {
  // The first run loads and fills what later runs share.
  work(prepare(SMALL));
  const [small, large] = [SMALL, LARGE].map((size) => {
    const prepared = prepare(size);
    return steps(() => work(prepared));
  }) as [number, number];
  expect(small).toBeGreaterThan(SMALL);
  return large / small;
}

test('the count of steps shows work that grows with the square', () => {
  const small = textOf(10);
  const square = (size: number) => Array.from({ length: (size / 40) ** 2 }, () => read(small));
  expect(growth((size) => size, square)).toBeGreaterThan(2 * LINEAR);
});

test('a policy is checked with work that grows with its size', () => {
  expect(growth(textOf, (text) => read(text))).toBeLessThan(LINEAR);
});

test('an error in a policy is found with work that grows with its size', () => {
  const prepare = (size: number) => textOf(size).replace('role: role-0', 'role: nosuch');
  const found = (text: string) => expect(parsePolicy(text, 'meshgate.yaml').policy).toBeUndefined();
  expect(growth(prepare, found)).toBeLessThan(LINEAR);
});

test.each<readonly [string, (rules: Rules) => Rules]>([
  ['the same rules', (rules) => rules],
  ['one rule less', (rules) => rules.slice(1)],
  ['half of the rules', (rules) => rules.filter((_, i) => i % 2 === 0)],
  ['no rules', () => []],
  ['other methods', (rules) => rules.map((rule) => ({ ...rule, methods: ['POST'] }))],
  ['other identities', (rules) => rules.map((rule) => ({ ...rule, as: 'default' }))],
])('a policy is compared with work that grows with its size: %s', (_, change) => {
  const prepare = (size: number) => {
    const before = read(textOf(size));
    return [before, withRules(before, change)] as const;
  };
  const compared = ([before, after]: ReturnType<typeof prepare>) => {
    const [old, fresh] = [compile(before), compile(after)];
    const population = populationOf(before, after);
    diff(old, fresh, population);
    prove({ rules: old, outcome: named }, { rules: fresh, outcome: named }, population);
  };
  expect(growth(prepare, compared)).toBeLessThan(LINEAR);
});
