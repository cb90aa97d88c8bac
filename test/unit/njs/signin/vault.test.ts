import { expect, it } from 'vitest';
import { readyHead } from '../../../../src/caller/ready.ts';
import type { SessionClaims } from '../../../../src/session/types.ts';
import { HOST, Lab } from '../signin-lab.ts';

const now = Math.floor(Date.now() / 1000);

const session = (more: string): SessionClaims => ({
  sid: 'AAECAwQFBgcICQoLDA0ODw',
  provider: 'okta',
  selection: 'SELECTION',
  gen: 0,
  since: now,
  authTime: now,
  sealed: now,
  fresh: now + 600,
  end: now + 86_400,
  claims: { sub: 'u1', more },
});

it.each([
  ['a caller who fits in ready-made', 100, true],
  ['a caller who would make the cookie too long', 2850, false],
])('a session is sealed with %s', async (_, length, isReady) => {
  const { vault, table, signin } = new Lab().scene;
  const of = session('x'.repeat(length));
  const text = await vault.sealSession(HOST, of, now);
  const plain = await vault.openFor('session', HOST, text as string, now);
  expect(plain?.startsWith(readyHead(table, signin.session))).toBe(isReady);
  expect(await vault.sessionOf(HOST, `__Host-meshgate=${text}`, now)).toEqual(of);
});

it('a session that fits in in no way is not sealed', async () => {
  expect(await new Lab().scene.vault.sealSession(HOST, session('x'.repeat(4000)), now)).toBeUndefined();
});
