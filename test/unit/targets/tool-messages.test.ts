/** Compares the tool conditions of meshes with the decisions of the gateway. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CALL, LISTING, type McpHeaders, refusedTool } from '../../../src/rules/tools.ts';
import { ANY_NAME, type HeaderText, type ToolMessages, toolMessages } from '../../../src/targets/kit/tool-messages.ts';
import { holds } from '../../harness/property.ts';

const TASKS = ['tasks/get', 'tasks/update', 'tasks/cancel'];

const entire = (pattern: string, text: string) => new RegExp(`^(?:${pattern})$`).test(text);

const has = (texts: readonly HeaderText[], value: string): boolean =>
  texts.some((it) => ('exact' in it ? value === it.exact : value.startsWith(it.prefix) && entire(`${it.of}*`, value)));

const isAny = (name: string): boolean =>
  entire(ANY_NAME.encoded, name) || (entire(ANY_NAME.plain, name) && !entire(ANY_NAME.marked, name));

function passes({ versions, methods, names }: ToolMessages, { version, method, name }: McpHeaders): boolean {
  if (version === undefined || !versions.includes(version)) return false;
  if (method === undefined || !has(methods, method)) return false;
  if (names === undefined) return true;
  return name !== undefined && (names === 'any' ? isAny(name) : has(names, name));
}

const word = fc.string({ unit: fc.constantFrom(...'ab_./-,=? é\t'.split('')), maxLength: 6 });
const marked = fc
  .string({ unit: fc.constantFrom(...'aZ0+/=?'.split('')), maxLength: 9 })
  .map((text) => `=?base64?${text}?=`);
const pattern = fc
  .tuple(fc.stringMatching(/^[ab_./-]{0,3}$/), fc.boolean())
  .filter(([stem, glob]) => glob || stem !== '')
  .map(([stem, glob]) => stem + (glob ? '*' : ''));
const message = fc.record({
  version: fc.constantFrom('2026-07-28', '2025-11-25', undefined),
  method: fc.oneof(
    fc.constantFrom(CALL, CALL, CALL, ...LISTING, ...TASKS, 'resources/read', 'initialize', 'ping', undefined),
    word.map((it) => `notifications/${it}`),
    word,
  ),
  name: fc.oneof(word, marked, fc.constantFrom('', '=?base64?=', '=?base64??=', '=?base64?w6Q', undefined)),
});

test('the three kinds of messages are those that the rule covers, and no others', () => {
  const found = { passed: 0, refused: 0 };
  holds(
    fc.property(fc.array(pattern, { maxLength: 3 }), message, (tools, requested) => {
      const expected = refusedTool(tools, requested) === undefined;
      found[expected ? 'passed' : 'refused'] += 1;
      expect(toolMessages(tools).some((it) => passes(it, requested))).toBe(expected);
    }),
    5000,
  );
  expect(Math.min(found.passed, found.refused)).toBeGreaterThan(200);
});
