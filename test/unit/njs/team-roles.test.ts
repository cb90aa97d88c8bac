/** Which services learn of the roles of a team. */
import { beforeEach, describe, expect, it } from 'vitest';
import { assertionClaims } from '../../../src/assertion/claims.ts';
import { hidesOf } from '../../../src/caller/roles/team-roles.ts';
import type { Table } from '../../../src/rules/types.ts';
import { adasToken, Context, publishKeys, table, wiki } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);

const at = { file: '', line: 1, column: 1 };
const fact = { op: 'group', value: 'staff', at } as const;

const routeOf = (name: string, team?: string): Table['routes'] => ({
  [name]: {
    ...(table.routes[`${wiki}/*`] as Table['routes'][string]),
    headers: { 'X-User': 'subject', 'X-Roles': 'roles' },
    ...(team !== undefined && { team }),
  },
});

/** Ada has every role of this policy: one of the policy and one of each team. A dot alone makes no role of a team. */
const withTeams: Table = {
  ...table,
  roles: ['staff', 'staff.of.all', 'pay.clerk', 'ops.admin'].map((name) => [name, fact] as const),
  teams: { 'pay.clerk': 'pay', 'ops.admin': 'ops' },
  headerNames: ['X-User', 'X-Roles'],
  routes: { ...routeOf(`${wiki}/*`), ...routeOf('pay.example.com/*', 'pay'), ...routeOf('tea.example.com/*', 'tea') },
};

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  await publishKeys(start);
});

const bearer = () => ({ Authorization: `Bearer ${adasToken(start)}` });

describe('a service receives the roles of the policy and of the team of its host', () => {
  it.each([
    [wiki, 'staff,staff.of.all'],
    ['pay.example.com', 'staff,staff.of.all,pay.clerk'],
    ['tea.example.com', 'staff,staff.of.all'],
  ])('at %s', async (host, roles) => {
    const context = new Context(withTeams);
    // The second request is answered from memory.
    for (let i = 0; i < 2; i++) {
      const { status, headers } = await context.check(bearer(), '*', host);
      expect([status, headers['X-Meshgate-Roles']]).toEqual([204, roles]);
    }
    expect(JSON.parse((await context.whoami(bearer(), host)).body).roles).toEqual(roles.split(','));
  });

  it('also the second of two hosts that one caller opens', async () => {
    const context = new Context(withTeams);
    await context.check(bearer(), '*', 'pay.example.com');
    expect((await context.check(bearer(), '*', wiki)).headers['X-Meshgate-Roles']).toBe('staff,staff.of.all');
  });

  it('and the assertion has the same', () => {
    const caller = { provider: 'okta', subject: 'ada', roles: ['staff', 'pay.clerk', 'ops.admin'] };
    const assertion = { issuer: 'https://gw.test', keysFile: '/run/keys', lifetime: 60, byRole: true } as const;
    const claims = assertionClaims(
      assertion,
      { service: 'a', as: '', hides: hidesOf({ 'pay.clerk': 'pay', 'ops.admin': 'ops' }, 'pay') },
      caller,
      0,
    );
    expect(claims.roles).toEqual(['staff', 'pay.clerk']);
    expect(Object.keys(claims.by_role as object)).toEqual(['authenticated', 'staff', 'pay.clerk']);
  });
});

it('a refusal is logged without the roles of other teams', async () => {
  const refused = routeOf(`${wiki}/*`)[`${wiki}/*`] as Table['routes'][string];
  const rules = refused.rules.map((rule) => ({ ...rule, who: { kind: 'role', role: 'nothing' } as const }));
  const context = new Context({ ...withTeams, routes: { [`${wiki}/*`]: { ...refused, rules } } });
  const { status, headers } = await context.check(bearer());
  expect([status, headers['X-Meshgate-Reason'], headers['X-Meshgate-Roles']]).toEqual([
    401,
    'role_missing',
    'staff,staff.of.all',
  ]);
});

it('many roles of a team do not make the roles too long for a service of another host', async () => {
  const many = Array.from({ length: 900 }, (_, i) => [`pay.role-${i}`, fact] as const);
  const teams = { ...withTeams.teams, ...Object.fromEntries(many.map(([name]) => [name, 'pay'])) };
  const context = new Context({ ...withTeams, roles: [...withTeams.roles, ...many], teams });
  expect((await context.check(bearer())).status).toBe(204);
  expect((await context.check(bearer(), '*', 'pay.example.com')).headers['X-Meshgate-Reason']).toBe('claim_absent');
});
