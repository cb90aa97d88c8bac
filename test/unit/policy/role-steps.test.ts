import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';

/** The errors of a policy with these roles. */
function errorsWith(roles: string): readonly string[] {
  const text = `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles:
  staff: { group: staff }
${roles}
services: { wiki: { url: https://wiki.internal } }
hosts: { wiki.test: { /*: { service: wiki, allow: [staff, last] } } }
`;
  return parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`);
}

const nested = (levels: number, fact: string): string =>
  `${'{ all: [{ group: a }, '.repeat(levels)}${fact}${'] }'.repeat(levels)}`;

/** Roles that name each other inside 15 levels of all. The tree of a policy is too shallow for 64 levels in one role. */
const CHAIN = `  a: ${nested(15, '{ group: b }')}
  b: ${nested(15, 'a')}
  c: ${nested(15, 'b')}`;

const levelErrors = (roles: string) => errorsWith(`${CHAIN}\n${roles}`).filter((it) => it.includes('levels'));

test('adds the levels of a role to those around its name in another role', () => {
  // c has 15 + 1 + 15 + 1 + 15 levels.
  expect(levelErrors(`  last: ${nested(16, 'c')}`)).toEqual([]);
  expect(levelErrors(`  last: ${nested(17, 'c')}`)).toEqual([
    `roles.last${'.all[1]'.repeat(17)}: the role depends on 65 levels of roles, any, all and none, but at most 64 are allowed: last → c → b → a`,
  ]);
});

test('the path of a role that is too deep goes through its deepest part', () => {
  const deep = `  deep: ${nested(16, 'c')}\n  flat: { group: c }`;
  expect(levelErrors(`${deep}\n  last: { any: [flat, deep, staff] }`)).toEqual([
    'roles.last.any[1]: the role depends on 66 levels of roles, any, all and none, but at most 64 are allowed: last → deep → c → b → a',
  ]);
});

test('reports only the innermost of the roles that are too deep', () => {
  const deep = `  deep: ${nested(16, 'c')}\n  deeper: deep`;
  expect(levelErrors(`${deep}\n  last: deeper`)).toEqual([
    'roles.deeper: the role depends on 65 levels of roles, any, all and none, but at most 64 are allowed: deeper → deep → c → b → a',
  ]);
});

test('a role without any, all and none has no level of its own', () => {
  const chain = `  flat: { group: b }\n${CHAIN.replace('{ group: b }', 'flat')}`;
  const errors = (roles: string) => errorsWith(`${chain}\n${roles}`).filter((it) => it.includes('levels'));
  // c has 15 + 1 + 15 + 1 + 15 + 1 levels, and the sixth is the name of the flat role.
  expect(errors(`  last: ${nested(15, 'c')}`)).toEqual([]);
  expect(errors(`  last: ${nested(16, 'c')}`)).toEqual([expect.stringContaining('depends on 65 levels')]);
});

test('one role alone cannot have too many levels, because a policy is never nested so deeply', () => {
  expect(errorsWith(`  last: ${nested(18, '{ group: b }')}`)).toEqual([]);
  expect(errorsWith(`  last: ${nested(20, '{ group: b }')}`)).toContainEqual(
    expect.stringContaining('nested too deeply'),
  );
});
