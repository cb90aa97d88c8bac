/** Deciding the request of a line again by its policy. */
import { describe, expect, test } from 'vitest';
import { readCompiled } from '../../../src/audit/replay/compiled.ts';
import { redecide } from '../../../src/audit/replay/decide-again.ts';
import { Decider } from '../../../src/audit/replay/decider.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { policyText } from '../../../src/rules/digest.ts';
import { anonymous, lineOf, refused } from './logged.ts';

const { policy, errors } = parsePolicy(
  `
version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://login.example.com, audiences: [wiki] }
roles:
  reader: { group: readers }
  editor: { group: editors }
  office: { network: [10.0.0.0/8] }
  fresh: { all: [{ group: admins }, { max_age: 5m }] }
  writer: { scope: write }
  inside: { all: [{ group: staff }, { network: [10.0.0.0/8] }] }
agents:
  bot: { match: { client_id: bot }, acts_for: [reader], alone: true, bound: none }
services:
  wiki: { insecure_url: "http://wiki:8080" }
  canary: { insecure_url: "http://canary:8080" }
hosts:
  wiki.example.com:
    /*:
      service: wiki
      allow:
        - { role: reader, methods: [GET] }
        - { role: editor, service: canary }
    /open: { service: wiki, allow: [anyone] }
    /office/*: { service: wiki, allow: [office] }
    /fresh: { service: wiki, allow: [reader, fresh] }
    /write: { service: wiki, allow: [{ role: reader, methods: [GET] }, writer] }
    /inside: { service: wiki, allow: [inside] }
    /bot: { service: wiki, allow: [{ role: reader, methods: [GET] }, { agent: bot, methods: [GET] }] }
    /tools: { service: wiki, allow: [reader, { agent: bot, tools: [search_*] }] }
`,
  'policy.yaml',
);
if (policy === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
const decider = new Decider({ policy, rules: compile(policy) });
const host = 'wiki.example.com';
const direct = { 'meshgate.identity': '' };
const at = (path: string, route = path) => ({ 'url.path': path, 'http.route': `${host}${route}`, ...direct });
const rule = (path: string, n: number) => `${host}${path}#${n}`;
const bot = { 'meshgate.agent': 'bot', 'meshgate.actors': 'bot', 'meshgate.alone': '' };
const verdict = (changed: Readonly<Record<string, unknown>>) => redecide(lineOf({ ...direct, ...changed }), decider);

describe('agrees with the gateway', () => {
  test.each([
    ['about a caller with a role', {}],
    ['about a path that was cut, below its route', at('/rest/\ufffd', '/*')],
    [
      'about a path that was cut within the name of its route',
      { ...at('/op\ufffd', '/open'), 'meshgate.rule': rule('/open', 1) },
    ],
    ['about the first of two rules', { 'user.roles': 'reader,editor' }],
    [
      'about the service of a rule',
      { 'user.roles': 'editor', 'meshgate.rule': rule('/*', 2), 'meshgate.service': 'canary' },
    ],
    ['about a caller without the role', refused('role_missing', 'office', rule('/*', 1))],
    ['about an anonymous caller', anonymous('credential_missing')],
    ['about an ended session', anonymous('session_expired')],
    ['about anyone', { ...anonymous('', rule('/open', 1)), ...at('/open') }],
    [
      'about an anonymous caller with a role',
      { ...anonymous('', rule('/office/*', 1)), ...at('/office/a', '/office/*'), 'user.roles': 'office' },
    ],
    [
      'about an anonymous caller at another address',
      { ...anonymous('network_refused', rule('/office/*', 1)), ...at('/office/a', '/office/*') },
    ],
    ['about a caller at another address', { ...refused('network_refused', '', rule('/inside', 1)), ...at('/inside') }],
    ['about an old sign-in', { ...refused('step_up_required', '', rule('/fresh', 2)), ...at('/fresh') }],
    [
      'about a missing scope',
      { ...refused('scope_missing', 'reader', rule('/write', 2)), ...at('/write'), 'http.request.method': 'POST' },
    ],
    ['about an agent for a person', { ...at('/bot'), ...bot, 'meshgate.rule': rule('/bot', 2) }],
    [
      'about an agent alone',
      { ...at('/bot'), ...bot, 'meshgate.alone': '1', 'user.roles': '', 'meshgate.rule': rule('/bot', 2) },
    ],
    [
      'about an agent, in a log that does not say whether it is alone',
      { ...at('/bot'), ...bot, 'meshgate.alone': undefined, 'user.roles': '', 'meshgate.rule': rule('/bot', 2) },
    ],
    [
      'about an agent whose person lacks the role',
      { ...refused('role_missing', '', rule('/bot', 1)), ...at('/bot'), ...bot },
    ],
    ['about an agent without a rule', { ...refused('actor_not_allowed', 'reader', rule('/*', 1)), ...bot }],
    [
      'about a tool',
      {
        ...at('/tools'),
        ...bot,
        'http.request.method': 'POST',
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'search_pages',
        'meshgate.rule': rule('/tools', 2),
      },
    ],
    [
      'about another tool',
      {
        ...refused('tool_refused', 'reader', rule('/tools', 2)),
        ...at('/tools'),
        ...bot,
        'http.request.method': 'POST',
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'delete_page',
      },
    ],
    [
      'about a message without a version',
      {
        ...refused('protocol_refused', 'reader', rule('/tools', 2)),
        ...at('/tools'),
        ...bot,
        'http.request.method': 'POST',
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'search_pages',
      },
    ],
    ['about a used-up budget', refused('limit_exceeded', 'reader', rule('/*', 1))],
    ['about a header that is too long', refused('claim_absent', 'reader', rule('/*', 1))],
  ])('%s', (_name, changed) => {
    expect(verdict(changed)).toEqual({ kind: 'same' });
  });
});

describe('finds', () => {
  test.each([
    [
      'a removed reason',
      { ...refused('', 'office', rule('/*', 1)) },
      'refused: role_missing, nearest rule wiki.example.com/*#1',
    ],
    [
      'another rule',
      { 'meshgate.rule': rule('/*', 2), 'meshgate.service': 'canary' },
      'allowed by wiki.example.com/*#1, to wiki',
    ],
    ['a rule that does not exist', { 'meshgate.rule': rule('/*', 9) }, 'allowed by wiki.example.com/*#1, to wiki'],
    ['another service', { 'meshgate.service': 'canary' }, 'allowed by wiki.example.com/*#1, to wiki'],
    ['another identity', { 'meshgate.identity': 'admin' }, 'allowed by wiki.example.com/*#1, to wiki'],
    ['added roles', { 'user.roles': '' }, 'refused: role_missing, nearest rule wiki.example.com/*#1'],
    ['another method', { 'http.request.method': 'DELETE' }, 'refused: role_missing, nearest rule wiki.example.com/*#1'],
    [
      'another route',
      { 'http.route': `${host}/open`, 'meshgate.rule': rule('/open', 1) },
      'has wiki.example.com/* for this path',
    ],
    [
      'a refusal of an allowed caller',
      refused('role_missing', 'reader', rule('/*', 1)),
      'allowed by wiki.example.com/*#1, to wiki',
    ],
    ['another reason', anonymous('role_missing'), undefined],
    [
      'a step-up for a role that needs none',
      refused('step_up_required', '', rule('/*', 1)),
      'refused: role_missing, nearest rule wiki.example.com/*#1',
    ],
    [
      'a scope for a role that needs none',
      refused('scope_missing', '', rule('/*', 1)),
      'refused: role_missing, nearest rule wiki.example.com/*#1',
    ],
    [
      'a network for a role that needs none',
      refused('network_refused', '', rule('/*', 1)),
      'refused: role_missing, nearest rule wiki.example.com/*#1',
    ],
    [
      'a budget for a refused caller',
      refused('limit_exceeded', '', rule('/*', 1)),
      'refused: role_missing, nearest rule wiki.example.com/*#1',
    ],
    [
      'an unknown route for a path with a route',
      { ...anonymous('route_unknown', ''), 'http.route': '-' },
      'has route wiki.example.com/*',
    ],
    [
      'a route that no path with this beginning has',
      { ...at('/office/x\ufffd', '/open'), 'meshgate.rule': rule('/open', 1) },
      'has another route for each path that begins so',
    ],
    [
      'a request that reached the service without a rule',
      { ...at('/open'), ...anonymous('', '') },
      'sends no request to a service without a rule',
    ],
    [
      'a request that reached the mesh without a rule',
      { ...anonymous('', ''), 'http.route': '-', 'url.path': '/.meshgate/x', 'meshgate.identity': 'default' },
      'sends no request to a service without a rule',
    ],
    ['an unknown reason', refused('because', 'reader', rule('/*', 1)), 'knows no such reason'],
  ] as const)('%s', (_name, changed, policy) => {
    const found = verdict(changed);
    if (policy === undefined) expect(found).toEqual({ kind: 'undecided', why: 'caller_long' });
    else expect(found).toEqual({ kind: 'other', gateway: expect.any(String), policy });
  });
});

describe('does not decide', () => {
  test.each([
    ['a refused credential', refused('token_expired', '', ''), 'credential'],
    ['an agent that the policy does not know', { ...refused('actor_not_allowed', '', ''), ...bot }, 'credential'],
    ['a used-up budget of an address', refused('limit_exceeded', '', ''), 'credential'],
    [
      'a path that nginx refused',
      { ...anonymous('path_not_canonical', ''), 'http.route': '-', 'url.path': '//' },
      'nginx',
    ],
    [
      'a page of the gateway',
      {
        ...anonymous('', ''),
        'http.route': '-',
        'url.path': '/.meshgate/whoami',
        'meshgate.upstream': 'unix:/run/meshgate/check.sock',
      },
      'nginx',
    ],
    ['a preflight', { ...at('/open'), ...anonymous('', ''), 'meshgate.upstream': '' }, 'nginx'],
    ['a method that was cut', { 'http.request.method': 'A'.repeat(32) + '\ufffd' }, 'cut'],
    ['roles that were cut', { 'user.roles': 'reader,edi\ufffd' }, 'cut'],
    ['a caller that was too long', anonymous('role_missing'), 'caller_long'],
  ])('%s', (_name, changed, why) => {
    expect(verdict(changed)).toEqual({ kind: 'undecided', why });
  });
});

test('a compiled policy decides like its file, also a route with more than nine rules', () => {
  const many = parsePolicy(
    `
version: 1
gateway: { insecure_http: true }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { ${Array.from({ length: 12 }, (_, i) => `r${i + 1}: { group: g${i + 1} }`).join(', ')} }
services: { wiki: { insecure_url: "http://wiki:8080" } }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [${Array.from({ length: 12 }, (_, i) => `r${i + 1}`).join(', ')}] }
`,
    'policy.yaml',
  ).policy!;
  const text = policyText(many, compile(many));
  const read = new Decider(readCompiled(text)!);
  const line = lineOf({ ...direct, 'user.roles': 'r2,r10', 'meshgate.rule': rule('/*', 2) });
  expect(redecide(line, read)).toEqual({ kind: 'same' });
});

describe('the text of a compiled policy', () => {
  const COMPILED = { rules: [{}], hosts: [{}], providers: [['p', {}]], roles: [['r', {}]], agents: [['a', {}]] };

  test('has definitions by name, no tests, and all else as it is', () => {
    expect(readCompiled(JSON.stringify({ ...COMPILED, gateway: { name: 'edge' } }))).toEqual({
      policy: {
        ...{ gateway: { name: 'edge' }, hosts: [{}], tests: [] },
        ...{ providers: { p: {} }, roles: { r: {} }, agents: { a: {} } },
      },
      rules: [{}],
    });
  });

  test.each(['[', '', 'null', '7', '{}', '{"rules":[]}'])('is not %j', (text) => {
    expect(readCompiled(text)).toBeUndefined();
  });

  test.each([
    ...(['rules', 'hosts'] as const).flatMap((key) =>
      [undefined, null, {}, [null], [7], ['x'], [{}, 7]].map((value) => [key, value] as const),
    ),
    ...(['providers', 'roles', 'agents'] as const).flatMap((key) =>
      [undefined, null, {}, [{}], ['x'], [['x', {}], {}]].map((value) => [key, value] as const),
    ),
  ])('has no other form of %s: %j', (key, value) => {
    expect(readCompiled(JSON.stringify({ ...COMPILED, [key]: value }))).toBeUndefined();
  });
});
