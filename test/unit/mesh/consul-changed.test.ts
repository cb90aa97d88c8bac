/**
 * Changes permissions of rendered intentions, and adds changed ones before them. If `prove` still says yes, the model of
 * Consul's proxies gives every request the same answer as before.
 */
import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import type { McpHeaders } from '../../../src/rules/tools.ts';
import { renderedEntries, storeWith, tokenOf } from '../../mesh/consul/ask.ts';
import { type Requested, type Setup, verdictOf } from '../../mesh/consul/evaluate.ts';
import { DOMAIN, spiffe } from '../targets/consul/samples.ts';
import { prover } from '../targets/members.ts';
import { policyText } from '../targets/members-policy.ts';
import { MESSAGES } from '../targets/tools.ts';

// biome-ignore lint/suspicious/noExplicitAny: entries of several kinds, as JSON has them
type Any = any;

const NOW = 1_800_000_000;
const SETUP: Setup = { trustDomain: DOMAIN, byDefault: 'deny', mutualTls: 'strict' };
const KEYS = '{"keys":[{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"gateway"}]}';

const agent = (name: string) => `${name}: { match: { client_id: ${name} }, acts_for: [editor], bound: none }`;
const { policy, errors } = parsePolicy(
  policyText(
    'consul',
    'reader: { group: readers }, editor: { group: editors }',
    `
  w.test:
    /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, editor, { agent: bot, methods: [POST], tools: ["search_*"] }] }
    /in/*: { service: wiki, allow: [{ role: editor, methods: [POST] }, { agent: all, methods: [POST], tools: ["*"] }] }`,
    [],
    `agents: { ${agent('bot')}, ${agent('all')} }`,
  ),
  'meshgate.yaml',
);
if (policy === undefined) throw new Error(JSON.stringify(errors));
const rules = compile(policy);
const entries = renderedEntries(policy, rules, KEYS) as Any[];
const isProved = prover('consul', policy, { assertionJwks: KEYS });
const at = entries.findIndex(({ Kind }) => Kind === 'service-intentions');
const permissions: readonly Any[] = entries[at].Sources[0].Permissions;

const bearer = (roles: readonly string[], agent?: string) => ({
  ...{ roles, service: 'wiki', as: 'default' },
  ...(agent && { agent }),
});
const BEARERS = [
  null,
  bearer([]),
  bearer(['reader']),
  bearer(['editor']),
  bearer(['editor'], 'bot'),
  bearer(['editor'], 'all'),
];

const headersOf = ({ version, method, name }: McpHeaders): Record<string, string> =>
  JSON.parse(JSON.stringify({ 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': name }));

const REQUESTS: readonly Requested[] = BEARERS.flatMap((who) => {
  const token = who === null ? undefined : tokenOf(policy, who, NOW);
  const common = { service: 'wiki', client: spiffe('ingress'), now: NOW, ...(token && { token }) };
  return ['GET', 'POST'].flatMap((method) =>
    ['/admin/x', '/in/x'].flatMap((path) =>
      MESSAGES.map((message) => ({ ...common, method, path, headers: headersOf(message) })),
    ),
  );
});

const withPermissions = (own: readonly Any[]): readonly Any[] =>
  entries.with(at, {
    ...entries[at],
    Sources: entries[at].Sources.map((it: Any, index: number) => (index === 0 ? { ...it, Permissions: own } : it)),
  });
function answersOf(own: readonly Any[]): string {
  const store = storeWith(own);
  return REQUESTS.map((it) => Number(verdictOf(store, it, SETUP).kind === 'allowed')).join('');
}

/** The possible changes of one permission. */
function changesOf(permission: Any): readonly (readonly [name: string, changed: Any])[] {
  const { JWT, Action, HTTP } = permission;
  const { Header, Methods, PathPrefix: _, PathExact: __, PathRegex: ___, ...rest } = HTTP;
  const providers = (list: readonly Any[]) => ({ ...permission, JWT: { Providers: list } });
  return [
    ...(JWT ? [['no JWT', { Action, HTTP }] as const] : []),
    ...(JWT
      ? JWT.Providers.map((_: Any, i: number) => ['a provider less', providers(JWT.Providers.toSpliced(i, 1))])
      : []),
    ...(JWT ? permissions.map((it) => ['the callers of another', { ...permission, JWT: it.JWT }] as const) : []),
    ['the other action', Action === 'allow' ? { Action: 'deny', HTTP } : { ...permission, Action: 'allow' }],
    ...(Methods ? [['all methods', { ...permission, HTTP: { ...HTTP, Methods: undefined } }] as const] : []),
    ['other methods', { ...permission, HTTP: { ...HTTP, Methods: ['DELETE'] } }],
    ...(Header ? [['no headers', { ...permission, HTTP: { ...HTTP, Header: undefined } }] as const] : []),
    ...permissions.flatMap((it) =>
      it.HTTP.Header ? [['other headers', { ...permission, HTTP: { ...HTTP, Header: it.HTTP.Header } }] as const] : [],
    ),
    [
      'every path',
      { ...permission, HTTP: { ...rest, ...(Header && { Header }), ...(Methods && { Methods }), PathPrefix: '/' } },
    ],
    [
      'one path',
      { ...permission, HTTP: { ...rest, ...(Header && { Header }), ...(Methods && { Methods }), PathExact: '/in/x' } },
    ],
  ];
}

test('a yes to changed or added permissions is a yes to the same requests', () => {
  const requested = JSON.parse(JSON.stringify(changedLists()));
  const own = answersOf(entries);
  expect(new Set(own).size).toBe(2);
  const found = { proved: 0, differing: 0 };
  for (const [name, list] of requested) {
    const changed = withPermissions(list);
    const reported = isProved(changed);
    // The model takes longer than `prove`, so of the changes without a yes only the count is of interest.
    if (!reported) {
      found.differing += 1;
      continue;
    }
    found.proved += 1;
    expect([name, answersOf(changed)]).toEqual([name, own]);
  }
  expect(found.proved).toBeGreaterThan(50);
  expect(found.differing).toBeGreaterThan(500);
});

/** Each permission changed, and the changed one before it and before all that allow; without it, and in another place. */
function changedLists(): readonly (readonly [string, readonly Any[]])[] {
  return permissions.flatMap((permission, index) => [
    ...changesOf(permission).flatMap(([name, changed]) => [
      [`${index}: ${name}`, permissions.with(index, changed)] as const,
      [`before ${index}: ${name}`, permissions.toSpliced(index, 0, changed)] as const,
      [`${index} first: ${name}`, permissions.toSpliced(1, 0, changed)] as const,
    ]),
    [`${index} later`, permissions.toSpliced(index, 1).toSpliced(index + 1, 0, permission)] as const,
    [`without ${index}`, permissions.toSpliced(index, 1)] as const,
  ]);
}

test('without an assertion in a permission about tasks, a stranger’s message passes, and prove says no', () => {
  const tasks = permissions.flatMap((it, index) =>
    JSON.stringify(it.HTTP.Header)?.includes('tasks/get') ? index : [],
  );
  expect(tasks.length).toBeGreaterThan(1);
  const message = { version: '2026-07-28', method: 'tasks/get' };
  const opened = ['1', '=?base64?w6Q=?='].flatMap((name) =>
    ['/admin/x', '/in/x'].map((path) => ({
      ...{ service: 'wiki', client: spiffe('ingress'), now: NOW, method: 'POST', path },
      headers: headersOf({ ...message, name }),
    })),
  );
  for (const index of tasks) {
    const { JWT: _, ...open } = permissions[index];
    const changed = withPermissions(permissions.with(index, open));
    expect(opened.map((it) => verdictOf(storeWith(changed), it, SETUP).kind)).toContain('allowed');
    expect(isProved(changed)).toBe(false);
  }
});
