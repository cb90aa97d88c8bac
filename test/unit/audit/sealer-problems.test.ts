import { linkSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { disk } from '../../../src/audit/seal/disk.ts';
import { type Lab, newLines, sealLab } from './seal-lab.ts';

test('reads the files that were rotated while it had much to read', async () => {
  const lab = sealLab();
  const all = ['first', 'second', 'third'].map((name) => `${name} ${'x'.repeat(60_000)}`);
  const many = Array.from({ length: 300 }, () => all[0] as string);
  lab.write(many);
  let rotated = 0;
  const sealer = await lab.open({
    put(path, ...rest) {
      disk.put(path, ...rest);
      if (!path.endsWith('/checkpoint') || rotated === 2) return;
      renameSync(lab.log, `${lab.log}.${++rotated}`);
      lab.write([all[rotated] as string]);
    },
  });
  await sealer.turn();
  await sealer.end();
  expect(rotated).toBe(2);
  expect(lab.sealed().lines).toEqual([...many, ...all.slice(1)]);
});

test('seals the lines that it had read when the policies could not be', async () => {
  const lab = sealLab();
  let looks = 0;
  const sealer = await lab.open({
    names(folder) {
      if (folder === lab.settings.policies && ++looks === 2)
        throw Object.assign(new Error('permission denied'), { code: 'EACCES' });
      return disk.names(folder);
    },
  });
  const all = newLines(3);
  lab.write(all);
  await sealer.turn(true);
  expect(looks).toBe(2);
  await sealer.end();
  expect(lab.sealed().lines).toEqual(all);
});

test.each<[string, (lab: Lab, key: string) => void, RegExp]>([
  ['a link to the private key', ({ log }, key) => symlinkSync(key, log), /access\.log is a link, so it is not sealed/],
  ['another name of the private key', ({ log }, key) => linkSync(key, log), /access\.log is a private key/],
  ['the private key', ({ settings }, key) => Object.assign(settings, { log: key }), /key is a private key/],
])('does not seal %s in place of the log', async (_, replace, message) => {
  const lab = sealLab();
  await (await lab.open()).end();
  const key = join(lab.settings.folder, 'private/key');
  replace(lab, key);
  await expect(lab.open().then((sealer) => sealer.turn(true))).rejects.toThrow(message);
  const entries = readFileSync(join(lab.settings.folder, 'tile/entries/000.p/1'), 'utf8');
  expect(entries).not.toContain(JSON.parse(readFileSync(key, 'utf8')).d);
  expect(readdirSync(join(lab.settings.folder, 'tile/entries/000.p'))).toEqual(['1']);
});

test('does not read a link that has the name of a rotated file, and goes on', async () => {
  const lab = sealLab();
  const lines = newLines(20);
  lab.write(lines.slice(0, 10));
  await (await lab.open()).end();
  writeFileSync(join(lab.folder, 'secret'), 'secret\n');
  symlinkSync(join(lab.folder, 'secret'), `${lab.log}.1`);
  const sealer = await lab.open();
  renameSync(lab.log, `${lab.log}.2`);
  symlinkSync(join(lab.folder, 'secret'), `${lab.log}.3`);
  lab.write(lines.slice(10));
  await sealer.end();
  expect(lab.sealed().lines).toEqual(lines);
});
