import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toPerson } from '../../../src/caller/caller.ts';
import type { CallerTable, TokenAgent } from '../../../src/caller/types.ts';
import type { Fact, HeaderSource, Policy, Provider } from '../../../src/policy/checked/types.ts';
import { providerKindNames } from '../../../src/providers/index.ts';
import { keptClaims } from '../../../src/rules/table/kept-claims.ts';
import { keep } from '../../../src/session/cookie-claims.ts';
import { holds } from '../../harness/property.ts';
import { NOW } from '../caller/table.ts';
import { usualProvider } from '../token/specs/spec.ts';

const PATHS = ['groups', 'roles', 'realm_access.roles', 'level', 'scp', 'https://x.example/r', 'email'] as const;

const value = fc.constantFrom<(string | number | boolean)[]>('a', 'b', 'a b', '', 1, true);
const own = fc.option(fc.constantFrom('okta', 'other'), { nil: undefined });
const named = (provider: string | undefined) => (provider === undefined ? {} : { provider });

const leaf = fc.oneof(
  fc
    .record({ value: fc.constantFrom('a', 'b', 'c'), own })
    .map(({ value, own }) => ({ op: 'group', value, ...named(own) })),
  fc
    .record({ op: fc.constantFrom('is', 'has'), claim: fc.constantFrom(...PATHS), value, own })
    .map(({ own, ...it }) => ({ ...it, ...named(own) })),
  fc
    .record({ claim: fc.constantFrom(...PATHS), value: fc.constantFrom('a*', '*b', '*') })
    .map((it) => ({ op: 'like', ...it })),
  fc.constantFrom('a', 'b').map((value) => ({ op: 'scope', value })),
  fc.constantFrom('a', 'b').map((value) => ({ op: 'acr', value })),
  fc.constantFrom('okta', 'other').map((value) => ({ op: 'provider', value })),
  fc.constantFrom('r0', 'r1').map((value) => ({ op: 'role', value })),
);
const agentFact = fc.oneof(
  fc.record({ op: fc.constantFrom('is', 'has'), claim: fc.constantFrom(...PATHS), value }),
  fc.record({ op: fc.constant('like'), claim: fc.constantFrom(...PATHS), value: fc.constantFrom('a*', '*b') }),
);
const { fact } = fc.letrec<{ fact: unknown }>((tie) => ({
  fact: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.record({
      op: fc.constantFrom('any', 'all', 'none'),
      facts: fc.array(tie('fact'), { minLength: 1, maxLength: 3 }),
    }),
  ),
}));

const claim = fc.oneof(value, fc.array(fc.oneof(value, fc.constantFrom('c', 'd', 'e')), { maxLength: 5 }));
const claims = fc
  .record(
    {
      groups: claim,
      roles: claim,
      realm_access: fc.record({ roles: claim, more: claim }, { requiredKeys: [] }),
      'realm_access.roles': claim,
      level: claim,
      scp: claim,
      scope: claim,
      acr: claim,
      name: claim,
      email: fc.constantFrom('ann@example.com', 'a@b@c', 5),
      email_verified: fc.constantFrom(true, false, 'true'),
      xms_edov: fc.constantFrom(true, '1', false),
      _claim_names: fc.constantFrom({ groups: 'src1' }, {}, 'groups'),
      uid: fc.constantFrom('u', ''),
      'https://x.example/r': claim,
    },
    { requiredKeys: [] },
  )
  .map((it) => ({ sub: 'ann', ...it }));

const source = fc.constantFrom<HeaderSource[]>(
  'email',
  'name',
  'groups',
  'roles',
  { claim: 'level' },
  { claim: 'roles' },
);

test('a session’s kept claims give the same caller as all claims', () => {
  holds(
    fc.property(
      fc.array(fact, { minLength: 1, maxLength: 4 }),
      fc.array(source, { maxLength: 3 }),
      fc.constantFrom(...providerKindNames),
      fc.constantFrom('sub', 'uid'),
      fc.option(agentFact, { nil: undefined }),
      claims,
      (facts, sources, kind, subject, bot, given) => {
        const provider = { ...usualProvider, name: 'okta', kind, subject: { claim: subject, prefix: '' }, client: {} };
        const roles = facts.map((it, index) => [`r${index}`, it as Fact] as const);
        const agents = (
          bot === undefined ? [] : [{ name: 'bot', match: { kind: 'claim', fact: bot } }]
        ) as TokenAgent[];
        const policy = {
          agents: Object.fromEntries(agents.map((agent) => [agent.name, agent])),
          providers: { okta: provider as unknown as Provider },
          roles: Object.fromEntries(roles.map(([name, it]) => [name, { name, fact: it }])),
        } as unknown as Policy;
        const table: CallerTable = {
          providers: { okta: provider },
          roles,
          agents,
          claims: sources.flatMap((it) => (typeof it === 'object' && 'claim' in it ? it.claim : [])),
          sends: {
            email: sources.includes('email'),
            name: sources.includes('name'),
            groups: sources.includes('groups'),
          },
        };
        const callerOf = (of: Readonly<Record<string, unknown>>) =>
          toPerson({ provider: 'okta', claims: of, expires: NOW + 60, key: '' }, table, NOW);
        expect(callerOf(keep(given, keptClaims(policy, sources), 'okta'))).toEqual(callerOf(given));
      },
    ),
    2000,
  );
});
