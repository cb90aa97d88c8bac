/** Typical changes: the exact output of `meshgate diff` for each. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { meshgate } from './fake.ts';

const FOLDER = join(import.meta.dirname, 'golden');
const NOTHING = 'refactored';

const text = (name: string, file: string) => readFileSync(join(FOLDER, name, file), 'utf8');

async function diff(name: string, ...args: string[]) {
  const files = { 'old.yaml': text(name, 'old.yaml'), 'new.yaml': text(name, 'new.yaml') };
  const { code, out, err } = await meshgate(['diff', ...args, 'old.yaml', 'new.yaml'], { files });
  expect(err).toBe('');
  expect(code).toBe(name === NOTHING ? 0 : 1);
  return out;
}

/** UPDATE_GOLDEN=1 writes the current output; read the difference before it is committed. */
describe.each(readdirSync(FOLDER))('%s', (name) => {
  test.each([
    ['says.txt', []],
    ['says.json', ['--format', 'json']],
  ])('%s', async (file, args) => {
    const says = await diff(name, ...args);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(join(FOLDER, name, file), says);
    expect(says).toBe(text(name, file));
  });
});
