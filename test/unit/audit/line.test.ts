/** Reading a line of the log. */
import { expect, test } from 'vitest';
import { readLine } from '../../../src/audit/lines/line.ts';
import { lineOf, lineText } from './logged.ts';

test('reads the caller, the request and the decision', () => {
  expect(lineOf({ 'user.roles': 'reader,editor', 'meshgate.agent': 'bot' })).toMatchObject({
    id: '9795ce5ecb841cd57231e9be6a3e3b4b',
    host: 'wiki.example.com',
    path: '/rest/page',
    method: 'GET',
    route: 'wiki.example.com/*',
    roles: ['reader', 'editor'],
    agent: 'bot',
    rule: 'wiki.example.com/*#1',
    reason: '',
    status: 200,
  });
});

test.each([
  ['no roles are an empty list', { 'user.roles': '' }, { roles: [] }],
  ['a request without a route has an empty route', { 'http.route': '-' }, { route: '' }],
  ['an agent alone', { 'meshgate.agent': 'bot', 'meshgate.alone': '1' }, { agent: 'bot', alone: true }],
  ['an agent for a person', { 'meshgate.agent': 'bot', 'meshgate.alone': '' }, { agent: 'bot', alone: false }],
  [
    'the headers of an MCP message',
    { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'search', 'mcp.protocol.version': '2026-07-28' },
    { mcp: { method: 'tools/call', name: 'search', version: '2026-07-28' } },
  ],
  ['the claims', { 'meshgate.claims': '{"groups":["a"]}' }, { claims: '{"groups":["a"]}' }],
])('%s', (_name, changed, expected) => {
  expect(lineOf(changed)).toMatchObject(expected);
});

test('a log without the fields of agents says nothing about them', () => {
  const line = lineOf();
  expect(line.agent).toBe('');
  expect(line).not.toHaveProperty('alone');
  expect(line).not.toHaveProperty('mcp');
});

test.each([
  ['text', 'meshgate: started', /not a JSON object/],
  ['a list', '[]', /not a JSON object/],
  ['half a line', lineText().slice(0, 200), /not a JSON object/],
  ['another log', '{"level":"info"}', /no text request_id/],
  ['a line without a rule', lineText({ 'meshgate.rule': undefined }), /no text meshgate\.rule/],
  ['a line whose roles are a list', lineText({ 'user.roles': ['reader'] }), /no text user\.roles/],
  ['a line of no time', lineText({ time: 'today' }), /its time is no date/],
  ['a line without a status', lineText({ 'http.response.status_code': undefined }), /http\.response\.status_code/],
])('%s is not a line of the log', (_name, text, mistake) => {
  expect(readLine(text)).toEqual({ mistake: expect.stringMatching(mistake) });
});
