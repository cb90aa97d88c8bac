import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Allow, Policy, Route } from '../../../src/policy/checked/types.ts';
import type { Query } from '../../../src/rules/compare/compared-callers.ts';
import { population } from '../../../src/rules/compare/population.ts';
import { named, prove, proveIdentities, type Side, type Witness } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import { match } from '../../../src/rules/decide/match.ts';
import { alone, impliedBy } from '../../../src/rules/implied.ts';
import { envoyProjection } from '../../../src/targets/envoy/read.ts';
import { draw, holds } from '../../harness/property.ts';
import { AGENTS, at, METHODS, policy, ROLES } from './arbitrary.ts';
import { CHANGES, chance, plant, rewrite } from './mutate.ts';

const NONE = population(alone, []);

const sideOf = (policy: Policy): Side => ({ rules: compile(policy), outcome: named });

const compare = (left: Policy, right: Policy) => prove(sideOf(left), sideOf(right), NONE);

const CALLERS: readonly Query[] = [
  null,
  ...AGENTS.map(({ agent }) => ({ roles: [], agent, alone: true }) as const),
  ...[undefined, ...AGENTS.map(({ agent }) => agent)].flatMap((agent) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
      roles: ROLES.filter((_, i) => bits & (1 << i)),
      ...(agent !== undefined && { agent }),
    })),
  ),
];

/** The gateway's result: by the matcher and the decision, which do not use proofs. */
function verdict(policy: Policy, rules: Side['rules'], { host, path, method, caller }: Witness): string {
  const matched = match(policy.hosts, host, path);
  if ('reason' in matched) return 'refused';
  const decision = decide(rules, caller, { route: matched.route.name, method });
  return decision.allow ? named(decision.rule) : 'refused';
}

/** Whether some request at these routes is decided differently. */
function differsAt(routes: readonly Route[], left: Policy, right: Policy): boolean {
  const [leftRules, rightRules] = [compile(left), compile(right)];
  const paths = routes.flatMap(({ path, kind }) => (kind === 'exact' ? [path] : [path, `${path}/zz`]));
  const host = (routes[0] as Route).host.replace('*', 'zz');
  return paths
    .filter((path) => path !== '')
    .some((path) =>
      METHODS.some((method) =>
        CALLERS.some((caller) => {
          const request = { host, path, method, caller };
          return verdict(left, leftRules, request) !== verdict(right, rightRules, request);
        }),
      ),
    );
}

const policies = draw(policy, 200);

describe('any policy', () => {
  test('is the same as itself', () => {
    holds(
      fc.property(policy, (one) => {
        expect(compare(one, one)).toBeUndefined();
      }),
      300,
    );
  });

  test('is the same as itself in other words', () => {
    holds(
      fc.property(policy, (one) => {
        const same = rewrite(one);
        expect(compare(one, same)).toBeUndefined();
        expect(compare(same, one)).toBeUndefined();
      }),
      300,
    );
  });
});

describe('planted differences', () => {
  test('are found, each with a request that the decision confirms, and none is invented', () => {
    const found: Record<string, number> = {};
    holds(
      fc.property(policy, fc.constantFrom(...CHANGES), fc.nat(), (one, kind, seed) => {
        const { policy: other, routes } = plant(one, kind, chance(seed));
        const witness = compare(one, other);
        if (differsAt(routes, one, other)) {
          found[kind] = (found[kind] ?? 0) + 1;
          expect(witness, `${kind} at ${routes[0]?.name}`).toBeDefined();
        }
        if (witness === undefined) return;
        const verdicts = [verdict(one, compile(one), witness), verdict(other, compile(other), witness)];
        expect(verdicts).toEqual([witness.left, witness.right].map((rule) => (rule ? named(rule) : 'refused')));
        expect(verdicts[0]).not.toBe(verdicts[1]);
      }),
      500,
    );
    expect(Object.keys(found).sort()).toEqual([...CHANGES].sort());
    expect(Object.values(found).reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(300);
  });
});

function withAllow(...allow: Omit<Allow, 'at'>[]): Policy {
  const route: Route = {
    ...{ name: 'wiki.test/*', host: 'wiki.test', path: '', kind: 'prefix', service: 'wiki', accept: ['bearer'] },
    ...{ allow: allow.map((one) => ({ ...one, at })), headers: {}, at },
  };
  return { ...(policies[0] as Policy), hosts: [{ name: 'wiki.test', providers: [], routes: [route], at }] };
}

const role = (name: string, as = 'default') => ({ who: { kind: 'role' as const, role: name }, as });

describe('callers', () => {
  test('the order of rules matters only if a caller has two roles, and they use different identities', () => {
    const [a, b] = [role('reader', 'default'), role('editor', 'wiki-editor')];
    expect(compare(withAllow(a, b), withAllow(b, a))).toMatchObject({ caller: { roles: ['reader', 'editor'] } });
    expect(compare(withAllow(a, role('editor')), withAllow(role('editor'), a))).toBeUndefined();
  });

  test('a rule that the earlier ones make useless changes nothing', () => {
    const all = { who: { kind: 'authenticated' as const }, as: 'default' };
    expect(compare(withAllow(all), withAllow(all, role('editor', 'wiki-editor')))).toBeUndefined();
    expect(compare(withAllow(all), withAllow(role('editor', 'wiki-editor'), all))).toMatchObject({
      caller: { roles: ['editor'] },
    });
  });

  test('an anonymous caller differs from a caller without a role', () => {
    const authenticated = { who: { kind: 'authenticated' as const }, as: 'default' };
    const anyone = { who: { kind: 'anyone' as const }, as: 'default' };
    expect(compare(withAllow(authenticated), withAllow(anyone))).toMatchObject({ caller: null });
    expect(compare(withAllow(authenticated), withAllow(role('reader')))).toMatchObject({ caller: { roles: [] } });
  });

  test('a role that is made of another one implies it', () => {
    const fact = { op: 'all' as const, facts: [{ op: 'role' as const, value: 'editor', at }], at };
    const of = (...allow: Omit<Allow, 'at'>[]): Policy => {
      const one = withAllow(...allow);
      return { ...one, roles: { ...one.roles, admin: { name: 'admin', fact, at } } };
    };
    const [left, right] = [of(role('editor')), of(role('editor'), role('admin'))];
    expect(prove(sideOf(left), sideOf(right), population(impliedBy([left, right]), []))).toBeUndefined();
    expect(prove(sideOf(left), sideOf(right), NONE)).toMatchObject({ caller: { roles: ['admin'] } });
  });
});

test('methods that neither policy names are one class', () => {
  const get = { ...role('reader'), methods: ['GET'] };
  const all = { ...role('reader') };
  expect(compare(withAllow(get, { ...all, methods: ['POST'] }), withAllow(get, all))).toMatchObject({
    method: 'PATCH',
    right: { id: 'wiki.test/*#2' },
  });
});

describe('identities, as a mesh sees them', () => {
  test('a policy’s projection is the same as itself, in any order', () => {
    for (const one of policies) {
      const rules = envoyProjection(one, compile(one));
      expect(proveIdentities(rules, [...rules].reverse())).toBeUndefined();
    }
  });

  test('a removed rule is found unless others allow the same', () => {
    let differ = 0;
    for (const one of policies) {
      const rules = envoyProjection(one, compile(one));
      const witness = proveIdentities(rules, rules.slice(1));
      if (witness === undefined) continue;
      differ += 1;
      expect(witness).toMatchObject({ left: { id: rules[0]?.id, as: witness.caller } });
      expect(witness.right).toBeUndefined();
    }
    expect(differ).toBeGreaterThan(50);
  });
});

test('of 200 routes for 50 roles each, in two orders, every pair of roles is looked at', () => {
  const roles = Array.from({ length: 50 }, (_, i) => `role-${i}`);
  const large = (order: readonly string[]): Policy => {
    const routes = Array.from({ length: 200 }, (_, i): Route => {
      const path = i === 0 ? '' : `/area-${i % 20}/page-${i}`;
      const allow = order.map((name): Allow => ({ ...role(name), ...(i % 2 ? { methods: ['GET', 'POST'] } : {}), at }));
      const name = `wiki.test${path}/*`;
      return {
        name,
        host: 'wiki.test',
        path,
        kind: 'prefix',
        service: 'wiki',
        accept: ['bearer'],
        allow,
        headers: {},
        at,
      };
    });
    return { ...(policies[0] as Policy), hosts: [{ name: 'wiki.test', providers: [], routes, at }] };
  };
  // Another order with one identity: no short cut, and every pair of roles is compared.
  expect(compare(large(roles), large([...roles].reverse()))).toBeUndefined();
});
