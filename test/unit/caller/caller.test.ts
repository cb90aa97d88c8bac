import { describe, expect, it } from 'vitest';
import { toCaller } from '../../../src/caller/caller.ts';
import { valueForHeader } from '../../../src/caller/headers.ts';
import type { CallerTable } from '../../../src/caller/types.ts';
import { NOW, tableOf, verifiedBy } from './table.ts';

const roles = { staff: { op: 'group', value: 'staff' } } as const;

const callerOf = (claims: Record<string, unknown>, named: string[] = []) => {
  const caller = toCaller(verifiedBy('okta', claims), tableOf(roles, named), NOW);
  if (!caller.ok) throw new Error(`${caller.reason}: ${caller.detail}`);
  return caller.value;
};

describe('toCaller', () => {
  it('names the caller', () => {
    const claims = {
      uid: '42',
      name: 'Alice',
      email: 'alice@example.com',
      email_verified: true,
      groups: ['staff', 'x'],
      scope: 'read write',
      secret: 'not named by any header',
      level: 3,
    };
    expect(callerOf(claims, ['level', 'missing'])).toEqual({
      provider: 'okta',
      subject: 'okta-42',
      name: 'Alice',
      email: 'alice@example.com',
      roles: ['staff'],
      groups: ['staff', 'x'],
      claims: { level: 3 },
    });
  });

  it.each([undefined, null, '', 7, ['42'], {}])('refuses the subject %j', (uid) => {
    expect(toCaller(verifiedBy('okta', { uid }), tableOf(), NOW)).toEqual({
      ok: false,
      reason: 'claim_absent',
      detail: '"uid" is not a non-empty string',
    });
  });

  it('refuses a subject that does not fit into a header, prefix and encoding included', () => {
    expect(callerOf({ uid: 'x'.repeat(4091) }).subject).toHaveLength(4096);
    for (const uid of ['x'.repeat(4092), ','.repeat(1400)]) {
      expect(toCaller(verifiedBy('okta', { uid }), tableOf(), NOW)).toEqual({
        ok: false,
        reason: 'claim_absent',
        detail: '"uid" is too long',
      });
    }
  });

  it.each([
    [true, 'alice@example.com'],
    [true, 'zoë+x@exämple.com'],
  ])('accepts the e-mail address (verified: %j) %j', (verified, email) => {
    expect(callerOf({ email, email_verified: verified }).email).toBe(email);
  });

  it('sends no text for a number that has the same value as other numbers when it is read', () => {
    const told = (json: string) => {
      const { claims } = callerOf(JSON.parse(`{"badge":${json}}`), ['badge']);
      return valueForHeader({ claim: 'badge' }, { ...callerOf({}), claims });
    };
    expect(['7', '-7', '9007199254740991', '[1,"a"]'].map(told)).toEqual(['7', '-7', '9007199254740991', '1,a']);
    const others = ['9007199254740992', '9007199254740993', '-9007199254740993', '1e400', '-1e400', '1.5', '[1,1e400]'];
    expect(others.map(told)).toEqual(others.map(() => ''));
  });

  it('accepts the e-mail claim as the subject, or for a header, only if the address is verified and has one @', () => {
    const table = tableOf({}, ['email']);
    const byEmail = {
      ...table,
      providers: { okta: { ...table.providers.okta!, subject: { claim: 'email', prefix: '' } } },
    };
    const of = (email: string, verified: unknown, by: CallerTable) =>
      toCaller(verifiedBy('okta', { email, email_verified: verified }), by, NOW);
    expect(of('ann@corp.example', true, byEmail)).toMatchObject({ value: { subject: 'ann@corp.example' } });
    expect(of('ann@corp.example', true, table)).toMatchObject({ value: { claims: { email: 'ann@corp.example' } } });
    for (const [email, verified] of [
      ['ann@corp.example', undefined],
      ['ann@corp.example', false],
      ['ann@corp.example', 'true'],
      ['x@evil.example@corp.example', true],
      ['ann', true],
    ] as const) {
      expect(of(email, verified, byEmail)).toMatchObject({ ok: false, reason: 'claim_absent' });
      expect(of(email, verified, table)).toMatchObject({ ok: true, value: { claims: {} } });
    }
  });

  it.each([
    [undefined, 'alice@example.com'],
    [false, 'alice@example.com'],
    ['true', 'alice@example.com'],
    [1, 'alice@example.com'],
    [true, 'alice@example.com@evil.example'],
    [true, 'alice@@example.com'],
    [true, '@example.com'],
    [true, 'alice@'],
    [true, 'alice'],
    [true, ''],
    [true, ' alice@example.com'],
    [true, 'alice@example.com\n'],
    [true, 'alice\u0000@example.com'],
    [true, 'alice@example.com\u0085'],
    [true, 'a lice@example.com'],
    [true, 'alice\u00a0@example.com'],
    [true, ['alice@example.com']],
    [true, null],
  ])('rejects the e-mail address (verified: %j) %j', (verified, email) => {
    expect(callerOf({ email, email_verified: verified }).email).toBeUndefined();
  });

  it.each([
    [undefined, []],
    ['staff', ['staff']],
    ['a b', ['a b']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['a', 7], []],
    [[['a']], []],
    [{ a: 1 }, []],
    [null, []],
  ])('the groups claim %j gives %j', (groups, wanted) => {
    expect(callerOf({ groups }).groups).toEqual(wanted);
  });

  it('accepts a thousand groups and refuses one more', () => {
    const groups = Array.from({ length: 1000 }, (_, index) => `g${index}`);
    expect(callerOf({ groups }).groups).toHaveLength(1000);
    expect(toCaller(verifiedBy('okta', { groups: [...groups, 'x'] }), tableOf(), NOW)).toEqual({
      ok: false,
      reason: 'claim_absent',
      detail: 'more than 1000 groups or scopes',
    });
    // They are too many whether a header sends them or not; an invalid list has no group.
    const none = tableOf({}, [], { email: false, name: false, groups: false });
    expect(toCaller(verifiedBy('okta', { groups: [...groups, 'x'] }), none, NOW).ok).toBe(false);
    expect(toCaller(verifiedBy('okta', { groups: [...groups, 7] }), none, NOW).ok).toBe(true);
  });

  it.each(['scope', 'scp'])('accepts a thousand scopes of "%s" and refuses one more', (claim) => {
    const scopes = Array.from({ length: 1000 }, (_, index) => `s${index}`);
    for (const form of [scopes, scopes.join('  ')]) expect(callerOf({ [claim]: form }).roles).toEqual([]);
    for (const form of [[...scopes, 'x'], `${scopes.join(' ')} x`]) {
      expect(toCaller(verifiedBy('okta', { [claim]: form }), tableOf(), NOW)).toMatchObject({
        ok: false,
        detail: 'more than 1000 groups or scopes',
      });
    }
  });

  it('computes nothing that no header sends', () => {
    const claims = { name: 'Alice', email: 'alice@example.com', email_verified: true, groups: ['staff', 'x'] };
    const caller = toCaller(
      verifiedBy('okta', claims),
      tableOf(roles, [], { email: false, name: false, groups: false }),
      NOW,
    );
    expect(caller).toEqual({
      ok: true,
      value: { provider: 'okta', subject: 'okta-u', roles: ['staff'], groups: [], claims: {} },
    });
  });

  it('keeps only those named claims that fit into a header', () => {
    const claims = {
      text: 'a',
      number: 1,
      flag: false,
      list: ['a', 1],
      empty: [],
      object: { a: 1 },
      nested: { of: 'x' },
      lists: [['a']],
      nothing: null,
    };
    expect(
      callerOf(claims, [...Object.keys(claims), 'nested.of', 'constructor', 'toString', '__proto__']).claims,
    ).toEqual({
      text: 'a',
      number: 1,
      flag: false,
      list: ['a', 1],
      empty: [],
      'nested.of': 'x',
    });
  });

  it('ignores a name that is not text', () => {
    expect(callerOf({ name: ['Alice'] }).name).toBeUndefined();
  });

  it('throws for a token of a provider that the table lacks by mistake', () => {
    expect(() => toCaller({ ...verifiedBy('okta', {}), provider: 'constructor' }, tableOf(), NOW)).toThrow();
  });
});
