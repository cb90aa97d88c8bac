import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCaller } from '../../../src/caller/caller.ts';
import { rolesOf } from '../../../src/caller/roles/roles.ts';
import { requestedOfSignin } from '../../../src/caller/roles/truth.ts';
import type { Caller, CallerTable } from '../../../src/caller/types.ts';
import type { Claims } from '../../../src/token/types.ts';
import { holds } from '../../harness/property.ts';
import { NOW, type PlainFact, tableOf, verifiedBy } from './table.ts';

const editor: PlainFact = { op: 'group', value: 'editors' };
const strong: PlainFact = { op: 'acr', value: 'phr' };
const recent: PlainFact = { op: 'max_age', value: 900 };
const all = (...facts: PlainFact[]): PlainFact => ({ op: 'all', facts });
const none = (...facts: PlainFact[]): PlainFact => ({ op: 'none', facts });

function callerOf(table: CallerTable, claims: Claims, now = NOW): Caller {
  const caller = toCaller(verifiedBy('okta', claims), table, now);
  if (!caller.ok) throw new Error(`${caller.reason}: ${caller.detail}`);
  return caller.value;
}

const held = (fact: PlainFact, claims: Claims, now = NOW) =>
  callerOf(tableOf({ r: fact }), claims, now).roles.length > 0;

describe('the method of a sign-in', () => {
  it('is the claim acr, a text or a list of texts', () => {
    expect(held(strong, { acr: 'phr' })).toBe(true);
    expect(held(strong, { acr: ['pwd', 'phr'] })).toBe(true);
    expect(held(strong, { acr: 'pwd' })).toBe(false);
    expect(held(strong, { acr: 'phr pwd' })).toBe(false);
    expect(held(strong, {})).toBe(false);
  });

  it('is unknown in another form, and none does not make it true', () => {
    expect(held(none(strong), { acr: 'pwd' })).toBe(true);
    for (const claims of [{}, { acr: 1 }, { acr: null }, { acr: [1] }]) expect(held(none(strong), claims)).toBe(false);
  });

  it('counts only for the named provider', () => {
    const fact: PlainFact = { op: 'acr', value: 'phr', provider: 'keycloak' };
    expect(held(fact, { acr: 'phr' })).toBe(false);
    expect(held(none(fact), { acr: 'pwd' })).toBe(false);
  });
});

describe('the time since a sign-in', () => {
  it('is computed from auth_time, to the second', () => {
    expect(held(recent, { auth_time: NOW - 899 })).toBe(true);
    expect(held(recent, { auth_time: NOW - 900 })).toBe(false);
    expect(held(none(recent), { auth_time: NOW - 899 })).toBe(false);
    expect(held(none(recent), { auth_time: NOW - 900 })).toBe(true);
  });

  it('is unknown in another form, or for a time in the future, and none does not make it true', () => {
    for (const auth_time of [undefined, null, String(NOW), [NOW], true, NOW + 301, 1e300]) {
      expect([held(recent, { auth_time }), held(none(recent), { auth_time })]).toEqual([false, false]);
    }
    // As much as the clock skew allows.
    expect(held(recent, { auth_time: NOW + 300 })).toBe(true);
  });

  it('expires, and the caller has the expiry', () => {
    const table = tableOf({ admin: all(editor, recent), old: none({ op: 'max_age', value: 60 }) });
    const claims = { groups: ['editors'], auth_time: NOW - 30 };
    expect(callerOf(table, claims)).toMatchObject({ roles: ['admin'], until: NOW + 30 });
    expect(callerOf(table, claims, NOW + 30)).toMatchObject({ roles: ['admin', 'old'], until: NOW + 870 });
    expect(callerOf(table, claims, NOW + 870).roles).toEqual(['old']);
    expect(callerOf(table, claims, NOW + 870).until).toBeUndefined();
  });

  it('adds nothing for a policy without such facts', () => {
    const caller = callerOf(tableOf({ editor, reader: { op: 'scope', value: 'read' } }), {
      auth_time: NOW,
      scope: 'read',
    });
    expect(Object.keys(caller)).toEqual(['provider', 'subject', 'roles', 'groups', 'claims']);
  });

  const leaf: fc.Arbitrary<PlainFact> = fc.oneof(
    fc.integer({ min: 1, max: 40 }).map((value): PlainFact => ({ op: 'max_age', value })),
    fc.constantFrom('a', 'b').map((value): PlainFact => ({ op: 'acr', value })),
    fc.constantFrom('x', 'y').map((value): PlainFact => ({ op: 'group', value })),
    fc.constant<PlainFact>({ op: 'role', value: 'r0' }),
  );
  const { fact } = fc.letrec<{ fact: PlainFact }>((tie) => ({
    fact: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.record({
        op: fc.constantFrom('any' as const, 'all' as const, 'none' as const),
        facts: fc.array(tie('fact'), { minLength: 1, maxLength: 3 }),
      }),
    ),
  }));
  const claims = fc.record({
    groups: fc.subarray(['x', 'y']),
    acr: fc.constantFrom('a', 'b', 'c'),
    auth_time: fc.integer({ min: NOW - 50, max: NOW + 5 }),
  });

  it('changes no role before its expiry, and every change has an expiry', () => {
    holds(
      fc.property(fc.array(fact, { minLength: 1, maxLength: 4 }), claims, (facts, given) => {
        const table = tableOf(Object.fromEntries(facts.map((it, index) => [`r${index}`, it])));
        const verified = verifiedBy('okta', given);
        const { roles, until = Number.POSITIVE_INFINITY } = callerOf(table, given);
        for (let now = NOW; now < Math.min(until, NOW + 60); now++)
          expect(rolesOf(verified, table, now)).toEqual(roles);
      }),
    );
  });

  const assumed = (it: PlainFact): PlainFact => {
    if ('facts' in it) return { ...it, facts: it.facts.map(assumed) };
    return it.op === 'acr' || it.op === 'max_age' ? { op: 'provider', value: 'okta' } : it;
  };

  it('and the method are all that a step up changes; a requested step up gives the role, or is requested only once', () => {
    holds(
      fc.property(fc.array(fact, { minLength: 1, maxLength: 4 }), claims, (facts, given) => {
        const entries = facts.map((it, index) => [`r${index}`, it] as const);
        const table = tableOf(Object.fromEntries(entries));
        const then = callerOf(tableOf(Object.fromEntries(entries.map(([name, it]) => [name, assumed(it)]))), given);
        const { roles, stepUp = [] } = callerOf(table, given);
        for (const role of stepUp) {
          expect(roles).not.toContain(role);
          expect(then.roles).toContain(role);
          const requested = requestedOfSignin((name) => new Map(table.roles).get(name)).role(role);
          const acr = requested.find(({ op }) => op === 'acr')?.value ?? given.acr;
          const after = callerOf(table, { ...given, acr, auth_time: NOW });
          expect(after.stepUp ?? []).not.toContain(role);
        }
      }),
      500,
    );
  });
});

describe('a step up', () => {
  const table = tableOf({
    editor,
    admin: all({ op: 'role', value: 'editor' }, strong, recent),
    root: { op: 'role', value: 'admin' },
    other: all(editor, { op: 'acr', value: 'x', provider: 'keycloak' }),
  });

  it('gives roles that lack nothing else, also through other roles', () => {
    const stale = { groups: ['editors'], acr: 'phr', auth_time: NOW - 1000 };
    expect(callerOf(table, stale)).toMatchObject({ roles: ['editor'], stepUp: ['admin', 'root'] });
    expect(callerOf(table, { groups: ['editors'] })).toMatchObject({ roles: ['editor'], stepUp: ['admin', 'root'] });
  });

  it('is not requested again if the sign-in is as requested and gives nothing', () => {
    const either = all(strong, editor);
    const choice = tableOf({
      r: { op: 'any', facts: [either, all({ op: 'acr', value: 'hw' }, { op: 'group', value: 'x' })] },
    });
    expect(callerOf(choice, { groups: ['x'], acr: 'pwd' }).stepUp).toEqual(['r']);
    expect(callerOf(choice, { groups: ['x'], acr: 'phr' }).stepUp).toBeUndefined();
    expect(callerOf(choice, { groups: ['x'], acr: 'hw' }).roles).toEqual(['r']);
  });

  it('is not offered to a caller that it would not help or that does not need it', () => {
    expect(callerOf(table, { groups: ['readers'], auth_time: NOW }).stepUp).toBeUndefined();
    expect(callerOf(table, { groups: ['editors'], acr: 'phr', auth_time: NOW }).stepUp).toBeUndefined();
  });
});

describe('groups that were left out of a token', () => {
  const entra = { ...tableOf({ editor }), providers: { okta: { ...tableOf().providers.okta!, kind: 'entra' } } };
  const claims = { _claim_names: { groups: 'src1' }, _claim_sources: {} };

  it('do not count as an empty list', () => {
    expect(toCaller(verifiedBy('okta', claims), entra, NOW)).toMatchObject({
      reason: 'claim_absent',
      detail: expect.stringContaining('left out the groups'),
    });
    expect(toCaller(verifiedBy('okta', { ...claims, groups: ['editors'] }), entra, NOW).ok).toBe(true);
    expect(toCaller(verifiedBy('okta', { _claim_names: { roles: 'src1' } }), entra, NOW).ok).toBe(true);
    expect(toCaller(verifiedBy('okta', { _claim_names: 'groups' }), entra, NOW).ok).toBe(true);
  });

  it('do not matter if the policy reads no groups', () => {
    const sends = { email: false, name: false, groups: false };
    expect(toCaller(verifiedBy('okta', claims), { ...entra, roles: [], sends }, NOW).ok).toBe(true);
  });
});
