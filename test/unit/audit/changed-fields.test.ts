/** Which fields of a line differ from the sealed line. */
import { expect, test } from 'vitest';
import { changedFields } from '../../../src/audit/verify/changed-fields.ts';

const bytes = (text: string) => Buffer.from(text);
const changed = (sealed: string, found: string) => changedFields(bytes(sealed), bytes(found));

test('names each field with both values, also one that is new or missing', () => {
  expect(changed('{"a":1,"b":"x","c":2}', '{"a":1,"b":"y","d":3}')).toEqual([
    { field: 'b', sealed: 'x', found: 'y' },
    { field: 'c', sealed: 2 },
    { field: 'd', found: 3 },
  ]);
});

test('cuts long texts', () => {
  const [only] = changed('{"a":""}', JSON.stringify({ a: 'x'.repeat(201) }));
  expect(only?.found).toBe(`${'x'.repeat(200)}…`);
});

test.each([
  ['the same object in other characters', '{"a":1}', '{ "a": 1 }'],
  ['a line that was cut', '{"a":1}', '{"a":'],
  ['a list', '{"a":1}', '[1]'],
])('names none for %s', (_, sealed, found) => {
  expect(changed(sealed, found)).toEqual([]);
});
