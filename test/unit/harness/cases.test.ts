import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { storedCases } from '../../harness/cases.ts';

test('each stored case names an existing test, so that it is replayed', () => {
  const lost = storedCases().filter((one) => {
    if (!('property' in one)) return false;
    const [file = '', ...titles] = one.property.replace(/ \(\d+\)$/, '').split(' > ');
    return !readFileSync(file, 'utf8').includes(titles.at(-1) as string);
  });
  expect(lost).toEqual([]);
});
