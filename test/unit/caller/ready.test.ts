import { describe, expect, it } from 'vitest';
import { toCaller } from '../../../src/caller/caller.ts';
import {
  callerOf,
  END_LINE,
  FRESH_LINE,
  HEAD_LINE,
  READY_LINES,
  RENEW_AT_LINE,
  readyHead,
  sessionText,
} from '../../../src/caller/ready.ts';
import type { Table } from '../../../src/rules/types.ts';
import { claimsText, lastLine, readClaims } from '../../../src/session/cookie-claims.ts';
import { seal } from '../../../src/session/keys/seal.ts';
import { SESSION_COOKIE } from '../../../src/session/names.ts';
import type { SessionClaims } from '../../../src/session/types.ts';
import { table as entire } from '../njs/check.ts';
import { ringOf } from '../session/rings.ts';

const now = 1_790_000_000;

const at = { file: '', line: 1, column: 1 };

const policy = { keysFile: '', idle: 28_800, absolute: 86_400, fresh: 600 };

/** Without the role that depends on the time since the sign-in. */
const table: Table = { ...entire, roles: entire.roles.slice(0, 1), sends: { email: true, name: true, groups: false } };

const session: SessionClaims = {
  sid: 'AAECAwQFBgcICQoLDA0ODw',
  provider: 'okta',
  issuer: 'https://okta.example.com',
  psid: 'p\n1',
  selection: table.selection,
  gen: 0,
  since: now,
  authTime: now - 100,
  sealed: now,
  fresh: now + 600,
  end: now + 86_400,
  claims: { uid: 'ada', groups: ['staff'], email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' },
};

const lines = (it: SessionClaims, of: Parameters<typeof sessionText>[1] = table) =>
  sessionText(it, of, policy, now).split('\n', READY_LINES);

const isReady = (it: SessionClaims, of?: Parameters<typeof sessionText>[1]) =>
  lines(it, of)[HEAD_LINE] === readyHead(table, policy);

describe('a ready-made caller', () => {
  it.each([
    ['Ada', {}],
    ['a person without a role', { groups: [] }],
    ['without an e-mail address', { email: undefined }],
    ['with one that is not verified', { email_verified: false }],
    ['with a name of any script', { name: 'Ἄδα, %41' }],
    ['without a name', { name: undefined }],
  ])('is the caller that the claims describe: %s', (_, more) => {
    const claims = JSON.parse(JSON.stringify({ ...session.claims, ...more }));
    const it = { ...session, claims };
    expect(isReady(it)).toBe(true);
    const made = toCaller({ provider: 'okta', claims, expires: session.end, key: '' }, table, now);
    expect(made).toEqual({ ok: true, value: callerOf(lines(it)) });
  });

  it('has the times of the policy, and all else as before', () => {
    const ready = lines(session);
    expect([ready[END_LINE], ready[RENEW_AT_LINE], ready[FRESH_LINE]].map(Number)).toEqual([
      now + 28_800,
      now + 480,
      now + 600,
    ]);
    const late = { ...session, since: now - 80_000 };
    expect(Number(lines(late)[END_LINE])).toBe(now + 6_400);
    const text = sessionText(session, table, policy, now);
    expect(lastLine(text)).toBe(claimsText(session));
    expect(readClaims(text)).toEqual(session);
  });

  it.each<[string, Partial<SessionClaims>, Partial<Table>]>([
    ['the claims were chosen by another policy', { selection: 'other' }, {}],
    ['the policy does not have the provider', { provider: 'gone' }, {}],
    ['a role depends on the time since the sign-in', {}, { roles: entire.roles }],
    ['headers send groups', {}, { sends: { email: true, name: true, groups: true } }],
    ['headers send claims', {}, { claims: ['tier'] }],
    ['there is no subject', { claims: {} }, {}],
    ['the subject is to be encoded', { claims: { uid: 'a\nb' } }, {}],
    ['the name has two lines', { claims: { ...session.claims, name: 'Ada\nLovelace' } }, {}],
    ['the lines would be long', { claims: { ...session.claims, name: 'x'.repeat(200) } }, {}],
    ['the name is empty', { claims: { ...session.claims, name: '' } }, {}],
  ])('is not stored if %s', (_, changes, more) => {
    const it = { ...session, ...changes };
    expect(sessionText(it, { ...table, ...more }, policy, now)).toBe(claimsText(it));
  });
});

it('keeps a cookie with 20 groups that give 20 roles below 1.5 KB', async () => {
  const groups = Array.from({ length: 20 }, (_, i) => `confluence-team-${i}-editors`);
  const claims = { ...session.claims, uid: '00u1a2b3c4d5e6f7g8h9', sub: '00u1a2b3c4d5e6f7g8h9', groups };
  const ring = await ringOf(['2026-10-a', 1]);
  const ready: boolean[] = [];
  for (let roles = 1; roles <= groups.length; roles++) {
    const of: Table = {
      ...table,
      roles: groups.slice(0, roles).map((value, i) => [`confluence-editor-${i}`, { op: 'group', value, at: at }]),
    };
    const text = sessionText({ ...session, claims }, of, policy, now);
    ready.push(text.startsWith(readyHead(of, policy)));
    const cookie = `${SESSION_COOKIE}=${await seal(ring, 'session', 'wiki.example.com', text, now)}`;
    expect(cookie.length).toBeLessThan(1536);
  }
  expect([ready[0], ready.at(-1)]).toEqual([true, false]);
});

describe('the first line', () => {
  it('differs for each policy that makes the other lines invalid', () => {
    const heads = [
      readyHead(table, policy),
      readyHead({ selection: 'other' }, policy),
      readyHead(table, { ...policy, idle: 1 }),
      readyHead(table, { ...policy, absolute: 1 }),
      readyHead(table, { ...policy, fresh: 1 }),
    ];
    expect(new Set(heads).size).toBe(heads.length);
  });
});
