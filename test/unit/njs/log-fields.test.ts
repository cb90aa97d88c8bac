/** What the check says only for the log: claims and pseudonyms, for every way to a caller. */
import { createHmac } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../../src/rules/types.ts';
import { adas, adasToken, Context, publishKeys, ringPath, sealedReady, table, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);
const keyFile = `${ringPath}.pseudonyms`;
const k = Buffer.alloc(32, 5).toString('base64url');

const pseudonymOf = (provider: string, subject: string): string => {
  const key = createHmac('sha256', Buffer.from(k, 'base64url')).update('pseudonyms of the log').digest();
  return `p1.${createHmac('sha256', key).update(`${provider}\n${subject}`).digest('base64url').slice(0, 22)}`;
};

const audited: Table = {
  ...table,
  selection: 'sel-audited',
  logged: { okta: [{ path: 'groups', values: ['staff'] }, { path: 'auth_time' }], other: [] },
};
const hiding: Table = { ...audited, selection: 'sel-hiding', pseudonyms: keyFile };

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  fake.logged.length = 0;
  writeRing(['k1', 1]);
  writeFileSync(keyFile, JSON.stringify({ keys: [{ kid: 'p1', k }] }));
  await publishKeys(start);
});

const bearer = (claims = {}) => ({ Authorization: `Bearer ${adasToken(start, claims)}` });

/** The fields for the log of both a new and a known token, which must be the same. */
async function reportedOf(of: Table, headers: Readonly<Record<string, string>>, path = '*') {
  const answers = [];
  // The second context finds the token in shared memory.
  for (const context of [new Context(of), new Context(of)]) {
    for (let i = 0; i < 3; i++) answers.push(await context.check(headers, path));
  }
  const [first, ...others] = answers.map(({ status, headers: all }) => ({
    status,
    user: all['X-Meshgate-User'],
    claims: all['X-Meshgate-Claims'],
    pseudonym: all['X-Meshgate-Pseudonym'],
  }));
  for (const other of others) expect(other).toEqual(first);
  return first;
}

describe('a token', () => {
  test('has its claims in the log, the first time and again', async () => {
    const claims = '{"groups":["staff","ada’s"]}'.replace('’', '\\u2019');
    const reported = { status: 204, user: 'o-ada', claims, pseudonym: undefined };
    expect(await reportedOf(audited, bearer({ groups: ['staff', 'ada’s'] }))).toEqual(reported);
  });

  test('has neither without gateway.audit', async () => {
    const reported = { status: 204, user: 'o-ada', claims: undefined, pseudonym: undefined };
    expect(await reportedOf(table, bearer())).toEqual(reported);
  });

  test('has a pseudonym, beside the subject for services', async () => {
    expect(await reportedOf(hiding, bearer({ groups: ['staff', 'x'] }))).toEqual({
      status: 204,
      user: 'o-ada',
      claims: JSON.stringify({ groups: ['staff', pseudonymOf('claims', 'x')] }),
      pseudonym: pseudonymOf('okta', 'o-ada'),
    });
  });

  test('has both if it is refused', async () => {
    const reported = { status: 401, user: 'o-ada', claims: '{"groups":[]}', pseudonym: pseudonymOf('okta', 'o-ada') };
    expect(await reportedOf(hiding, bearer({ groups: [] }))).toEqual(reported);
  });

  test('of a subject that is too long for a refusal is cut, and the pseudonym is whole', async () => {
    const uid = 'a'.repeat(4000);
    const reported = await reportedOf({ ...hiding, answerRoom: 800 }, bearer({ uid, groups: [] }));
    expect(reported?.user).toBe(`o-${'a'.repeat(62)}\ufffd`);
    expect(reported?.pseudonym).toBe(pseudonymOf('okta', `o-${uid}`));
  });
});

test('a session has the same, also with a cookie that was prepared', async () => {
  // A cookie is prepared only if no role depends on the age of the sign-in.
  const roles = table.roles.slice(0, 1);
  for (const [of, pseudonym] of [
    [audited, undefined],
    [hiding, pseudonymOf('okta', 'o-ada')],
    [{ ...audited, roles }, undefined],
    [{ ...hiding, roles }, pseudonymOf('okta', 'o-ada')],
  ] as const) {
    const text = await sealedReady(adas(start, { selection: of.selection }), of);
    const reported = await reportedOf(of, { Cookie: `__Host-Http-meshgate=${text}` }, '*');
    const claims = `{"groups":["staff"],"auth_time":${start - 60}}`;
    expect(reported).toEqual({ status: 204, user: 'o-ada', claims, pseudonym });
  }
});

test('without its file, the log names no one, requests pass, and the error log says why', async () => {
  rmSync(keyFile);
  const reported = await reportedOf(hiding, bearer({ groups: ['staff', 'x'] }));
  expect(reported).toMatchObject({ status: 204, pseudonym: '?', claims: '{"groups":["staff","?"]}' });
  expect(fake.logged.join('\n')).toContain(`meshgate: the log names no people: ${keyFile}`);
  // A file that comes back counts for new callers at once.
  writeFileSync(keyFile, JSON.stringify({ keys: [{ kid: 'p1', k }] }));
  const later = await reportedOf(hiding, bearer({ jti: 'later' }));
  expect(later?.pseudonym).toBe(pseudonymOf('okta', 'o-ada'));
});
