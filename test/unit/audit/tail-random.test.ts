import { copyFileSync, existsSync, renameSync, truncateSync } from 'node:fs';
import { expect, test } from 'vitest';
import { newLines, sealLab } from './seal-lab.ts';

/** Numbers that are the same in each run (glibc's linear congruential generator). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

/** Writes, rotates by rename and by copytruncate, and starts the sealer anew, in a random order. */
test.each(Array.from({ length: 10 }, (_, index) => index + 37))(
  'seals each line once, whatever happens between two turns: sequence %i',
  async (seed) => {
    const random = randomNumbers(seed * 7919 + 17);
    const lab = sealLab();
    let sealer = await lab.open();
    await sealer.turn();
    const written: string[] = [];
    const did: string[] = [];
    let rotations = 0;
    const actions: readonly [string, () => unknown][] = [
      ['write', () => append(random(200))],
      // More than one read.
      ['write much', () => random(3) === 0 && append(8000)],
      ['rename', () => existsSync(lab.log) && renameSync(lab.log, `${lab.log}.${++rotations}`)],
      ['copytruncate', () => existsSync(lab.log) && copyTruncate()],
      ['turn', () => sealer.turn()],
      ['restart', () => random(3) === 0 && restart()],
    ];
    function append(count: number): void {
      const lines = newLines(count);
      written.push(...lines);
      lab.write(lines);
    }
    function copyTruncate(): void {
      copyFileSync(lab.log, `${lab.log}-${++rotations}`);
      truncateSync(lab.log);
    }
    async function restart(): Promise<void> {
      sealer = await lab.open();
      await sealer.turn();
    }
    for (let step = 0; step < 40; step++) {
      const [name, act] = actions[random(actions.length)]!;
      did.push(name);
      lab.now += 1;
      await act();
    }
    await sealer.end();
    expect([...lab.sealed().lines].sort(), did.join(', ')).toEqual(written.sort());
  },
);
