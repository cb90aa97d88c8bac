import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parsePolicy } from '../../../src/policy/index.ts';
import { policyJsonSchemaText } from '../../../src/policy/schema/json-schema.ts';
import { holds } from '../../harness/property.ts';
import { anyText } from '../text.ts';

const full = readFileSync(new URL('fixtures/full.yaml', import.meta.url), 'utf8');

/** Words of a policy, so that random trees pass the first check. */
const words = [...new Set(full.match(/[\w./*:-]+/g)), '<<', '__proto__', 'constructor', '/', '', 'null', '*.a', '*'];
const keys = fc.oneof(fc.constantFrom(...words), fc.string());
const scalars = fc.oneof(
  fc.constantFrom(...words),
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec<{ tree: unknown; list: unknown; map: unknown }>((tie) => ({
  tree: fc.oneof({ depthSize: 'medium', withCrossShrink: true }, scalars, tie('list'), tie('map')),
  list: fc.array(tie('tree'), { maxLength: 4 }),
  map: fc.dictionary(keys, tie('tree'), { maxKeys: 6 }),
}));
const sections = [...Object.keys((JSON.parse(policyJsonSchemaText()) as { properties: object }).properties)];
const policies = fc.record(Object.fromEntries(sections.map((key) => [key, tree])), { requiredKeys: [] });

/** Never throws, and returns either the policy or its errors, in order, each once. */
function check(text: string): void {
  const { policy, errors } = parsePolicy(text, 'fuzz.yaml');
  expect(policy === undefined).toBe(errors.length > 0);
  const lines = text.split('\n').length;
  const wrong = errors.filter(({ at, path, message }, index) => {
    const isInOrder = at.line >= (errors[index - 1]?.at.line ?? 0) && at.line <= lines && at.column >= 1;
    return !isInOrder || /[\n\r\0]/.test(`${path}${message}`) || message.includes('undefined');
  });
  expect(wrong).toEqual([]);
  const seen = new Set(errors.map(({ at, path, message }) => `${at.line}:${at.column} ${path} ${message}`));
  expect(seen.size).toBe(errors.length);
}

test('random text', { timeout: 60_000 }, () => {
  holds(fc.property(anyText({ maxLength: 400 }), check), 150);
});

test('random bytes', { timeout: 60_000 }, () => {
  const bytes = fc.uint8Array({ maxLength: 400 }).map((it) => Buffer.from(it).toString('latin1'));
  holds(fc.property(bytes, check), 150);
});

test('random trees', { timeout: 60_000 }, () => {
  holds(
    fc.property(fc.oneof(tree, policies), (it) => check(stringify(it, { aliasDuplicateObjects: false }))),
    80,
  );
});

test('a policy with characters put in, taken out and swapped', { timeout: 60_000 }, () => {
  const edit = fc.tuple(
    fc.nat(full.length),
    fc.nat(12),
    fc.oneof(fc.constantFrom(...words, ...'{}[]:,#&*!|>\'"%@`-\n\t '), fc.string()),
  );
  const edits = fc.array(edit, { minLength: 1, maxLength: 6 });
  holds(
    fc.property(edits, (all) =>
      check(all.reduce((text, [at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone), full)),
    ),
    50,
  );
});

test('every beginning of a policy', { timeout: 60_000 }, () => {
  for (let end = 0; end < full.length; end += 41) check(full.slice(0, end));
});

test('deep, long or aliased text ends in an error, and soon', { timeout: 60_000 }, () => {
  const bomb = Array.from(
    { length: 30 },
    (_, i) => `  a${i}: &a${i} { any: [${i === 0 ? '{ group: a }' : `*a${i - 1}, *a${i - 1}`}] }`,
  );
  check(`version: 1\nroles:\n${bomb.join('\n')}\n`);
  check(`a: ${'['.repeat(20_000)}`);
  check(`roles:\n  a: ${'{ any: ['.repeat(60)}x${']}'.repeat(60)}\n`);
  check(`#${'x'.repeat(2 ** 20)}`);
  check(Array.from({ length: 5000 }, (_, i) => `k${i}: 1`).join('\n'));
  check(Array.from({ length: 5000 }, (_, i) => `k${i}: {`).join('\n'));
});
