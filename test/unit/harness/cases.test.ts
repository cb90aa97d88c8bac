import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { storedCases } from '../../harness/cases.ts';

/** Whether a file has a group or a test with exactly this title. */
const has = (text: string, title: string): boolean =>
  ["'", '"', '`'].some((quote) => text.includes(`(${quote}${title}${quote},`));

test('each stored case names an existing test, so that it is replayed', () => {
  const lost = storedCases().filter((one) => {
    if (!('property' in one)) return false;
    const [file = '', ...titles] = one.property.replace(/ \(\d+\)$/, '').split(' > ');
    return !titles.every((title) => has(readFileSync(file, 'utf8'), title));
  });
  expect(lost).toEqual([]);
});

test('properties are checked by holds(), whose seeds and cases are stored', () => {
  const files = globSync('test/**/*.ts').filter((file) => file !== 'test/harness/property.ts');
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => /\bfc\.(assert|check)\(/.test(readFileSync(file, 'utf8')))).toEqual([]);
});
