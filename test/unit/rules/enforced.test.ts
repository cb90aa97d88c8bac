import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/rules/decide/decide.ts';
import { enforced, writtenId } from '../../../src/rules/enforced.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { at } from './arbitrary.ts';

const base = { at, route: 'r', host: 'h', path: { exact: '/' }, service: 'board' } as const;
const staff: Rule = { ...base, id: 'r#1', who: { kind: 'role', role: 'staff' }, methods: ['GET', 'HEAD'], as: 'a' };
const admin: Rule = { ...base, id: 'r#2', who: { kind: 'role', role: 'admin' }, as: 'a' };
const pages: Rule = { ...base, id: 'r#3', who: { kind: 'agent', agent: 'pages', actsFor: ['staff'] }, as: 'b' };
const everyone: Rule = { ...base, id: 'r#4', who: { kind: 'anyone' }, methods: ['OPTIONS'], as: 'a' };

describe('an agent’s rule becomes one for each rule by which its person may pass', () => {
  const short = (rules: readonly Rule[]) =>
    enforced(rules).map(({ id, who, agent, methods, as }) => ({ id, who: who.kind, agent, methods, as }));

  test('with its own identity, the methods of both, and roles that travel', () => {
    expect(short([staff, admin, pages, everyone])).toEqual([
      { id: 'r#1', who: 'role', agent: null, methods: ['GET', 'HEAD'], as: 'a' },
      { id: 'r#2', who: 'role', agent: null, methods: undefined, as: 'a' },
      { id: 'r#3.1', who: 'role', agent: 'pages', methods: ['GET', 'HEAD'], as: 'b' },
      { id: 'r#3.4', who: 'authenticated', agent: 'pages', methods: ['OPTIONS'], as: 'b' },
      { id: 'r#4', who: 'anyone', agent: null, methods: ['OPTIONS'], as: 'a' },
    ]);
  });

  test('an agent that may act alone also passes by its own methods, with an assertion that says so', () => {
    const who = { kind: 'agent', agent: 'pages', actsFor: ['staff'], alone: true } as const;
    const found = enforced([staff, { ...pages, who }]);
    expect(found.map(({ id, alone }) => [id, alone])).toEqual([
      ['r#1', undefined],
      ['r#3.1', undefined],
      ['r#3.0', true],
    ]);
    expect(found[2]).toEqual({ ...pages, id: 'r#3.0', who: { kind: 'authenticated' }, agent: 'pages', alone: true });
    expect(writtenId('r#3.0')).toBe('r#3');
  });

  test('an agent that acts for no person passes by no person’s rule', () => {
    const who = { kind: 'agent', agent: 'pages', actsFor: [], alone: true } as const;
    expect(short([staff, { ...pages, who }, everyone]).map(({ id }) => id)).toEqual(['r#1', 'r#3.0', 'r#4']);
  });

  test('methods without overlap give no rule', () => {
    expect(short([staff, { ...pages, methods: ['POST'] }]).map(({ id }) => id)).toEqual(['r#1']);
  });

  test('rules of other routes give no rule', () => {
    expect(short([{ ...staff, route: 'other' }, pages]).map(({ id }) => id)).toEqual(['r#1']);
  });

  test('without agents, rules do not change', () => {
    expect(enforced([staff, everyone])).toEqual([staff, everyone]);
  });

  test('ids lead back to the written rule', () => {
    expect(['r#3.1', 'h/x.1#12', 'h/#1.10'].map(writtenId)).toEqual(['r#3', 'h/x.1#12', 'h/#1']);
  });
});

describe('an agent', () => {
  const ask = (roles: readonly string[], method: string, agent = 'pages') =>
    decide([staff, admin, pages, everyone], { roles, agent }, { route: 'r', method });

  test('passes by its own rule for a person who would pass', () => {
    expect(ask(['staff'], 'GET')).toEqual({ allow: true, rule: pages, replay: true });
    expect(ask([], 'OPTIONS')).toEqual({ allow: true, rule: pages, replay: true });
  });

  test('does not pass by roles that do not travel', () => {
    expect(ask(['admin'], 'POST')).toEqual({ allow: false, reason: 'role_missing', nearest: everyone });
    expect(ask(['staff', 'admin'], 'POST')).toEqual({ allow: false, reason: 'role_missing', nearest: staff });
  });

  test('does not pass without a rule, whatever person it acts for, not even by anyone', () => {
    expect(ask(['staff'], 'GET', 'other')).toEqual({ allow: false, reason: 'actor_not_allowed', nearest: pages });
    expect(ask(['staff'], 'OPTIONS', 'other')).toMatchObject({ reason: 'actor_not_allowed' });
  });

  test('has a rule that allows no person', () => {
    const own = (roles: readonly string[]) => decide([pages], { roles }, { route: 'r', method: 'GET' });
    expect(own(['staff'])).toMatchObject({ allow: false, reason: 'role_missing' });
    expect(decide([pages], null, { route: 'r', method: 'GET' })).toMatchObject({ reason: 'credential_missing' });
  });
});
