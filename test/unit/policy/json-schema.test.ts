import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { overlayJsonSchemaText, parsePolicy, policyJsonSchema } from '../../../src/policy/index.ts';

const schema = policyJsonSchema();

interface Node {
  properties?: Record<string, Node>;
  patternProperties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  propertyNames?: { pattern?: string };
  required?: string[];
  description?: string;
  anyOf?: Node[];
  items?: Node;
  enum?: string[];
  $ref?: string;
}

const top = (schema as Node).properties as Record<string, Node>;
const hosts = top.hosts?.additionalProperties as Node;
const route = hosts.patternProperties?.['^/'] as Node;

/** Every property in the schema with its path. */
function properties(node: Node | undefined, path: string): [string, Node][] {
  const below = Object.entries(node?.properties ?? {}).flatMap(([key, it]): [string, Node][] => [
    [`${path}.${key}`, it],
    ...properties(it, `${path}.${key}`),
  ]);
  const others = [
    node?.additionalProperties,
    node?.items,
    ...(node?.anyOf ?? []),
    ...Object.values(node?.patternProperties ?? {}),
  ];
  return [...below, ...others.flatMap((it) => (typeof it === 'object' ? properties(it, `${path}.*`) : []))];
}

test('every key is described', () => {
  const definitions = (schema as { definitions: Record<string, Node> }).definitions;
  const all = [schema as Node, ...Object.values(definitions)].flatMap((it) => properties(it, ''));
  expect(all.length).toBeGreaterThan(80);
  expect(all.filter(([, it]) => it.description === undefined && it.$ref === undefined).map(([path]) => path)).toEqual(
    [],
  );
});

test('mappings reject unknown keys, and require those they need', () => {
  expect((schema as Node).additionalProperties).toBe(false);
  expect((schema as Node).required).toEqual(['version', 'providers', 'services', 'hosts']);
  expect(top.providers?.additionalProperties).toMatchObject({ required: ['issuer'], additionalProperties: false });
});

test('routes stand beside the other keys of a host', () => {
  expect(Object.keys(hosts.properties ?? {})).toEqual([
    'providers',
    'tls',
    'name',
    'headers',
    'proxy',
    'cors',
    'limit',
    'owner',
    'ask',
  ]);
  expect(hosts.required).toBeUndefined();
  expect(hosts.additionalProperties).toBe(false);
  expect(route.required).toEqual(['service', 'allow']);
});

test('values and names are completed', () => {
  expect(route.properties?.accept?.items?.enum).toEqual(['bearer', 'session', 'certificate']);
  expect(top.providers?.propertyNames?.pattern).toBe('^[a-z][a-z0-9-]{0,62}$');
  expect(top.tests?.items?.properties?.expect?.enum).toContain('role_missing');
});

const accepts = new Ajv({ strict: false }).compile(schema);
const full = readFileSync(new URL('fixtures/full.yaml', import.meta.url), 'utf8');

/** The places of the errors that a JSON Schema finds in a policy. */
const placesIn = (text: string): readonly string[] =>
  accepts(parse(text))
    ? []
    : (accepts.errors ?? []).map(({ instancePath }) => instancePath.slice(1).replaceAll('/', '.'));

describe('an editor shows, with the schema alone, which keys belong together', () => {
  test('a valid policy has no error', () => {
    expect(placesIn(full)).toEqual([]);
  });

  test.each([
    ['a key without the one that it needs', 'key_file: /run/etcd/client.key', '', 'gateway.store'],
    [
      'a key without the one for which it is',
      'agent: wiki-pages, methods',
      'role: ops, tools: [a], methods',
      'hosts.dashboard',
    ],
    [
      'two keys that exclude each other',
      'ca_file: /run/status/ca.pem',
      'insecure_url: "http://a.test"',
      'services.status',
    ],
    ['a key that excludes either of two', 'ca_file: /run/status/ca.pem', 'endpoint: "a:1"', 'services.status'],
    ['a key that excludes one below', 'hops: 2', 'hops: 2, alone: true', 'agents.wiki-pages'],
    [
      'two keys of which it has one',
      'who: authenticated',
      'who: authenticated\n          role: ops',
      'hosts.dashboard',
    ],
    ['none of the keys of which it has one', 'match: { service: wiki }', 'match: {}', 'agents.wiki-pages.match'],
    ['none of the keys of which it has some', 'pem_file: /run/mesh/gateway.pem', '', 'mesh.identities.default'],
    ['an empty mapping', '{ connect_timeout: 5s, max_body: 1g }', '{}', 'hosts.dashboard.proxy'],
  ])('%s', (_, from, to, place) => {
    expect(full.split(from)).toHaveLength(2);
    const changed = full.replace(from, to);
    expect(placesIn(changed)).toContainEqual(expect.stringMatching(`^${place}`));
    expect(parsePolicy(changed, 'p.yaml').errors).not.toEqual([]);
  });
});

test('an overlay and the file of a team may have any of the keys that belong together', () => {
  const check = new Ajv({ strict: false }).compile(JSON.parse(overlayJsonSchemaText()));
  expect(
    check({ services: { wiki: { ca_file: '/run/ca.pem' } }, gateway: { store: { key_file: '/run/k' }, limits: {} } }),
  ).toBe(true);
  expect(check({ mesh: { identities: { default: {} } }, agents: { bot: { match: {} } } })).toBe(true);
});
