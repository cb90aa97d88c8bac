import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { population } from '../../../src/rules/compare/population.ts';
import { named, prove } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import { alone } from '../../../src/rules/implied.ts';
import { refusedTool, toolAtoms } from '../../../src/rules/tools.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import { holds } from '../../harness/property.ts';

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
    // Its spelling differs, whatever it decodes to.
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
    holds(
      fc.property(fc.string(), (name) => {
        if (ask(['search_*'], name) === undefined) expect(name).toMatch(/^search_[A-Za-z0-9_./-]*$/);
      }),
    );
  });
});

describe('another method', () => {
  test.each(['server/discover', 'tools/list', 'notifications/cancelled', 'subscriptions/listen'])(
    '%s passes by any rule',
    (method) => {
      expect(ask(['x'], undefined, method)).toBeUndefined();
    },
  );

  // Before SEP-2663 there were two more messages for tasks.
  test.each([
    ...['resources/read', 'prompts/get', 'completion/complete', 'tools/calls', 'Tools/call'],
    ...['tasks/result', 'tasks/list', 'tasks/delete', 'tasks/'],
  ])('%s is not one that a rule names', (method) => {
    expect(ask(['*'], 'x', method)).toBe('tool_refused');
  });

  test.each(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe'])(
    '%s is not in protocol version 2026-07-28',
    (method) => {
      expect(ask(['*'], undefined, method)).toBe('tool_refused');
    },
  );

  test.each(['tasks/get', 'tasks/update', 'tasks/cancel'])(
    '%s passes by any rule with the id of a task as its name, and not without',
    (method) => {
      for (const id of ['786512e2-9e0d-44bd-8f29-789f820fe840', 'a:b', 'delete_page', '=?base64?w6Q=?=']) {
        expect(ask(['x'], id, method)).toBeUndefined();
        expect(ask([], id, method)).toBeUndefined();
      }
      for (const id of [undefined, '', ' a', 'ä', '=?base64?c2Vhc?=']) {
        expect(ask(['*'], id, method)).toBe('protocol_refused');
      }
    },
  );

  test.each(['', 'tools/call, tools/list', 'tools/list,', ' '])('%j is not valid', (method) => {
    expect(ask(['*'], 'x', method)).toBe('protocol_refused');
  });
});

test.each([undefined, '', '2025-11-25', '2025-06-18', '2026-07-28, 2025-11-25', '2027-01-01', 'x'])(
  'no server of protocol version %j is known to compare headers and body',
  (old) => {
    expect(refusedTool(['*'], { version: old, method: 'tools/list' })).toBe('protocol_refused');
  },
);

test('without the headers nothing passes', () => {
  expect(refusedTool(['*'], {})).toBe('protocol_refused');
  expect(refusedTool(['*'], { version })).toBe('protocol_refused');
});

const policyOf = (...rules: string[]) => {
  const text = `version: 1
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] }
roles: { staff: { group: staff } }
agents:
  bot: { match: { client_id: bot }, acts_for: [staff], bound: none }
services: { wiki: { url: "https://wiki.internal:8443" } }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [${rules.join(', ')}, staff] }
`;
  const { policy, errors } = parsePolicy(text, 'tools.yaml');
  if (policy === undefined) throw new Error(errors.map(formatError).join());
  return policy;
};

describe('rules with tools', () => {
  const agent = { roles: ['staff'], agent: 'bot' };
  const asks = (name: string) => ({
    ...{ route: 'wiki.example.com/*', method: 'POST' },
    mcp: { version, method: 'tools/call', name },
  });

  test('the first rule with the tool decides; a rule without tools allows all', () => {
    const rules = compile(policyOf('{ agent: bot, tools: [a] }', '{ agent: bot, tools: [b*] }', '{ agent: bot }'));
    const of = (name: string) => {
      const decision = decide(rules, agent, asks(name));
      return decision.allow ? decision.rule.id : decision.reason;
    };
    expect([of('a'), of('bc'), of('c')].map((it) => it.slice(-1))).toEqual(['1', '2', '3']);
    const less = compile(policyOf('{ agent: bot, tools: [a] }', '{ agent: bot, tools: [b*] }'));
    expect(decide(less, agent, asks('c'))).toMatchObject({ reason: 'tool_refused', nearest: { id: less[0]?.id } });
    expect(decide(less, agent, { ...asks('a'), mcp: {} })).toMatchObject({ reason: 'protocol_refused' });
    expect(decide(less, agent, { ...asks('a'), method: 'GET' })).toMatchObject({ reason: 'actor_not_allowed' });
    expect(decide(less, { roles: [], agent: 'bot' }, asks('a'))).toMatchObject({ reason: 'role_missing' });
    expect(decide(less, { roles: ['staff'] }, asks('c'))).toMatchObject({ allow: true });
  });

  test.each([
    ['{ agent: bot }', true],
    ['{ agent: bot, tools: [a] }', false],
  ])('a decision by %s may be replayed: %s', (rule, replay) => {
    expect(decide(compile(policyOf(rule)), agent, asks('a'))).toMatchObject({ allow: true, replay });
    expect(decide(compile(policyOf(rule)), { roles: ['staff'] }, asks('a'))).toMatchObject({
      allow: true,
      replay: true,
    });
  });

  test.each([
    ['{ agent: bot, tools: [a] }', '{ agent: bot, tools: [a] }', undefined],
    ['{ agent: bot, tools: [a, b] }', '{ agent: bot, tools: [b, a] }', undefined],
    ['{ agent: bot, tools: [a*] }', '{ agent: bot, tools: [a*, ab] }', undefined],
    ['{ agent: bot, tools: [a*] }', '{ agent: bot, tools: [a] }', 'a0'],
    ['{ agent: bot, tools: [a*] }', '{ agent: bot, tools: [ab*] }', 'a0'],
    ['{ agent: bot, tools: [a] }', '{ agent: bot, tools: [b] }', 'a'],
    ['{ agent: bot, tools: [a] }', '{ agent: bot, tools: ["*"] }', '0'],
  ])('%s against %s: distinguished by %s', (left, right, tool) => {
    const side = (rule: string) => ({ rules: compile(policyOf(rule)), outcome: named });
    const witness = prove(side(left), side(right), population(alone, []));
    expect(witness?.caller?.mcp?.name).toBe(tool);
  });

  test('a rule without tools also allows a request that is not a message', () => {
    const side = (rule: string) => ({ rules: compile(policyOf(rule)), outcome: named });
    const witness = prove(
      side('{ agent: bot, methods: [POST] }'),
      side('{ agent: bot, tools: ["*"] }'),
      population(alone, []),
    );
    expect(witness).toMatchObject({ method: 'POST', caller: { agent: 'bot' } });
    expect(witness?.caller).not.toHaveProperty('mcp');
  });

  test.each(['linkerd', 'consul'] as const)('%s says that it does not check tools', (kind) => {
    const policy = policyOf('{ agent: bot, tools: [a] }');
    const services = { wiki: { ...policy.services.wiki!, direct: undefined } } as never;
    const [rule] = compile(policy);
    const covered = meshTarget(kind).covers(rule!, { ...policy, services });
    expect(covered.kind === 'wider' ? covered.text : covered.kind).toMatch(/tools of an agent|none/);
  });
});

describe('atoms of tools', () => {
  const calls = (tools: string[]) => toolAtoms(tools).filter(({ method }) => method === 'tools/call');
  const taking = (tools: string[], name: string) => tools.filter((it) => ask([it], name) === undefined).join(' ');

  test('have a call for each pattern, and messages about tasks', () => {
    expect(
      calls(['a', 'a*', 'ax*', '*'])
        .flatMap(({ name }) => name ?? [])
        .slice(0, 4),
    ).toEqual(['a', '0', 'a0', 'ax0']);
    const tasks = toolAtoms(['a']).filter(({ method }) => method?.startsWith('tasks/'));
    expect(tasks.map(({ name }) => name)).toEqual(expect.arrayContaining(['0', '=?base64?w6Q=?=']));
  });

  const digits = [...'0123456789'].map((it) => `${it}*`);
  const plain = [...'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./'];

  test.each([
    ['digits', digits],
    ['every character', plain.map((it) => `${it}*`)],
    ['every character, and its name', plain.flatMap((it) => [it, `${it}*`])],
  ])('end for patterns that begin with %s', (_, tools) => {
    expect(calls([...tools, '*']).some(({ name = '' }) => taking([...tools, '*'], name) === '*')).toBe(true);
  });

  test('have a call that the same patterns cover, for each name', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab0'), minLength: 1, maxLength: 3 });
    const pattern = fc.tuple(text, fc.boolean()).map(([stem, open]) => (open ? `${stem}*` : stem));
    holds(
      fc.property(fc.array(fc.oneof(pattern, fc.constant('*')), { maxLength: 6 }), text, (tools, name) => {
        expect(calls(tools).map((it) => taking(tools, it.name ?? ''))).toContain(taking(tools, name));
      }),
      2000,
    );
  });
});
