import { expect, it } from 'vitest';
import { readyHead } from '../../../../src/caller/ready.ts';
import { Keyring } from '../../../../src/njs/signin/keyring.ts';
import type { Purpose } from '../../../../src/session/names.ts';
import type { SessionClaims } from '../../../../src/session/types.ts';
import { stopClock } from '../fake-ngx.ts';
import { fileOf, HOST, Lab, labNgx, ringText } from '../signin-lab.ts';

stopClock(labNgx);

const now = Math.floor(Date.now() / 1000);

const session = (more: string): SessionClaims => ({
  sid: 'AAECAwQFBgcICQoLDA0ODw',
  provider: 'okta',
  issuer: 'https://okta.example.com',
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
  const { keyring, table, signin } = new Lab().context;
  const of = session('x'.repeat(length));
  const text = await keyring.sealSession(HOST, of, now);
  const plain = await keyring.openFor('session', HOST, text as string, now);
  expect(plain?.startsWith(readyHead(table, signin.session))).toBe(isReady);
  expect(await keyring.sessionOf(HOST, `__Host-Http-meshgate=${text}`, now)).toEqual(of);
});

it('a session that fits in no form is not sealed', async () => {
  expect(await new Lab().context.keyring.sealSession(HOST, session('x'.repeat(4000)), now)).toBeUndefined();
});

it.each<Purpose>(['session', 'state', 'ticket', 'record'])(
  'a %s of a key opens until the time of the key, even if its file does not change',
  async (purpose) => {
    const { table, signin } = new Lab().context;
    const { keys } = JSON.parse(ringText('k2', 'k1'));
    const sealing = fileOf(`until-sealing-${purpose}`, JSON.stringify({ keys: [keys[1]] }));
    const text = await new Keyring(table, { ...signin.session, keysFile: sealing }).sealFor(purpose, HOST, 'kept', now);
    const file = JSON.stringify({ keys: [keys[0], { ...keys[1], until: now + 60 }] });
    const keysFile = fileOf(`until-${purpose}`, file);
    const keyring = new Keyring(table, { ...signin.session, keysFile });
    expect(await keyring.openFor(purpose, HOST, text as string, now + 58)).toBe('kept');
    expect(await keyring.openFor(purpose, HOST, text as string, now + 60)).toBeUndefined();
  },
);
