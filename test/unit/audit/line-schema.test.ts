/** docs/log.schema.json is what the table of fields says. `npx vitest run FILE -u` writes it again. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { FIELDS, longestLine } from '../../../src/audit/lines/fields.ts';
import { lineSchema } from '../../../src/audit/lines/line-schema.ts';

const valid = new Ajv2020({ strict: true }).compile(lineSchema());

/** The example of docs/log.md. */
const example = () => JSON.parse(/^\{"time.*$/m.exec(readFileSync('docs/log.md', 'utf8'))?.[0] ?? '{}');

test('docs/log.schema.json has each field', async () => {
  const text = `${JSON.stringify(lineSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(new URL('../../../docs/log.schema.json', import.meta.url).pathname);
});

describe('the schema', () => {
  test('accepts the example of the documentation, and fields of later versions', () => {
    expect(valid(example()), JSON.stringify(valid.errors)).toBe(true);
    expect(valid({ ...example(), 'meshgate.later': 1 })).toBe(true);
  });

  test.each([
    ['a status that is a text', { 'http.response.status_code': '403' }],
    ['a time without a zone', { time: '2026-03-04T10:15:02' }],
    ['a digest of another length', { 'meshgate.policy': '5f2d0c81b9a3e674' }],
    ['a path that is longer than the limit', { 'url.path': `/${'a'.repeat(1025)}` }],
    ['alone as a boolean', { 'meshgate.alone': true }],
  ])('rejects %s', (_, change) => {
    expect(valid({ ...example(), ...change })).toBe(false);
  });

  test('requires every field that all policies have', () => {
    const { request_id: _, ...line } = example();
    expect(valid(line)).toBe(false);
  });
});

/** The fields of the first version with a schema. A field may never leave this list, nor change its type. */
const FIRST = {
  text: [
    ...['time', 'request_id', 'trace_id', 'span_id', 'client.address', 'server.address', 'http.request.method'],
    ...['url.path', 'http.route', 'user_agent.original', 'user.id', 'user.roles', 'meshgate.agent', 'meshgate.actors'],
    ...['meshgate.alone', 'mcp.protocol.version', 'mcp.method.name', 'gen_ai.tool.name', 'meshgate.provider'],
    ...['meshgate.claims', 'meshgate.policy', 'meshgate.rule', 'meshgate.reason', 'meshgate.service'],
    ...['meshgate.service_credential', 'meshgate.mesh', 'meshgate.ingress', 'meshgate.identity', 'meshgate.upstream'],
    ...['meshgate.upstream_status', 'meshgate.erased'],
  ],
  number: ['http.response.status_code', 'duration', 'bytes'],
};

test('fields are only added', () => {
  const typeOf = new Map(FIELDS.map(({ name, kind }) => [name, kind === 'number' ? 'number' : 'text']));
  for (const [type, names] of Object.entries(FIRST)) for (const name of names) expect(typeOf.get(name)).toBe(type);
});

test('a line with all fields at their limits fits into an entry of a transparency log', () => {
  expect(longestLine()).toBeGreaterThan(20_000);
  expect(longestLine()).toBeLessThan(65_535);
});
