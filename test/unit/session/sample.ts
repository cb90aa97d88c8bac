import type { SessionClaims, SessionRecord } from '../../../src/session/types.ts';

/** A session that began at 1000 and is fresh until 1600, with an idle time of 8 hours. */
export const session: SessionClaims = {
  sid: 'hTJmAPsWx7_gz1b3nsEfAQ',
  provider: 'okta',
  issuer: 'https://op.example',
  psid: 'p-1',
  selection: 'sel-1',
  gen: 1,
  since: 1000,
  authTime: 990,
  sealed: 1000,
  fresh: 1600,
  end: 87400,
  claims: { sub: 'u1', groups: ['staff'] },
};

export const record: SessionRecord = {
  session,
  host: 'wiki.example.com',
  claims: { iss: 'https://op.example', sub: 'u1', groups: ['staff', 'other'] },
  refreshToken: 'refresh-1',
  idToken: 'a.b.c',
};
