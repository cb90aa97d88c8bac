/** Tests that a document names: `[file](path of the test) "a test", "another"`. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface NamedTest {
  readonly path: string;
  readonly name: string;
}

/** The tests that a text names; a file without a name beside it counts as a whole. */
export function namedTests(document: string, text: string): readonly NamedTest[] {
  return [...text.matchAll(/\]\(((?:\.\.\/)+test\/[^)]+)\)((?:,? "[^"]+")*)/g)].flatMap(([, link = '', names = '']) => {
    const path = join(dirname(document), link);
    const found = [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ path, name }));
    return found.length === 0 ? [{ path, name: '' }] : found;
  });
}

/** The missing ones: there is no such file, or no such text in it. */
export const missingTests = (named: readonly NamedTest[]): readonly NamedTest[] =>
  named.filter(({ path, name }) => !existsSync(path) || !readFileSync(path, 'utf8').includes(name));
