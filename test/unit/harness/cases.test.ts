import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { storedCases } from '../../harness/cases.ts';

/** The titles of groups and tests in a file. In those of `each`, `%s` and `$name` stand for any text, so a title that is
 * nothing else is found under any name. */
const titlesIn = (text: string): readonly RegExp[] =>
  [...text.matchAll(/(?:\(|describeWith\([^,()]+,)\s*(['"`])((?:\\.|(?!\1)[^\\\n])*)\1,/g)].map(([, , title = '']) => {
    const parts = title
      .split(/%[sdifjoOc#]|\$\{[^}]*\}|\$[\w.]+/)
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`);
  });

/** Whether a property is one of a test that exists. */
function exists(property: string): boolean {
  const [file = '', ...titles] = property.replace(/ \(\d+\)$/, '').split(' > ');
  if (!existsSync(file)) return false;
  const known = titlesIn(readFileSync(file, 'utf8'));
  return titles.every((title) => known.some((one) => one.test(title)));
}

test.each([
  ['test/unit/targets/nginx/injection.test.ts > no string of a policy, parsed or not, becomes more than text', true],
  ['test/unit/targets/nginx/injection.test.ts > no string of a policy', false],
  ['test/unit/session/pages/render.test.ts > whatever is put in > as owner breaks out of nothing (2)', true],
  ['test/unit/session/pages/render.test.ts > whatever is put in > as owner breaks out of something', false],
  ['test/unit/nowhere.test.ts > a', false],
])('%s: %j', (property, expected) => expect(exists(property)).toBe(expected));

test('each stored case names an existing test, so that it is replayed', () => {
  const lost = storedCases().flatMap((one) => ('property' in one && !exists(one.property) ? [one.property] : []));
  expect(lost, 'test/cases.jsonl has cases of tests that do not exist: rename them there too, or remove them').toEqual(
    [],
  );
});

test('properties are checked by holds(), whose seeds and cases are stored', () => {
  const files = globSync('test/**/*.ts').filter((file) => file !== 'test/harness/property.ts');
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => /\bfc\.(assert|check)\(/.test(readFileSync(file, 'utf8')))).toEqual([]);
});
