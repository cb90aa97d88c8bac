/** Groups that a token leaves out. */
import { describe, expect, it } from 'vitest';
import { isObjectId, leavesGroupsOut, readHeld, withGroups } from '../../../src/token/overage.ts';

const overage = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: {} } };

describe('groups are left out', () => {
  it.each([
    ['where the token names another place for them', overage, 'entra', true],
    ['not where it has them', { ...overage, groups: [] }, 'entra', false],
    ['not where something else is elsewhere', { _claim_names: { roles: 'src1' } }, 'entra', false],
    ['not by another kind', overage, 'okta', false],
    ['not by a kind that there is not', overage, 'other', false],
    ['not by a list', { _claim_names: ['groups'] }, 'entra', false],
  ])('%s', (_, claims, kind, out) => {
    expect(leavesGroupsOut(claims, kind)).toBe(out);
  });

  it('until they are there', () => {
    const claims = withGroups({ sub: 'a', ...overage }, 'entra', []);
    expect(leavesGroupsOut(claims, 'entra')).toBe(false);
    expect(claims).toEqual({ sub: 'a', _claim_names: {}, _claim_sources: { src1: {} }, groups: [] });
  });
});

describe('an answer', () => {
  it('contains those of the requested groups that the person has', () => {
    expect(readHeld('{"value":["b","x"]}', ['a', 'b'])).toEqual(['b']);
    expect(readHeld('{"value":[]}', ['a'])).toEqual([]);
  });

  it.each(['', 'null', '{}', '{"value":{}}', '{"value":["a",1]}', '[["a"]]'])('%s is invalid', (text) => {
    expect(readHeld(text, ['a'])).toBeUndefined();
  });
});

it('an object id has no character with a meaning in a path', () => {
  expect(isObjectId('0f0e0d0c-0000-0000-0000-000000000000')).toBe(true);
  for (const id of ['', '..', 'a/b', 'a%2fb', 'a?b', 'x'.repeat(65), 7, undefined]) expect(isObjectId(id)).toBe(false);
});
