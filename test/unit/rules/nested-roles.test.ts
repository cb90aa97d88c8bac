import { describe, expect, test } from 'vitest';
import { toCaller } from '../../../src/caller/caller.ts';
import { scopeUp } from '../../../src/caller/roles/scope-up.ts';
import { inView, requestRoles } from '../../../src/caller/roles/views.ts';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { budgetsOf } from '../../../src/rules/budgets.ts';
import { roleChanges } from '../../../src/rules/compare/changed-definitions.ts';
import { compile } from '../../../src/rules/compile.ts';
import { heldByNobody, impliedBy } from '../../../src/rules/implied.ts';
import { requiresDpop } from '../../../src/rules/table/requires-dpop.ts';
import { roleScopes } from '../../../src/rules/table/scopes.ts';
import { stepUps } from '../../../src/rules/table/step-ups.ts';
import { toTable } from '../../../src/rules/table/table.ts';
import type { Verified } from '../../../src/token/types.ts';
import { growth } from '../../harness/growth.ts';
import { meshgate, token } from '../cli/fake.ts';

/*
 * Each role names the one before it twice: there are twice as many ways down from each as from the last. With memory, the
 * work grows with the number of roles; without, it doubles with each.
 */

const NOW = 1_800_000_000;

/** The fact of the first role. */
const FIRST = {
  group: '{ group: staff }',
  scope: '{ all: [{ group: staff }, { scope: write }] }',
  signin: '{ all: [{ group: staff }, { acr: phr }, { max_age: 15m }] }',
  network: '{ any: [{ all: [{ group: staff }, { network: [10.9.0.0/24] }] }, { network: [10.8.0.0/24] }] }',
  certificate: '{ any: [{ group: staff }, { certificate: ci.example.com }] }',
  bound: '{ bound: dpop }',
} as const;

type First = keyof typeof FIRST;

function textOf(first: First, size: number): string {
  const roles = Array.from({ length: size }, (_, i) =>
    i === 0 ? `  r0: ${FIRST[first]}` : `  r${i}: { any: [r${i - 1}, { all: [r${i - 1}, { group: g${i} }] }] }`,
  );
  return `version: 1
gateway:
  tls: { cert_file: /run/tls.crt, key_file: /run/tls.key, client_ca_file: /run/clients.pem }
  proof: {}
  limits: { callers: { rate: 60/m, burst: 20 } }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles:
${roles.join('\n')}
services: { wiki: { url: https://wiki.internal } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [r${size - 1}] } } }
`;
}

function policyOf(first: First, size: number): Policy {
  const { policy, errors } = parsePolicy(textOf(first, size), 'p.yaml');
  if (policy === undefined) throw new Error(errors.map(formatError).join('\n'));
  return policy;
}

const tableOf = (policy: Policy) => toTable(policy, compile(policy), { egress: '/run/egress.sock' });

const verified = (claims: Verified['claims']): Verified => ({
  provider: 'okta',
  claims: { sub: 'ann', ...claims },
  expires: NOW + 600,
  key: 'k',
});

/**
 * With memory, the larger policy is at most five times the work, and has been measured as nine times while the engine
 * compiled the code. Without memory it is 2,048 times the work.
 */
const LINEAR = 100;

const [SMALL, LARGE] = [9, 20];

function expectLinear(first: First, make: (policy: Policy) => (() => unknown) | undefined): void {
  const works = new Map([SMALL, LARGE].map((size) => [size, make(policyOf(first, size))]));
  expect(growth((size) => works.get(size)?.(), SMALL, LARGE)).toBeLessThan(LINEAR);
}

describe('roles that name each other are evaluated once per caller', () => {
  test.each<[First, Verified['claims']]>([
    ['group', { groups: ['guests'] }],
    ['scope', { groups: ['staff'] }],
    ['signin', { groups: ['staff'], acr: 'pwd', auth_time: NOW - 3600 }],
    ['network', { groups: ['guests'] }],
    ['certificate', { groups: ['guests'] }],
    ['bound', {}],
  ])('for a new token, if they depend on %s', (first, claims) => {
    expectLinear(first, (policy) => {
      const table = tableOf(policy);
      return () => {
        const caller = toCaller(verified(claims), table, NOW);
        return caller.ok && scopeUp(verified(claims), table, caller.value.roles, NOW);
      };
    });
  });

  test('for a token in a worker that does not know the policy yet', () => {
    for (const first of ['group', 'scope', 'signin', 'network'] as const) {
      expectLinear(first, (policy) => {
        const table = tableOf(policy);
        return () => toCaller(verified({ groups: ['guests'] }), { ...table }, NOW);
      });
    }
  });

  test('for a request, if they depend on its properties', () => {
    expectLinear('network', (policy) => {
      const table = tableOf(policy);
      const caller = toCaller(verified({ groups: ['guests'] }), table, NOW);
      const of = requestRoles(table);
      if (!caller.ok || of === undefined) throw new Error('no caller');
      return () => inView(caller.value, of, { within: () => false, named: () => undefined });
    });
  });

  test('by the roles that are held, as without memory', () => {
    const table = tableOf(policyOf('group', 5));
    const rolesOf = (...groups: string[]) => {
      const caller = toCaller(verified({ groups }), table, NOW);
      return caller.ok && caller.value.roles;
    };
    expect(rolesOf('staff')).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
    expect(rolesOf('g4')).toEqual([]);
  });
});

describe('a policy is read once, however often its roles name each other', () => {
  test('by validate', () => {
    const texts = new Map([SMALL, LARGE].map((size) => [size, textOf('group', size)]));
    expect(growth((size) => parsePolicy(texts.get(size) as string, 'p.yaml'), SMALL, LARGE)).toBeLessThan(LINEAR);
  });

  test.each<[string, First, (policy: Policy) => unknown]>([
    ['the table', 'network', tableOf],
    ['the demands on sign-ins', 'signin', stepUps],
    ['the scopes to ask for', 'scope', roleScopes],
    [
      'the roles that roles imply',
      'group',
      (policy) => impliedBy([policy])(Object.keys(policy.roles).at(-1) as string),
    ],
    ['roles without a credential', 'group', (policy) => heldByNobody([policy])],
    ['whether tokens are bound', 'bound', (policy) => requiresDpop(policy.hosts[0]?.routes ?? [], policy)],
    ['budgets', 'group', (policy) => policy.hosts.map((host) => host.routes.map((it) => budgetsOf(policy, host, it)))],
    ['the effects of a change', 'group', (policy) => roleChanges(policy, policyWith(policy, 'r0'))],
  ])('for %s', (_, first, work) => {
    // A different object each time, because compiled data is cached with the policy.
    expectLinear(first, (policy) => () => work({ ...policy, roles: { ...policy.roles } }));
  });

  test('by explain, which prints what a role depends on where it is named first', async () => {
    const claims = { iss: 'https://login.example.com', aud: 'wiki', sub: 'ann', exp: NOW + 60, groups: ['guests'] };
    const lines = async (size: number) => {
      const files = { './meshgate.yaml': textOf('group', size), 'token.txt': token(claims) };
      const args = ['explain', '--token', 'token.txt', 'GET', 'https://wiki.example.com/x'];
      const { out } = await meshgate(args, { files, now: NOW });
      expect(out).toContain('role "r0": as above');
      return out.split('\n').length;
    };
    expect((await lines(20)) / (await lines(10))).toBeLessThan(LINEAR);
  });
});

/** With one role changed. */
function policyWith(policy: Policy, name: string): Policy {
  const role = policy.roles[name] as Policy['roles'][string];
  const fact = { op: 'group', value: 'others', at: role.at } as const;
  return { ...policy, roles: { ...policy.roles, [name]: { ...role, fact } } };
}

describe('a chain of roles has a bounded depth', () => {
  const chain = (length: number, of = (i: number) => `r${i - 1}`): string =>
    textOf('group', 1).replace(
      '  r0: { group: staff }\n',
      `  r0: { group: staff }\n${Array.from({ length: length - 1 }, (_, i) => `  r${i + 1}: ${of(i + 1)}\n`).join('')}`,
    );
  const errorsOf = (text: string) => parsePolicy(text, 'p.yaml').errors.filter(({ path }) => path.startsWith('roles'));

  test('of 4,000 is an error with its path', () => {
    const errors = errorsOf(chain(4000)).filter(({ message }) => !message.startsWith('no effect'));
    expect(errors.map(formatError)).toEqual([
      'p.yaml:73:8 roles.r65: the role depends on 65 levels of roles, any, all and none, but at most 64 are allowed: r65 → r64 → r63 → r62 → r61 → r60 → … → r4 → r3 → r2 → r1 → r0',
    ]);
  });

  test('counts any, all and none in it as levels', () => {
    const nested = (length: number) => chain(length, (i) => `{ any: [{ all: [r${i - 1}, { group: a }] }, r0] }`);
    const wrong = (length: number) => errorsOf(nested(length)).filter(({ message }) => message.includes('levels'));
    expect(wrong(22)).toEqual([]);
    expect(wrong(23).map(({ path }) => path)).toEqual(['roles.r22.any[0].all[0]']);
  });

  test('of 64 is evaluated', () => {
    const text = chain(65).replace('allow: [r0]', 'allow: [r64]');
    const { policy, errors } = parsePolicy(text, 'p.yaml');
    expect(errors.map(formatError)).toEqual([]);
    const caller = toCaller(verified({ groups: ['staff'] }), tableOf(policy as Policy), NOW);
    expect(caller.ok && caller.value.roles.at(-1)).toBe('r64');
  });

  test('reports every cycle at the first of its roles, even a long one', () => {
    const text = chain(4000).replace('  r0: { group: staff }\n', '  r0: { any: [r3999, r2] }\n');
    expect(
      errorsOf(text)
        .filter(({ message }) => message.includes('depends on itself'))
        .map(formatError),
    ).toEqual([
      'p.yaml:8:15 roles.r0.any[0]: the role depends on itself: r0 → r3999 → r3998 → r3997 → r3996 → r3995 → … → r4 → r3 → r2 → r1 → r0; remove one of these steps',
      'p.yaml:8:22 roles.r0.any[1]: the role depends on itself: r0 → r2 → r1 → r0; remove one of these steps',
    ]);
  });
});
