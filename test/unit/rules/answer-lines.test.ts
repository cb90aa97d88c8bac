/** The lines about an allowed caller in the check's answer. */
import { expect, test } from 'vitest';
import type { Caller } from '../../../src/caller/types.ts';
import type { Headers } from '../../../src/policy/checked/types.ts';
import { linesOf, planOf } from '../../../src/rules/decide/answer-lines.ts';

const caller: Caller = {
  provider: 'okta',
  subject: 'ada',
  email: 'ada@example.com',
  name: 'Ada\tLovelace',
  roles: ['staff'],
  groups: ['a', 'b\tc'],
  claims: { team: 'x\ty' },
};
const told = { caller, provider: 'okta', user: 'ada', roles: 'staff' };
const rule = { id: 'wiki.test/*#1', as: 'edge' };
const NAMES = ['X-User', 'X-Email', 'X-Name', 'X-Groups', 'X-Team'];
const lines = (headers: Headers, room = 4096) => linesOf(told, planOf(headers, NAMES, room), rule);

const line = (...fields: readonly string[]) => ['.', ...fields, '.'].join('\t');
const FIXED = ['wiki.test/*#1', 'edge', 'ada', 'okta', 'staff', '', '', '', '', ''];

test('fills the fields of the identity headers that the route sends, and no others', () => {
  expect(lines({ 'X-User': 'subject', 'X-Email': 'email' })).toEqual([
    'X-Meshgate-Caller',
    line(...FIXED, '', 'ada@example.com', '', '', ''),
  ]);
  expect(lines({ 'X-Name': 'name' })).toEqual(['X-Meshgate-Caller', line(...FIXED, '', '', 'Ada%09Lovelace', '', '')]);
});

test('has no fields of identity headers if the route sends none', () => {
  expect(lines({ 'X-User': 'subject' })).toEqual(['X-Meshgate-Caller', line(...FIXED)]);
});

test('gives lists and claims headers of their own', () => {
  expect(lines({ 'X-Groups': 'groups', 'X-Team': { claim: 'team' } })).toEqual([
    'X-Meshgate-Caller',
    line(...FIXED),
    ...['X-Meshgate-H3', 'a,b%09c'],
    ...['X-Meshgate-H4', 'x%09y'],
  ]);
});

test('has no fields for an anonymous caller except roles', () => {
  const anonymous = { ...told, caller: { ...caller, nobody: true as const } };
  expect(linesOf(anonymous, planOf({}, NAMES, 4096), rule)).toEqual([
    'X-Meshgate-Caller',
    line('wiki.test/*#1', 'edge', '', '', 'staff', '', '', '', '', ''),
  ]);
});

test('counts empty fields, because nginx reads them as well', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}`);
  const headers = { 'X-0': 'email' } as const;
  const room = 300;
  expect(linesOf(told, planOf(headers, many(10), room), rule)).toHaveLength(2);
  expect(linesOf(told, planOf(headers, many(300), room), rule)).toMatchObject({ reason: 'claim_absent' });
});

test('refuses values that are too long together', () => {
  expect(lines({ 'X-Email': 'email' }, 100)).toMatchObject({ reason: 'claim_absent' });
});

test('says whether an agent is alone, and what only the log has: claims and the pseudonym', () => {
  const agent = { ...told, agent: 'bot', actors: 'b1', pseudonym: 'k.hash' };
  const line = (alone?: true, claimed?: string) =>
    linesOf(
      { ...agent, caller: { ...caller, ...(alone && { alone }), ...(claimed && { claimed }) } },
      planOf({}, NAMES, 4096),
      rule,
    );
  expect(line(true)).toEqual([
    'X-Meshgate-Caller',
    '.\twiki.test/*#1\tedge\tada\tokta\tstaff\tbot\tb1\t1\t\tk.hash\t.',
  ]);
  expect(line(undefined, '{"a":1}')).toEqual([
    'X-Meshgate-Caller',
    '.\twiki.test/*#1\tedge\tada\tokta\tstaff\tbot\tb1\t\t{"a":1}\tk.hash\t.',
  ]);
});
