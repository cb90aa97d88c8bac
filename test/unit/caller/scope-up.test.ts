import { describe, expect, test } from 'vitest';
import { rolesOf } from '../../../src/caller/roles/roles.ts';
import { scopeUp } from '../../../src/caller/roles/scope-up.ts';
import { scopeWays } from '../../../src/caller/roles/scope-ways.ts';
import type { Fact } from '../../../src/policy/checked/types.ts';
import type { Claims } from '../../../src/token/types.ts';
import { NOW, type PlainFact, tableOf, verifiedBy } from './table.ts';

const scope = (value: string, provider?: string): PlainFact => ({ op: 'scope', value, ...(provider && { provider }) });
const group = (value: string): PlainFact => ({ op: 'group', value });
const all = (...facts: PlainFact[]): PlainFact => ({ op: 'all', facts });
const any = (...facts: PlainFact[]): PlainFact => ({ op: 'any', facts });
const none = (...facts: PlainFact[]): PlainFact => ({ op: 'none', facts });

function wanted(fact: PlainFact, claims: Claims): string | undefined {
  const table = tableOf({ r: fact });
  const verified = verifiedBy('okta', claims);
  return scopeUp(verified, table, rolesOf(verified, table, NOW), NOW)?.r;
}

describe('a role that lacks only scopes', () => {
  test.each<[string, PlainFact, Claims, string | undefined]>([
    ['one scope', scope('write'), { scope: 'read' }, 'write'],
    ['held already', scope('write'), { scope: 'read write' }, undefined],
    ['no scope at all', scope('write'), {}, 'write'],
    ['a group beside it is there', all(group('staff'), scope('write')), { groups: ['staff'] }, 'write'],
    ['a group beside it is not', all(group('staff'), scope('write')), { groups: ['guests'] }, undefined],
    ['all that it takes, those held among them', all(scope('read'), scope('write')), { scope: 'read' }, 'read write'],
    ['of two ways the first', any(scope('admin'), scope('write')), {}, 'admin'],
    ['of two ways the one that would do', any(all(group('x'), scope('admin')), scope('write')), {}, 'write'],
    ['a group would do as well', any(group('editors'), scope('write')), { groups: ['staff'] }, 'write'],
    ['of another provider', scope('write', 'keycloak'), {}, undefined],
    ['of what must not be', none(scope('write')), { scope: 'write' }, undefined],
    ['no scope in it', group('staff'), {}, undefined],
  ])('%s', (_, fact, claims, expected) => {
    expect(wanted(fact, claims)).toBe(expected);
  });

  test('a role of other roles needs what they need', () => {
    const table = tableOf({ reader: scope('read'), editor: all({ op: 'role', value: 'reader' }, scope('write')) });
    const verified = verifiedBy('okta', { scope: 'read' });
    expect(scopeUp(verified, table, ['reader'], NOW)).toEqual({ editor: 'read write' });
  });
});

test('the number of alternatives is bounded', () => {
  const two = any(scope('a'), scope('b'));
  const many = all(...Array.from({ length: 20 }, () => two)) as Fact;
  expect(scopeWays(() => many).role('r').length).toBeLessThanOrEqual(16);
  const self = { op: 'role', value: 'r' } as Fact;
  expect(scopeWays(() => self).role('r')).toEqual([[]]);
});
