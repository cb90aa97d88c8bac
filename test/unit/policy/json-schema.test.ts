import { expect, test } from 'vitest';
import { policyJsonSchema } from '../../../src/policy/index.ts';

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
