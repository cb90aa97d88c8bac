import { renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { disk } from '../../../src/audit/disk.ts';
import { newLines, sealLab } from './seal-lab.ts';

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
