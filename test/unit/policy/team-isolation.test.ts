import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy, Route } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { holds } from '../../harness/property.ts';
import { OPS, PAY, parseTexts } from './team-policy.ts';

/* Random files of team pay, of parts that are right and parts that reach beyond its grant. */

const PARTS = {
  roles: [
    'pay.clerk: { group: clerks, provider: okta }',
    'pay.lead: { all: [staff, { group: leads, provider: okta }] }',
    'pay.any: { any: [pay.clerk, pay.lead] }',
    'staff: { group: clerks, provider: okta }',
    'ops.admin: { group: clerks, provider: okta }',
    'clerk: { group: clerks, provider: okta }',
  ],
  services: [
    'pay-web: { authority: web.pay.svc.cluster.local, namespace: pay, labels: { app: web } }',
    'pay-api: { authority: api.pay.svc.cluster.local, namespace: pay, labels: { app: api } }',
    'pay-wiki: { authority: wiki.wiki.svc.cluster.local }',
    'wiki: { authority: web.pay.svc.cluster.local }',
    'search: { authority: web.pay.svc.cluster.local }',
    'ops-web: { authority: web.pay.svc.cluster.local }',
  ],
  hosts: [
    'pay.example.com',
    'a.pay.example.com',
    '"*.pay.example.com"',
    'wiki.example.com',
    'ops.example.com',
    '"*.example.com"',
  ],
  paths: ['/*', '/api/*', '/hook', '/.meshgate/x'],
  targets: ['pay-web', 'pay-api', 'search', 'wiki', 'ops-web', 'pay-wiki'],
  rules: [
    'staff',
    'pay.clerk',
    'pay.lead',
    'pay.any, staff',
    'staff, pay.clerk',
    'staff, { agent: bot }',
    '{ role: staff, methods: [GET] }, pay.clerk',
    'ops.admin',
    'anyone',
    'authenticated',
    'staff, { role: pay.clerk, as: wiki-editor }',
  ],
  others: [
    'gateway: { clock_skew: 5m }',
    'headers: { X-A: subject }',
    'agents: { x: { match: { client_id: x }, acts_for: [staff], bound: none } }',
  ],
};

/** Mostly the first elements of a list, so that many files are valid. */
const mostly = <T>(all: readonly T[], right: number) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...all.slice(0, right)) },
    { weight: 1, arbitrary: fc.constantFrom(...all) },
  );

const route = fc
  .record({
    path: mostly(PARTS.paths, 3),
    service: mostly(PARTS.targets, 3),
    rules: mostly(PARTS.rules, 7),
  })
  .map(({ path, service, rules }) => `    ${path}: { service: ${service}, allow: [${rules}] }`);

/** Mostly nothing, and sometimes one of these. */
const seldom = (all: readonly string[]) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.constantFrom(...all).map((it) => [it]) },
  );

const indented = (all: readonly string[]) => all.map((it) => `  ${it}`);

/** A host whose routes use each definition that is right, because a definition without a use is an error. */
const USES = `  use.pay.example.com:
    providers: [okta]
    /a: { service: pay-web, allow: [pay.any] }
    /b: { service: pay-api, allow: [pay.lead, pay.clerk] }`;

const file = fc
  .record({
    roles: seldom(PARTS.roles.slice(3)),
    services: seldom(PARTS.services.slice(2)),
    hosts: fc.uniqueArray(
      fc.tuple(
        mostly(PARTS.hosts, 3),
        fc.uniqueArray(route, { minLength: 1, maxLength: 2, selector: (it) => it.split(':')[0] }),
      ),
      { selector: ([name]) => name, maxLength: 2 },
    ),
    others: seldom(PARTS.others),
  })
  .map(({ roles, services, hosts, others }) =>
    [
      ...others,
      'roles:',
      ...indented([...PARTS.roles.slice(0, 3), ...roles]),
      'services:',
      ...indented([...PARTS.services.slice(0, 2), ...services]),
      'hosts:',
      USES,
      ...hosts.flatMap(([name, routes]) => [`  ${name}:`, '    providers: [okta]', ...routes]),
      '',
    ].join('\n'),
  );

/** What a policy decides at a route, for callers with these roles. */
function decisions(rules: readonly Rule[], { name, host }: Route, roles: readonly string[]): unknown {
  const own = rules.filter((rule) => rule.route === name);
  const requested = (caller: Parameters<typeof decide>[1]) => {
    const decision = decide(own, caller, { route: name, method: 'GET' });
    return decision.allow ? [decision.rule.id, decision.rule.service, decision.rule.as] : decision.reason;
  };
  return [host, requested(null), requested({ roles }), requested({ roles, agent: 'bot' }), requested({ roles: [] })];
}

/** What the policy and the team ops decide, and everything that their routes and definitions say. */
function othersOf(policy: Policy): unknown {
  const rules = compile(policy);
  const hosts = policy.hosts.filter(({ team }) => team !== 'pay');
  const roles = [[], ['staff'], ['ops.admin'], ['staff', 'pay.clerk', 'pay.lead'], ['ops.admin', 'ops.release']];
  const { roles: allRoles, services, hosts: _, tests: __, ...rest } = policy;
  const others = (all: Readonly<Record<string, { readonly team?: string }>>) =>
    Object.values(all).filter(({ team }) => team !== 'pay');
  return {
    ...rest,
    hosts,
    roles: others(allRoles),
    services: others(services),
    decisions: hosts.flatMap((host) => host.routes.flatMap((it) => roles.map((held) => decisions(rules, it, held)))),
  };
}

const none = parseTexts({ pay: 'version: 1\n' });

test('whatever a team writes, others decide the same, or the file is an error', () => {
  const expected = othersOf(none.policy as Policy);
  let valid = 0;
  holds(
    fc.property(file, (pay) => {
      const { policy, errors } = parseTexts({ pay });
      if (policy === undefined) {
        expect(errors.map(({ team }) => team)).toEqual(errors.map(() => 'pay'));
        return;
      }
      valid++;
      // What the whole policy accepts, the team's own CI accepts too.
      expect(parseTexts({ pay }, { team: 'pay' }).errors).toEqual([]);
      expect(othersOf(policy)).toEqual(expected);
      for (const host of policy.hosts.filter(({ team }) => team === 'pay')) {
        expect(host.name).toMatch(/^(?:\*\.|[a-z]+\.)?pay\.example\.com$/);
      }
      for (const rule of compile(policy).filter(({ host }) => /(?:^|\.)pay\.example\.com$/.test(host))) {
        expect(rule.service).toMatch(/^pay-|^search$/);
        expect(rule.as).toBe('default');
        expect(rule.who.kind).not.toBe('anyone');
      }
    }),
    120,
  );
  expect(valid).toBeGreaterThan(30);
});

test('the file of a team has the same errors, whatever the file of another team contains', () => {
  holds(
    fc.property(file, fc.constantFrom(OPS, PAY, '', 'hosts: [', undefined), (pay, ops) => {
      const own = (texts: Parameters<typeof parseTexts>[0]) =>
        parseTexts(texts).errors.filter(({ team }) => team === 'pay');
      expect(own({ pay, ops })).toEqual(own({ pay }));
    }),
    30,
  );
});
