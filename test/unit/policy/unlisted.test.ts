/** Lists that people keep by hand. A new key of the language must be in them, or be named here. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { formatPath } from '../../../src/policy/forms/path.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { policyJsonSchemaText } from '../../../src/policy/schema/json-schema.ts';
import { PLATFORM } from './team-policy.ts';

interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}

type Path = readonly string[];
type Tree = { [key: string]: unknown };

const root = JSON.parse(policyJsonSchemaText()) as Schema;
const full = readFileSync(new URL('fixtures/full.yaml', import.meta.url), 'utf8');

interface Place {
  readonly path: Path;
  readonly schema: Schema;
}

/** Every place of a policy at which the language has a form, also if the policy does not write it. */
function places(value: unknown, schema: Schema, is: (schema: Schema) => boolean, path: Path = []): readonly Place[] {
  const named = schema.$ref && root.definitions?.[schema.$ref.split('/').at(-1) ?? ''];
  if (named) return places(value, named, is, path);
  if (is(schema)) return [{ path, schema }];
  const tree = typeof value === 'object' && value !== null ? (value as Tree) : {};
  const below = (key: string, inner: Schema) => places(tree[key], inner, is, [...path, key]);
  return [
    ...(schema.anyOf ?? []).flatMap((it) => places(value, it, is, path)),
    ...(schema.items && Array.isArray(value) ? Object.keys(value) : []).flatMap((i) => below(i, schema.items ?? {})),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => below(key, inner)),
    ...Object.keys(tree)
      .filter((key) => !Object.hasOwn(schema.properties ?? {}, key))
      .flatMap((key) => {
        const patterns = Object.entries(schema.patternProperties ?? {});
        const inner = patterns.find(([pattern]) => new RegExp(pattern).test(key))?.[1] ?? schema.additionalProperties;
        return typeof inner === 'object' ? below(key, inner) : [];
      }),
  ];
}

/** The policy with another value at a place. */
function changed(text: string, path: Path, value: unknown): string {
  const policy = parse(text) as Tree;
  let tree = policy;
  for (const key of path.slice(0, -1)) {
    tree[key] ??= {};
    tree = tree[key] as Tree;
  }
  tree[path.at(-1) ?? ''] = value;
  return stringify(policy, { aliasDuplicateObjects: false });
}

const isLimit = ({ properties }: Schema): boolean =>
  properties?.burst !== undefined && /^The rate at which requests may pass/.test(properties.rate?.description ?? '');

const limits = places(parse(full), root, isLimit).map(({ path }) => path);

test('the language has limits of the gateway, agents, hosts and routes', () => {
  const kinds = limits.map((path) => path.map((it) => (/[./]/.test(it) ? '*' : it)).join('.'));
  expect([...new Set(kinds)]).toEqual(
    expect.arrayContaining(['gateway.limits.callers', 'agents.wiki-pages.limit', 'hosts.*.limit', 'hosts.*.*.limit']),
  );
});

test.each(limits.map((path) => [path.join(' '), path] as const))(
  'a limit that nginx cannot count is an error: %s',
  (_, path) => {
    const { errors } = parsePolicy(changed(full, path, { rate: '1/d', burst: 100_000 }), 'p.yaml');
    expect(errors.map(({ message }) => message)).toContainEqual(expect.stringContaining('days to refill'));
  },
);

/** What several teams may share: things of the policy, and what concerns only the requests of the team. */
const SHARED = ['providers', 'identities', 'meshes', 'audiences', 'files', 'headers', 'variables', 'may'];

const [team] = places(parse(PLATFORM), root, ({ properties }) => properties?.variables !== undefined);
const grants = Object.keys(team?.schema.properties ?? {});

test.each(grants)('two teams cannot share a grant, or it is named here: %s', (key) => {
  const { pay, ops } = (parse(PLATFORM) as { teams: Record<string, Tree> }).teams;
  const value = ops?.[key] ?? pay?.[key] ?? ['default'];
  const text = changed(changed(PLATFORM, ['teams', 'pay', key], value), ['teams', 'ops', key], value);
  const overlaps = parsePolicy(text, 'p.yaml').errors.filter(({ message }) => / overlaps .* of team /.test(message));
  expect(overlaps.some(({ path }) => path.startsWith(`teams.ops.${key}`))).toBe(!SHARED.includes(key));
});

const isHeaders = ({ additionalProperties: one }: Schema): boolean =>
  typeof one === 'object' && (one.anyOf ?? []).some((it) => it.enum?.includes('subject'));

const headers = places(parse(full), root, isHeaders).map(({ path }) => path);

test('the language has identity headers of the policy, hosts and routes', () => {
  const kinds = headers.map((path) => path.map((it) => (/[./]/.test(it) ? '*' : it)).join('.'));
  expect([...new Set(kinds)]).toEqual(expect.arrayContaining(['headers', 'hosts.*.headers', 'hosts.*.*.headers']));
});

test.each(headers.map((path) => [path.join(' '), path] as const))(
  'the check of names finds the identity headers at %s',
  (_, path) => {
    const long = `X-${'A'.repeat(45)}`;
    const text = changed(changed(full, [...path, long], 'subject'), ['services', 'status', 'protocol'], 'grpc');
    const errors = parsePolicy(text, 'p.yaml').errors.filter(({ message }) =>
      message.startsWith('too long for service'),
    );
    // This host has a key and another name.
    const named = path.map((it) => (it === 'dashboard' ? '*.dashboard.example.com' : it));
    expect(errors.map((it) => it.path)).toEqual([formatPath([...named, long])]);
  },
);

const isBeginning = ({ description = '' }: Schema): boolean =>
  /\btokens?\b/.test(description) && /beginning/i.test(description);

const beginnings = places(parse(full), root, isBeginning).map(({ path }) => path);

test('the language has beginnings of tokens in routes and in tests', () => {
  expect([...new Set(beginnings.map((path) => path.at(-1)))]).toEqual(['bearer', 'service_credential']);
});

test.each(beginnings.map((path) => [path.join(' '), path] as const))(
  'an error does not repeat a whole token where its beginning belongs: %s',
  (_, path) => {
    const messagesFor = (text: string) => {
      const value = path.at(-1) === 'bearer' ? [text] : text;
      return parsePolicy(changed(full, path, value), 'p.yaml').errors.map(({ message }) => message);
    };
    expect(messagesFor('word'.repeat(4).concat('*'))).toContainEqual(
      expect.stringMatching(/^this text is not the beg/),
    );
    expect(messagesFor('word*')).toContainEqual(expect.stringMatching(/^"word\*" is not the beginning/));
  },
);
