import fs, {
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import { systemRuntime } from '../../../src/cli/machine/runtime.ts';
import { meshgate } from './fake.ts';

const NOW = 1_800_000_000;
const kids = (text = '') => JSON.parse(text).keys.map(({ kid }: { kid: string }) => kid);

describe('meshgate keys', () => {
  test('new makes a file and never replaces one', async () => {
    const made = await meshgate(['keys', 'new', '/k.jwks']);
    expect([made.code, kids(made.written['/k.jwks'])]).toEqual([0, [expect.any(String), expect.any(String)]]);
    expect(made.out).toBe('');
    const again = await meshgate(['keys', 'new', '/k.jwks'], { files: made.written });
    expect([again.code, again.written]).toEqual([2, {}]);
    expect(again.err).toContain('/k.jwks exists already');
  });

  test('rotate moves on by one key, waits for the next one, and rejects other files', async () => {
    const file = await newSigningKeys(NOW - 3600);
    const rotated = await meshgate(['keys', 'rotate', '/k.jwks'], { files: { '/k.jwks': file }, now: NOW });
    expect([rotated.code, kids(rotated.written['/k.jwks'])[0]]).toEqual([0, kids(file)[1]]);
    const files = rotated.written;
    const early = await meshgate(['keys', 'rotate', '/k.jwks'], { files, now: NOW + 60 });
    expect([early.code, early.written]).toEqual([1, {}]);
    expect(early.err).toContain('wait 59 more');
    expect((await meshgate(['keys', 'rotate', '--early', '/k.jwks'], { files, now: NOW + 60 })).code).toBe(0);
    expect((await meshgate(['keys', 'rotate', '/none'])).code).toBe(2);
    const broken = await meshgate(['keys', 'rotate', '/k'], { files: { '/k': '{"keys":[{"d":"hush"}]}' } });
    expect([broken.code, broken.written]).toEqual([1, {}]);
    expect(broken.err + broken.out).not.toContain('hush');
  });

  test('session keys are made with --session, and rotated by the content of the file', async () => {
    const made = await meshgate(['keys', 'new', '--session', '/s.jwks'], { now: NOW });
    expect([made.code, made.err]).toEqual([
      0,
      '/s.jwks: two session keys: the first seals, the second will seal next\nonly its owner can read it, but the gateway\'s user must: for the image, run "chown 10101 /s.jwks" as root\n',
    ]);
    const files = made.written;
    const early = await meshgate(['keys', 'rotate', '/s.jwks'], { files, now: NOW });
    expect([early.code, early.written]).toEqual([1, {}]);
    const rotated = await meshgate(['keys', 'rotate', '--absolute', '7d', '/s.jwks'], { files, now: NOW + 600 });
    expect(rotated.code).toBe(0);
    const { keys } = JSON.parse(rotated.written['/s.jwks'] ?? '');
    expect(keys[2]).toMatchObject({ kid: kids(files['/s.jwks'])[0], until: NOW + 1200 + 7 * 86400 });
    expect((await meshgate(['keys', 'rotate', '--absolute', '7', '/s.jwks'], { files })).code).toBe(2);
    const signing = { '/k.jwks': await newSigningKeys(NOW) };
    expect((await meshgate(['keys', 'rotate', '--absolute', '7d', '/k.jwks'], { files: signing })).code).toBe(2);
  });

  test('a file that cannot be written is reported', async () => {
    const { code, err } = await meshgate(['keys', 'new', '/forbidden/k.jwks']);
    expect([code, err]).toEqual([2, 'meshgate: /forbidden/k.jwks: this user has no permission\n']);
  });
});

describe('a secret file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-keys-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is readable only by its owner, or keeps its mode, and is replaced atomically', () => {
    const { replace } = systemRuntime();
    const file = join(folder, 'k.jwks');
    replace(file, 'one');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { ino } = statSync(file);
    replace(file, 'two');
    expect([readFileSync(file, 'utf8'), readdirSync(folder)]).toEqual(['two', ['k.jwks']]);
    expect(statSync(file).ino).not.toBe(ino);
  });

  test('keeps its owner, whichever user replaces it', ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root gives files away');
    const { replace } = systemRuntime();
    const file = join(folder, 'owned.jwks');
    writeFileSync(file, 'one', { mode: 0o600 });
    chownSync(file, 10101, 10101);
    replace(file, 'two');
    const { uid, gid, mode } = statSync(file);
    expect([uid, gid, mode & 0o777, readFileSync(file, 'utf8')]).toEqual([10101, 10101, 0o600, 'two']);
  });

  test('asks for nothing if it belongs to the image’s user already', async () => {
    const args = ['keys', 'new', '/k.jwks'];
    expect((await meshgate(args, { now: NOW, owner: 10101 })).err).not.toContain('chown');
    expect((await meshgate(args, { now: NOW, owner: 0 })).err).toContain('run "chown 10101 /k.jwks" as root');
  });

  test('leaks nothing through a link that another user puts in its place meanwhile', ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root gives files away');
    const { replace } = systemRuntime();
    const [file, victim] = [join(folder, 'raced.jwks'), join(folder, 'victim')];
    writeFileSync(file, 'one', { mode: 0o600 });
    chownSync(file, 10101, 10101);
    writeFileSync(victim, 'of root');
    const look = fs.lstatSync;
    const looking = vi.spyOn(fs, 'lstatSync').mockImplementation(((path: string) => {
      const found = look(path);
      if (path === `${file}.new`) {
        unlinkSync(path);
        symlinkSync(victim, path);
      }
      return found;
    }) as typeof fs.lstatSync);
    try {
      replace(file, 'two');
    } finally {
      looking.mockRestore();
    }
    expect([statSync(victim).uid, readFileSync(victim, 'utf8')]).toEqual([0, 'of root']);
  });
});
