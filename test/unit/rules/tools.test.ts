import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refusedTool } from '../../../src/rules/tools.ts';

const version = '2026-07-28';
const ask = (tools: string[], name?: string, method = 'tools/call') =>
  refusedTool(tools, { version, method, ...(name !== undefined && { name }) });

describe('a call', () => {
  test.each([
    [['search_pages'], 'search_pages', undefined],
    [['search_pages'], 'search_page', 'tool_refused'],
    [['search_pages'], 'search_pages_', 'tool_refused'],
    [['search_pages'], 'Search_pages', 'tool_refused'],
    [['search_*'], 'search_', undefined],
    [['search_*'], 'search_pages', undefined],
    [['search_*'], 'delete_page', 'tool_refused'],
    [['a', 'b*'], 'bc', undefined],
    [['*'], 'whatever it is', undefined],
    [['*'], '=?base64?w6Q=?=', undefined],
    [[], 'search_pages', 'tool_refused'],
    // Two headers.
    [['search_*'], 'search_pages, delete_page', 'tool_refused'],
    [['search_*'], 'search_pages,delete_page', 'tool_refused'],
    // Its spelling is another one, whatever is behind it.
    [['search_*'], '=?base64?c2VhcmNoX3BhZ2Vz?=', 'tool_refused'],
    [['*'], '=?base64?c2VhcmNoX3BhZ2Vz', undefined],
    [['*'], '=?base64?c2Vhc?=', 'protocol_refused'],
    [['*'], '=?base64?=?=', 'protocol_refused'],
    [['*'], '=?base64??=', 'protocol_refused'],
    [['*'], 'a\tb', 'protocol_refused'],
    [['*'], ' a', 'protocol_refused'],
    [['*'], '', 'protocol_refused'],
    [['*'], 'ä', 'protocol_refused'],
    [['*'], undefined, 'protocol_refused'],
  ] as const)('by a rule for %j of %j: %s', (tools, name, expected) => {
    expect(ask([...tools], name)).toBe(expected);
  });

  test('by a pattern never of a name that does not begin like it', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        if (ask(['search_*'], name) === undefined) expect(name).toMatch(/^search_[A-Za-z0-9_./-]*$/);
      }),
    );
  });
});

describe('another method', () => {
  test.each(['server/discover', 'initialize', 'ping', 'tools/list', 'notifications/cancelled', 'subscriptions/listen'])(
    '%s passes by any rule',
    (method) => {
      expect(ask(['x'], undefined, method)).toBeUndefined();
    },
  );

  test.each(['resources/read', 'prompts/get', 'completion/complete', 'tools/calls', 'Tools/call', 'tasks/result'])(
    '%s is none that a rule names',
    (method) => {
      expect(ask(['*'], 'x', method)).toBe('tool_refused');
    },
  );

  test.each(['', 'tools/call, tools/list', 'tools/list,', ' ', 'x'.repeat(65)])('%j is none', (method) => {
    expect(ask(['*'], 'x', method)).toBe('protocol_refused');
  });
});

test.each([undefined, '', '2025-11-25', '2025-06-18', '2026-07-28, 2025-11-25', '2027-01-01', 'x'])(
  'protocol version %j is none whose servers are known to compare headers and body',
  (old) => {
    expect(refusedTool(['*'], { version: old, method: 'tools/list' })).toBe('protocol_refused');
  },
);

test('without the headers nothing passes', () => {
  expect(refusedTool(['*'], {})).toBe('protocol_refused');
  expect(refusedTool(['*'], { version })).toBe('protocol_refused');
});
