import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainFact, type FactExplanation } from '../../../src/caller/roles/explain.ts';
import { factContext, rolesOf } from '../../../src/caller/roles/roles.ts';
import { factTruth, type Truth } from '../../../src/caller/roles/truth.ts';
import type { Fact } from '../../../src/policy/checked/types.ts';
import { holds } from '../../harness/property.ts';
import { samples } from './samples.ts';
import { NOW, type PlainFact, tableOf, verifiedBy } from './table.ts';

const truth = (fact: PlainFact, claims: Record<string, unknown>, roles: Record<string, PlainFact> = {}): Truth =>
  factTruth(fact as Fact, factContext(verifiedBy('okta', claims), tableOf(roles), NOW));

describe('samples that also run inside njs', () => {
  it.each(samples)('$name', ({ got, wanted }) => {
    expect(got()).toEqual(wanted);
  });
});

it('is unknown for a number that has the same value as other numbers when it is read', () => {
  const badge = (json: string, value: number) =>
    truth({ op: 'is', claim: 'badge', value }, JSON.parse(`{"badge":${json}}`));
  expect(badge('9007199254740993', 9007199254740992)).toBeUndefined();
  expect(badge('[9007199254740993]', 9007199254740992)).toBeUndefined();
  expect(badge('1e400', Number.POSITIVE_INFINITY)).toBeUndefined();
  expect([badge('7', 7), badge('1.5', 1.5), badge('[7]', 7), badge('8', 7)]).toEqual([true, true, true, false]);
});

describe('a fact at the e-mail claim', () => {
  const ann = 'ann@corp.example';
  it.each<[Record<string, unknown>, Truth]>([
    [{ email: ann, email_verified: true }, true],
    [{ email: ann }, undefined],
    [{ email: ann, email_verified: false }, undefined],
    [{ email: ann, email_verified: 'true' }, undefined],
    [{ email: [ann], email_verified: true }, undefined],
    [{ email: 'x@evil.example@corp.example', email_verified: true }, undefined],
    [{ email: 'x @corp.example', email_verified: true }, undefined],
    [{ email: 'eve@evil.example', email_verified: true }, false],
  ])('of %j is %j', (claims, expected) => {
    const facts: PlainFact[] = [
      { op: 'like', claim: 'email', value: '*@corp.example' },
      { op: 'is', claim: 'email', value: ann },
    ];
    expect(facts.map((fact) => truth(fact, claims))).toEqual([expected, expected]);
    // An unknown fact does not make its opposite true.
    expect(truth({ op: 'none', facts: [facts[0]!] }, claims)).toBe(expected === undefined ? undefined : !expected);
  });

  it('matches the claims that the provider kind has for it', () => {
    const entra = { ...tableOf().providers.okta!, kind: 'entra' };
    const table = { ...tableOf(), providers: { okta: entra } };
    const like = (claims: Record<string, unknown>) =>
      factTruth(
        { op: 'like', claim: 'email', value: '*@corp.example' } as Fact,
        factContext(verifiedBy('okta', { email: ann, ...claims }), table, NOW),
      );
    expect(like({ xms_edov: true })).toBe(true);
    expect(like({ email_verified: true })).toBeUndefined();
  });
});

describe('facts of one claim', () => {
  it.each<[PlainFact, Record<string, unknown>, Truth]>([
    [{ op: 'group', value: 'staff' }, { groups: ['staff', 'x'] }, true],
    [{ op: 'group', value: 'staff' }, { groups: 'staff' }, true],
    [{ op: 'group', value: 'staff' }, { groups: ['Staff', 'staff ', 'staf', 'staff,x'] }, false],
    [{ op: 'group', value: 'staff' }, { groups: 'staff x' }, false],
    [{ op: 'group', value: 'staff' }, { groups: [] }, false],
    [{ op: 'group', value: 'staff' }, {}, undefined],
    [{ op: 'group', value: 'staff' }, { groups: null }, undefined],
    [{ op: 'group', value: 'staff' }, { groups: { staff: true } }, undefined],
    [{ op: 'group', value: 'staff' }, { groups: [['staff']] }, undefined],
    [{ op: 'group', value: 'staff' }, { groups: ['staff', 7] }, true],
    [{ op: 'group', value: 'staff', provider: 'okta' }, { groups: ['staff'] }, true],
    [{ op: 'group', value: 'staff', provider: 'keycloak' }, { groups: ['staff'] }, undefined],
    [{ op: 'group', value: 'staff', provider: 'keycloak' }, { groups: [] }, undefined],
    [{ op: 'is', claim: 'realm_access.roles', value: 'editor' }, { realm_access: { roles: ['editor'] } }, true],
    [{ op: 'is', claim: 'https://x.example/roles', value: 'editor' }, { 'https://x.example/roles': ['editor'] }, true],
    [{ op: 'is', claim: 'level', value: 3 }, { level: 3 }, true],
    [{ op: 'is', claim: 'level', value: 3 }, { level: 4 }, false],
    [{ op: 'is', claim: 'level', value: 3 }, { level: '3' }, undefined],
    [{ op: 'is', claim: 'level', value: '3' }, { level: 3 }, undefined],
    [{ op: 'is', claim: 'admin', value: true }, { admin: true }, true],
    [{ op: 'is', claim: 'admin', value: true }, { admin: false }, false],
    [{ op: 'is', claim: 'admin', value: true }, { admin: 'true' }, undefined],
    [{ op: 'is', claim: 'admin', value: true }, { admin: 1 }, undefined],
    [{ op: 'is', claim: 'scope', value: 'read' }, { scope: 'read write' }, false],
    [{ op: 'is', claim: 'toString', value: 'x' }, {}, undefined],
    [{ op: 'is', claim: '__proto__', value: 'x' }, {}, undefined],
    [{ op: 'has', claim: 'permission', value: 'write' }, { permission: 'read write' }, true],
    [{ op: 'has', claim: 'permission', value: 'rea' }, { permission: 'read write' }, false],
    [{ op: 'has', claim: 'permission', value: '' }, { permission: 'read  write' }, false],
    [{ op: 'has', claim: 'permission', value: 'write' }, { permission: ['read', 'write'] }, true],
    [{ op: 'has', claim: 'permission', value: 'read write' }, { permission: ['read write'] }, true],
    [{ op: 'has', claim: 'levels', value: 3 }, { levels: [1, 3] }, true],
    [{ op: 'has', claim: 'levels', value: 3 }, { levels: 3 }, undefined],
    [{ op: 'has', claim: 'levels', value: 3 }, { levels: '1 3' }, undefined],
    [{ op: 'like', claim: 'ref', value: 'refs/heads/release-*' }, { ref: 'refs/heads/release-1/x' }, true],
    [{ op: 'like', claim: 'ref', value: 'refs/heads/release-*' }, { ref: 'refs/heads/main' }, false],
    [{ op: 'like', claim: 'ref', value: 'refs/heads/release-*' }, { ref: 'xrefs/heads/release-1' }, false],
    [{ op: 'like', claim: 'ref', value: '*' }, {}, undefined],
    [{ op: 'like', claim: 'ref', value: '*' }, { ref: 7 }, undefined],
    [{ op: 'like', claim: 'ref', value: '*' }, { ref: { a: 'x' } }, undefined],
    [{ op: 'like', claim: 'kubernetes.io.namespace', value: 'ci-*' }, { 'kubernetes.io': { namespace: 'ci-a' } }, true],
    [{ op: 'like', claim: 'roles', value: 'wiki-*' }, { roles: ['pay-a', 'wiki-a'] }, true],
    [{ op: 'like', claim: 'roles', value: 'wiki-*' }, { roles: ['pay-a wiki-a'] }, false],
    [{ op: 'like', claim: 'roles', value: 'wiki-*' }, { roles: ['pay-a', 7] }, undefined],
    [{ op: 'like', claim: 'roles', value: 'wiki-*' }, { roles: [] }, false],
    [{ op: 'scope', value: 'read' }, { scope: 'read write' }, true],
    [{ op: 'scope', value: 'read' }, { scp: ['read'] }, true],
    [{ op: 'scope', value: 'read' }, { scope: 'write', scp: ['read'] }, false],
    [{ op: 'scope', value: 'read' }, { scope: '' }, false],
    [{ op: 'scope', value: 'read' }, {}, undefined],
    [{ op: 'provider', value: 'okta' }, {}, true],
    [{ op: 'provider', value: 'keycloak' }, {}, false],
  ])('%j of %j is %s', (fact, claims, wanted) => {
    expect(truth(fact, claims)).toBe(wanted);
  });
});

describe('none', () => {
  const outsider: PlainFact = { op: 'none', facts: [{ op: 'group', value: 'staff' }] };

  it('is true if the claim says no', () => {
    expect(truth(outsider, { groups: ['x'] })).toBe(true);
    expect(truth(outsider, { groups: ['staff'] })).toBe(false);
  });

  it('is unknown if the claim is absent, of another form, or of another provider, however often it is negated', () => {
    const twice: PlainFact = { op: 'none', facts: [outsider] };
    for (const claims of [{}, { groups: null }, { groups: [7] }]) {
      expect(truth(outsider, claims)).toBeUndefined();
      expect(truth(twice, claims)).toBeUndefined();
    }
    expect(
      truth({ op: 'none', facts: [{ op: 'group', value: 'x', provider: 'keycloak' }] }, { groups: [] }),
    ).toBeUndefined();
  });

  it('knows which provider signed the token', () => {
    expect(truth({ op: 'none', facts: [{ op: 'provider', value: 'keycloak' }] }, {})).toBe(true);
  });
});

describe('any, all and none of anything', () => {
  const leaves: Record<string, PlainFact> = {
    yes: { op: 'provider', value: 'okta' },
    no: { op: 'provider', value: 'keycloak' },
    unknown: { op: 'group', value: 'x' },
  };
  const leaf = fc.constantFrom('yes', 'no', 'unknown').map((name) => leaves[name]!);
  const tree = fc.letrec<{ fact: PlainFact }>((tie) => ({
    fact: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({
        op: fc.constantFrom('any', 'all', 'none'),
        facts: fc.array(tie('fact'), { maxLength: 4 }),
      }) as fc.Arbitrary<PlainFact>,
    ),
  })).fact;

  /** Kleene's tables with numbers: no 0, unknown 1, yes 2; without parts the result is unknown. */
  function byNumbers(fact: PlainFact): number {
    if (!('facts' in fact)) return fact === leaves.yes ? 2 : fact === leaves.no ? 0 : 1;
    const parts = fact.facts.map(byNumbers);
    if (parts.length === 0) return 1;
    if (fact.op === 'all') return Math.min(...parts);
    return fact.op === 'any' ? Math.max(...parts) : 2 - Math.max(...parts);
  }

  const numbers: Truth[] = [false, undefined, true];

  it('follows Kleene', () => {
    holds(
      fc.property(tree, (fact) => {
        expect(truth(fact, {})).toBe(numbers[byNumbers(fact)]);
      }),
      1000,
    );
  });

  it('never turns not knowing into a role: what holds without a claim holds whatever the claim says', () => {
    holds(
      fc.property(tree, fc.constantFrom(['x'], [], ['y']), (fact, groups) => {
        if (truth(fact, {}) !== undefined) expect(truth(fact, { groups })).toBe(truth(fact, {}));
      }),
      1000,
    );
  });
});

describe('roles', () => {
  const staff: PlainFact = { op: 'group', value: 'staff' };

  it('are listed in the order of the policy, each by its own fact or by another role', () => {
    const table = tableOf({
      boss: {
        op: 'all',
        facts: [
          { op: 'role', value: 'staff' },
          { op: 'group', value: 'bosses' },
        ],
      },
      staff,
      other: { op: 'group', value: 'other' },
      alias: { op: 'role', value: 'boss' },
    });
    expect(rolesOf(verifiedBy('okta', { groups: ['bosses', 'staff'] }), table, NOW)).toEqual([
      'boss',
      'staff',
      'alias',
    ]);
    expect(rolesOf(verifiedBy('okta', { groups: ['bosses'] }), table, NOW)).toEqual([]);
  });

  it('that refer to themselves or to nothing are never given, not even by none', () => {
    const loop: PlainFact = { op: 'role', value: 'loop' };
    const table = tableOf({
      loop,
      a: { op: 'none', facts: [{ op: 'role', value: 'b' }] },
      b: { op: 'role', value: 'a' },
      c: { op: 'none', facts: [loop] },
      d: { op: 'none', facts: [{ op: 'role', value: 'missing' }] },
    });
    expect(rolesOf(verifiedBy('okta', {}), table, NOW)).toEqual([]);
  });

  it('are the same by a look at the groups as by their facts', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd');
    const provider = fc.constantFrom(undefined, 'okta', 'keycloak');
    const group = fc.record({ op: fc.constant('group' as const), value: word, provider });
    const fact = fc.oneof(
      group,
      fc.record({ op: fc.constant('role' as const), value: word }),
      fc.record({ op: fc.constantFrom('any', 'all', 'none'), facts: fc.array(group, { maxLength: 3 }) }),
    ) as fc.Arbitrary<PlainFact>;
    const groups = fc.oneof(fc.array(fc.oneof(word, fc.constant(7))), word, fc.constantFrom(undefined, null, 7, {}));
    holds(
      fc.property(fc.dictionary(word, fact), groups, (roles, claim) => {
        const verified = verifiedBy('okta', { groups: claim });
        const table = tableOf(roles);
        const wanted = Object.entries(roles).flatMap(([name, fact]) =>
          factTruth(fact as Fact, factContext(verified, table, NOW)) === true ? [name] : [],
        );
        expect(rolesOf(verified, table, NOW)).toEqual(wanted);
      }),
    );
  });

  it('may have the names of members of Object', () => {
    const table = tableOf({ constructor: staff, x: { op: 'role', value: 'toString' } });
    expect(rolesOf(verifiedBy('okta', { groups: ['staff'] }), table, NOW)).toEqual(['constructor']);
  });
});

describe('explainFact', () => {
  const outline = ({ text, truth: holds, parts }: FactExplanation): unknown[] => [text, holds, ...parts.map(outline)];
  const at = { file: 'meshgate.yaml', line: 7, column: 3 };

  it('returns the tree of facts with their truth and place, through roles', () => {
    const roles = {
      editor: { op: 'is', claim: 'realm_access.roles', value: 'editor', provider: 'keycloak' } as PlainFact,
    };
    const fact = {
      op: 'any',
      at,
      facts: [
        { op: 'group', value: 'staff', at: { ...at, line: 8 } },
        { op: 'role', value: 'editor', at: { ...at, line: 9 } },
        { op: 'none', facts: [{ op: 'scope', value: 'read', at }], at },
      ],
    } as Fact;
    const explained = explainFact(
      fact,
      factContext(verifiedBy('okta', { groups: ['x'], scope: 'read' }), tableOf(roles), NOW),
    );
    expect(outline(explained)).toEqual([
      'any',
      undefined,
      ['group "staff"', false],
      ['role "editor"', undefined, ['claim "realm_access.roles" is "editor" of keycloak', undefined]],
      ['none', false, ['scope "read"', true]],
    ]);
    expect(explained.at).toEqual(at);
    expect(explained.parts[0]?.at?.line).toBe(8);
  });

  it('stops at a role that refers to itself', () => {
    const loop: PlainFact = { op: 'role', value: 'loop' };
    const explained = explainFact(loop as Fact, factContext(verifiedBy('okta', {}), tableOf({ loop }), NOW));
    expect(outline(explained)).toEqual(['role "loop"', undefined, ['role "loop"', undefined]]);
  });
});
