import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { holds } from '../../../harness/property.ts';
import { cases, goldenPolicy, render } from './golden.ts';
import { type Parsed, readConf } from './read.ts';

type Step = string | number;

/** Places of all strings in a value. */
function leaves(value: unknown, path: readonly Step[] = []): readonly (readonly Step[])[] {
  if (typeof value === 'string') return [path];
  if (Array.isArray(value)) return value.flatMap((item, i) => leaves(item, [...path, i]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => leaves(item, [...path, name]));
}

function replaced(value: unknown, path: readonly Step[], text: string): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return text;
  if (Array.isArray(value)) return value.map((item, i) => (i === step ? replaced(item, rest, text) : item));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, item]) => [name, name === step ? replaced(item, rest, text) : item]),
  );
}

/** Names of directives; the keys of maps are data. */
function names(tree: readonly Parsed[]): readonly string[] {
  return tree.flatMap(({ words, block }) => [words[0] ?? '', ...(words[0] === 'map' ? [] : names(block ?? []))]);
}

function words(tree: readonly Parsed[]): readonly string[] {
  return tree.flatMap((one) => [...one.words, ...words(one.block ?? [])]);
}

const trees = (policy: Policy): readonly Parsed[] =>
  Object.entries(render(policy).files)
    .filter(([path]) => path.endsWith('.conf'))
    .flatMap(([, text]) => readConf(text));

const plain = (text: string) => text.toLowerCase().replaceAll('-', '_');
const spelledOut = (json: string) =>
  json.replace(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
const MARK = 'zqz';

const hostile = fc.oneof(
  fc.constantFrom(
    `${MARK}; evil on;`,
    `${MARK}"; evil on; #`,
    `${MARK}'; evil on; #`,
    `${MARK}} evil { on`,
    `${MARK}\nevil on;`,
    `${MARK}\\`,
    `\${${MARK}}`,
    `$${MARK}`,
    `~^${MARK}`,
    `/${MARK}; evil`,
    `/${MARK} evil`,
    `/${MARK}$evil`,
    `${MARK} default_server`,
  ),
  fc.string({ unit: fc.constantFrom(...'"\'\\;{}$#~/ \n=a-') }).map((text) => MARK + text),
  fc.string({ unit: fc.constantFrom(...'"\'\\;{}$#~/ \n=a-') }).map((text) => `/${MARK}${text}`),
);

test('no string of a policy, parsed or not, becomes more than text', () => {
  const policies = new Map(cases.map((name) => [name, goldenPolicy(name)]));
  const known = new Set([...policies.values()].flatMap((policy) => names(trees(policy))));
  const places = [...policies].flatMap(([name, policy]) => leaves(policy).map((path) => ({ name, path })));
  const seen = { refused: 0, printed: 0 };
  holds(
    fc.property(fc.constantFrom(...places), hostile, ({ name, path }, text) => {
      let tree: readonly Parsed[];
      try {
        tree = trees(replaced(policies.get(name), path, text) as Policy);
      } catch (error) {
        expect(String(error)).toMatch(/nginx: |^Error: no (provider kind|operator) /);
        seen.refused++;
        return;
      }
      expect(names(tree).filter((name) => !known.has(name))).toEqual([]);
      const marked = words(tree).filter((word) => plain(word).includes(MARK));
      // As it is, or in the JSON of metadata, which escapes some characters.
      const written = [text, JSON.stringify(text).slice(1, -1)].map((it) => plain(spelledOut(it)));
      expect(marked.filter((word) => !written.some((it) => plain(spelledOut(word)).includes(it)))).toEqual([]);
      expect(marked.filter((word) => /\$\{?\/?zqz/i.test(word))).toEqual([]);
      if (marked.length > 0) seen.printed++;
    }),
    150,
  );
  expect(seen.refused).toBeGreaterThan(10);
  expect(seen.printed).toBeGreaterThan(0);
});
