import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Allow, Host, Policy, Route } from '../../../src/policy/checked/types.ts';
import { covers } from '../../../src/rules/compare/cover.ts';
import { compile } from '../../../src/rules/compile.ts';
import { decide, hasMethod, isWho } from '../../../src/rules/decide/decide.ts';
import { match } from '../../../src/rules/decide/match.ts';
import { enforced, writtenId } from '../../../src/rules/enforced.ts';
import { draw, holds } from '../../harness/property.ts';
import { at, caller, method, policy, requestPath } from './arbitrary.ts';

const everyone: Allow = { who: { kind: 'authenticated' }, as: 'default', at };

function route(path: string, allow: readonly Allow[] = [everyone]): Route {
  const prefix = path.endsWith('/*');
  return {
    name: `wiki.test${path}`,
    host: 'wiki.test',
    path: prefix ? path.slice(0, -2) : path,
    kind: prefix ? 'prefix' : 'exact',
    service: 'wiki',
    accept: ['bearer'],
    allow,
    headers: {},
    at,
  };
}

function withRoutes(...routes: Route[]): Policy {
  const hosts: Host[] = [{ name: 'wiki.test', providers: [], routes, at }];
  return { ...draw(policy, 1)[0]!, hosts };
}

test('a rule is named after its route and its place, and has caller, service and methods', () => {
  const allow: Allow = { who: { kind: 'role', role: 'editor' }, methods: ['POST'], as: 'wiki-editor', at };
  expect(compile(withRoutes(route('/rest/*', [everyone, allow])))[1]).toEqual({
    id: 'wiki.test/rest/*#2',
    at,
    route: 'wiki.test/rest/*',
    host: 'wiki.test',
    path: { prefix: '/rest', except: [] },
    methods: ['POST'],
    who: { kind: 'role', role: 'editor' },
    service: 'wiki',
    as: 'wiki-editor',
  });
});

test('GET includes HEAD, once', () => {
  const rules = compile(
    withRoutes(
      route('/*', [
        { ...everyone, methods: ['GET', 'POST'] },
        { ...everyone, methods: ['HEAD', 'GET'] },
      ]),
    ),
  );
  expect(rules.map((rule) => rule.methods)).toEqual([
    ['GET', 'POST', 'HEAD'],
    ['HEAD', 'GET'],
  ]);
});

test('a prefix leaves out its more specific siblings; of nested ones the outermost stands for all', () => {
  const paths = ['/*', '/', '/rest/*', '/rest', '/rest/api/*', '/restore', '/status'];
  expect(compile(withRoutes(...paths.map((path) => route(path)))).map((rule) => rule.path)).toEqual([
    {
      prefix: '',
      except: [{ exact: '/' }, { prefix: '/rest', except: [] }, { exact: '/restore' }, { exact: '/status' }],
    },
    { exact: '/' },
    { prefix: '/rest', except: [{ exact: '/rest' }, { prefix: '/rest/api', except: [] }] },
    { exact: '/rest' },
    { prefix: '/rest/api', except: [] },
    { exact: '/restore' },
    { exact: '/status' },
  ]);
});

test('the union of the enforced rules of a host allows exactly what the decision of the route does', () => {
  let allowed = 0;
  let acted = 0;
  holds(
    fc.property(policy, caller, method, requestPath, (policy, caller, method, path) => {
      const rules = compile(policy);
      for (const host of policy.hosts) {
        const name = host.name.replace('*', 'any');
        const found = match(policy.hosts, name, path);
        if ('reason' in found || found.host !== host) continue;
        const decision = decide(rules, caller, { route: found.route.name, method });
        const union = enforced(rules).filter(
          (rule) =>
            (rule.agent ?? undefined) === caller?.agent &&
            (!rule.alone || caller?.alone === true) &&
            rule.host === host.name &&
            covers(rule.path, path) &&
            hasMethod(rule, method) &&
            isWho(rule.who, caller),
        );
        expect(union.length > 0).toBe(decision.allow);
        if (decision.allow) {
          allowed += 1;
          expect(writtenId(union[0]?.id ?? '')).toBe(decision.rule.id);
          if (caller?.agent !== undefined) acted += 1;
        }
      }
    }),
    4000,
  );
  expect(allowed).toBeGreaterThan(200);
  expect(acted).toBeGreaterThan(5);
});

test('what no route matches, no rule covers', () => {
  holds(
    fc.property(policy, requestPath, (policy, path) => {
      for (const host of policy.hosts) {
        const found = match([host], host.name.replace('*', 'any'), path);
        const covering = compile({ ...policy, hosts: [host] }).filter((rule) => covers(rule.path, path));
        expect(covering.map((rule) => rule.route)).toEqual(
          'reason' in found ? [] : found.route.allow.map(() => found.route.name),
        );
      }
    }),
    1000,
  );
});
