import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assertionClaims } from '../../../../src/assertion/claims.ts';
import { newSigningKeys } from '../../../../src/assertion/rotate.ts';
import { signAssertion } from '../../../../src/assertion/sign.ts';
import { readSigningKeys } from '../../../../src/assertion/signing-keys.ts';
import { verifyAssertion } from '../../../../src/assertion/verify.ts';
import { AssertionSigner } from '../../../../src/njs/keys/signer.ts';
import { Keyring } from '../../../../src/njs/signin/keyring.ts';
import { readRing } from '../../../../src/session/keys/ring.ts';
import { newRing } from '../../../../src/session/keys/rotate-ring.ts';
import { seal } from '../../../../src/session/keys/seal.ts';
import type { Purpose } from '../../../../src/session/names.ts';
import { meshgate } from '../../cli/fake.ts';
import { stopClock } from '../fake-ngx.ts';
import { fileOf, HOST, Lab, labNgx } from '../signin-lab.ts';

stopClock(labNgx);

/** The documented steps after a file has leaked, while an attacker has the old one. */

const now = Math.floor(Date.now() / 1000);

/** The file after the documented command. */
async function withdrawn(file: string): Promise<string> {
  const { code, written } = await meshgate(['keys', 'rotate', '--leaked', '/leaked.jwks'], {
    files: { '/leaked.jwks': file },
    now,
  });
  expect(code).toBe(0);
  return written['/leaked.jwks'] as string;
}

type File = { keys: Record<string, unknown>[] };

/** For each key of a file: a file in which that key comes first. */
const eachFirst = (file: string): string[] => {
  const { keys } = JSON.parse(file) as File;
  return keys.map((key, i) => JSON.stringify({ keys: [key, ...keys.filter((_, other) => other !== i)] }));
};

describe('a session key file that has leaked', () => {
  test.each<Purpose>(['session', 'state', 'ticket', 'record'])('opens no %s of any old key', async (purpose) => {
    const leaked = newRing(now);
    const { table, signin } = new Lab().context;
    const path = fileOf(`leaked-${purpose}`, leaked);
    const keyring = new Keyring(table, { ...signin.session, keysFile: path });
    const forged: string[] = [];
    for (const text of eachFirst(leaked)) {
      const ring = await readRing(text, now);
      if (typeof ring === 'string') throw new Error(ring);
      forged.push(await seal(ring, purpose, HOST, 'made up', now));
    }
    for (const text of forged) expect(await keyring.openFor(purpose, HOST, text, now)).toBe('made up');
    writeFileSync(path, await withdrawn(readFileSync(path, 'utf8')));
    for (const text of forged) expect(await keyring.openFor(purpose, HOST, text, now + 5)).toBeUndefined();
    const own = await keyring.sealFor(purpose, HOST, 'own', now + 5);
    expect(await keyring.openFor(purpose, HOST, own as string, now + 5)).toBe('own');
  });

  test('gives no new key the id of an old one, which may be revoked', async () => {
    const kids = (text: string) => (JSON.parse(text) as File).keys.map(({ kid }) => kid);
    const leaked = newRing(now);
    const after = kids(await withdrawn(leaked));
    expect(after).toHaveLength(2);
    for (const kid of kids(leaked)) expect(after).not.toContain(kid);
  });
});

test('an assertion key file that has leaked verifies no assertion of any old key', async () => {
  new Lab();
  const leaked = await newSigningKeys(now);
  const path = fileOf('leaked-assertion', leaked);
  const settings = { issuer: 'https://wiki.example.com', keysFile: path, lifetime: 60, byRole: false };
  const signer = new AssertionSigner(settings as never);
  const forged: string[] = [];
  for (const text of eachFirst(leaked)) {
    const keys = await readSigningKeys(text);
    if (typeof keys === 'string') throw new Error(keys);
    const root = { provider: 'okta', subject: 'root', roles: ['admin'] };
    const signed = await signAssertion(
      keys,
      assertionClaims(settings as never, { service: 'wiki', as: '' }, root, now),
    );
    forged.push((signed as { value: string }).value);
  }
  const verdict = async (text: string, at: number) => {
    const keys = (await signer.published(at)) ?? [];
    const context = { issuer: settings.issuer, skew: 30, imported: new Map() };
    return (await verifyAssertion(text, keys, at, context as never)).ok;
  };
  for (const text of forged) expect(await verdict(text, now)).toBe(true);
  writeFileSync(path, await withdrawn(leaked));
  for (const text of forged) expect(await verdict(text, now + 5)).toBe(false);
});

test('--leaked keeps no key, so that --early and --absolute are refused beside it', async () => {
  const files = { '/k.jwks': newRing(now) };
  for (const more of [['--early'], ['--absolute', '7d']]) {
    const { code, written } = await meshgate(['keys', 'rotate', '--leaked', ...more, '/k.jwks'], { files, now });
    expect([code, written]).toEqual([2, {}]);
  }
});
