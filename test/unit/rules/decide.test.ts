import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/rules/compile.ts';
import { type DecidingRule, decide } from '../../../src/rules/decide/decide.ts';
import { holds } from '../../harness/property.ts';
import { caller, method, policy } from './arbitrary.ts';

const base = { service: 'wiki', as: 'default' };
const readers: DecidingRule = { ...base, id: 'r#1', who: { kind: 'role', role: 'reader' }, methods: ['GET', 'HEAD'] };
const editors: DecidingRule = { ...base, id: 'r#2', who: { kind: 'role', role: 'editor' }, as: 'wiki-editor' };
const everyone: DecidingRule = { ...base, id: 'r#3', who: { kind: 'anyone' }, methods: ['OPTIONS'] };
const signedIn: DecidingRule = { ...base, id: 'r#4', who: { kind: 'authenticated' } };

const as = (...roles: string[]) => ({ roles });
const ask = (method: string) => ({ route: 'r', method });

describe('allowed', () => {
  test('by the first rule that covers the request, with its identity', () => {
    expect(decide([readers, editors], as('editor', 'reader'), ask('GET'))).toEqual({
      allow: true,
      rule: readers,
      replay: true,
    });
    expect(decide([readers, editors], as('editor', 'reader'), ask('POST'))).toEqual({
      allow: true,
      rule: editors,
      replay: true,
    });
  });

  test('by anyone without a credential, and with one', () => {
    expect(decide([everyone], null, ask('OPTIONS')).allow).toBe(true);
    expect(decide([everyone], as(), ask('OPTIONS')).allow).toBe(true);
  });

  test('by authenticated without a role', () => {
    expect(decide([signedIn], as(), ask('DELETE'))).toEqual({ allow: true, rule: signedIn, replay: true });
  });

  test('not by rules of other routes', () => {
    const other = { ...signedIn, route: 'other' };
    expect(decide([other, { ...editors, route: 'r' }], as('reader'), ask('GET'))).toMatchObject({
      allow: false,
      nearest: { id: 'r#2' },
    });
    expect(decide([other], as('reader'), ask('GET'))).toEqual({ allow: false, reason: 'role_missing' });
  });
});

describe('refused', () => {
  test('without a credential: credential_missing, even if anyone may use other methods', () => {
    expect(decide([everyone, editors], null, ask('GET'))).toMatchObject({ reason: 'credential_missing' });
    expect(decide([], null, ask('GET'))).toEqual({ allow: false, reason: 'credential_missing' });
  });

  test('if only scopes are missing: scope_missing, with those of the first rule that would pass', () => {
    const caller = { roles: ['reader'], scopeUp: { editor: 'read write' } };
    expect(decide([readers, editors], caller, ask('POST'))).toEqual({
      allow: false,
      reason: 'scope_missing',
      nearest: editors,
      scope: 'read write',
    });
    expect(decide([readers], caller, ask('POST'))).toMatchObject({ reason: 'role_missing' });
    expect(decide([readers, editors], { roles: [], scopeUp: { other: 'x' } }, ask('POST'))).toMatchObject({
      reason: 'role_missing',
    });
  });

  test('for an agent only a role that travels counts', () => {
    const agent: DecidingRule = { ...base, id: 'r#5', who: { kind: 'agent', agent: 'bot', actsFor: ['editor'] } };
    const asks = (roles: string) =>
      decide([agent, editors], { roles: [], agent: 'bot', scopeUp: { [roles]: 'w' } }, ask('POST'));
    expect(asks('editor')).toMatchObject({ reason: 'scope_missing', scope: 'w' });
    expect(asks('reader')).toMatchObject({ reason: 'role_missing' });
  });

  test('authenticated allows no anonymous caller', () => {
    expect(decide([signedIn], null, ask('GET'))).toMatchObject({ reason: 'credential_missing' });
  });

  test('if only another sign-in is missing: step_up_required, and for which role', () => {
    const stale = { roles: ['reader'], stepUp: ['editor'] };
    expect(decide([readers, editors], stale, ask('POST'))).toEqual({
      allow: false,
      reason: 'step_up_required',
      nearest: editors,
      stepUp: 'editor',
    });
    expect(decide([readers, editors], stale, ask('GET'))).toEqual({ allow: true, rule: readers, replay: true });
    const others = { ...editors, methods: ['PUT'] };
    expect(decide([readers, others], stale, ask('POST'))).toMatchObject({ reason: 'role_missing', nearest: readers });
    expect(decide([readers], stale, ask('POST'))).not.toHaveProperty('stepUp');
    expect(decide([{ ...editors, route: 'other' }], stale, ask('POST'))).toMatchObject({ reason: 'role_missing' });
  });

  test('nearest: the rule that fails by its method only', () => {
    expect(decide([editors, readers], as('reader'), ask('POST'))).toEqual({
      allow: false,
      reason: 'role_missing',
      nearest: readers,
    });
  });

  test('nearest: else the first that has the method', () => {
    const writers: DecidingRule = { ...editors, methods: ['POST'] };
    expect(decide([readers, writers], as('guest'), ask('POST'))).toMatchObject({ nearest: { id: 'r#2' } });
  });

  test('nearest: else the first', () => {
    expect(decide([readers], as(), ask('POST'))).toMatchObject({ nearest: { id: 'r#1' } });
  });

  test('methods are compared as they are written', () => {
    expect(decide([readers], as('reader'), ask('get')).allow).toBe(false);
  });
});

describe('for all policies', () => {
  test('more roles never take a permission away', () => {
    holds(
      fc.property(policy, caller, method, (policy, caller, method) => {
        const rules = compile(policy);
        for (const { route } of rules) {
          // A request that an agent may send alone, a person may not.
          if (caller?.alone || !decide(rules, caller, { route, method }).allow) continue;
          expect(decide(rules, { roles: ['reader', 'editor', 'admin'] }, { route, method }).allow).toBe(true);
        }
      }),
    );
  });

  test('the nearest rule is a rule of the route', () => {
    holds(
      fc.property(policy, caller, method, (policy, caller, method) => {
        const rules = compile(policy);
        for (const { route } of rules) {
          const decision = decide(rules, caller, { route, method });
          expect((decision.allow ? decision.rule : decision.nearest)?.route).toBe(route);
        }
      }),
    );
  });
});
