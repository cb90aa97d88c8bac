import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../../src/policy/index.ts';
import { render } from './golden.ts';
import { all, readConf } from './read.ts';

/** The rendered files of a policy with these hosts. */
function filesOf(hosts: readonly string[], allow = 'staff'): Readonly<Record<string, string>> {
  const { errors, policy } = parsePolicy(
    `version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://okta.test, audiences: [wiki] }
roles:
  staff: { group: staff }
agents:
  bot: { match: { client_id: bot }, acts_for: [staff], bound: none }
services:
  wiki: { url: https://ingress.test, ca_file: /run/mesh/ca.pem }
hosts:
${hosts.map((name) => `  "${name}":\n    /*: { service: wiki, allow: [${allow}] }`).join('\n')}
`,
    'meshgate.yaml',
  );
  if (policy === undefined) throw new Error(errors.map(formatError).join('\n'));
  return render(policy).files;
}

/** The keys by which nginx finds the host of a line of the log, for a policy with these hosts. */
function keysOf(hosts: readonly string[]): readonly string[] {
  const http = readConf(filesOf(hosts)['http.conf'] ?? '');
  const [found] = all(http, 'map').filter(({ words }) => words[2] === '$meshgate_log_host');
  return found?.block?.map(({ words }) => words[0] as string) ?? [];
}

const BOUND = expect.stringMatching(/^~\^/);

test('no expression matches the name of a host that is not a wildcard', () => {
  expect(keysOf(['wiki.test', '*.apps.test'])).toEqual(['wiki.test', 'default', BOUND]);
});

test('of many hosts a limited number is in the map, and the bound applies to all others', () => {
  const hosts = Array.from({ length: 300 }, (_, i) => `wiki${i}.test`);
  expect(keysOf(hosts)).toEqual([...hosts.slice(0, 64), 'default', BOUND]);
});

/* An expression keeps several values of a line at once. nginx asks the map of the same name only if the expression did
 * not match, and only if the map comes later: of several definitions of a variable, nginx uses the last one. */
describe('a value of the line that an expression keeps', () => {
  const files = filesOf(['wiki.test', '*.apps.test'], 'staff, { agent: bot, tools: [search_*] }');
  // In the order in which nginx reads them.
  const text = ['maps.conf', 'log.conf', 'http.conf'].map((name) => files[name] ?? '').join('\n');
  const maps = all(readConf(text), 'map');
  const [format] = all(readConf(text), 'log_format');
  const written = format?.words.join('').match(/\$[a-z_0-9]+/g) ?? [];

  const KEPT: readonly (readonly [variable: string, map: string])[] = [
    ...['code', 'log_reason', 'log_method', 'log_host', 'log_agent'].map((it) => [it, 'usual'] as const),
    ...['log_mcp_version', 'log_mcp_method', 'log_mcp_name'].map((it) => [it, 'usual'] as const),
    ['log_path', 'odd'],
    ...['trace_id', 'span_id'].map((it) => [it, 'traceparent_sent'] as const),
    ...['trace_id', 'span_id'].map((it) => [it, 'span_made'] as const),
  ];

  test.each(KEPT)('$meshgate_%s, by the map $meshgate_%s, has a map of its own that comes later', (name, map) => {
    const kept = maps.findIndex(
      ({ words, block }) =>
        words[2] === `$meshgate_${map}` && block?.some((it) => it.words[0]?.includes(`(?<meshgate_${name}>`)),
    );
    const own = maps.findIndex(({ words }) => words[2] === `$meshgate_${name}`);
    expect(kept).toBeGreaterThanOrEqual(0);
    expect(own).toBeGreaterThan(kept);
    expect(written).toContain(`$meshgate_${name}`);
  });

  test('is known before nginx writes it, because the map of the expression is in front of all maps', () => {
    expect(written.slice(0, 3)).toEqual(['$time_iso8601', '$meshgate_usual', '$request_id']);
  });

  describe('by the map $meshgate_usual', () => {
    const usual = maps.find(({ words }) => words[2] === '$meshgate_usual');
    const values = (usual?.words[1] ?? '').split('"');
    const pattern = usual?.block?.find(({ words }) => words[0]?.startsWith('~'))?.words[0]?.slice(1) ?? '';
    // Without possessive repetition, which JavaScript does not have.
    const expression = new RegExp(pattern.replace(/([*}])\+/g, '$1').replace('\\z', '$'));
    const PLAIN = ['200', '', 'wiki.test/*#1', 'GET', 'wiki.test', '2026-01-01', 'tools/call', 'search_wiki', 'curl/8'];
    const keyWith = (at: number, value: string) => PLAIN.with(at, value).join('"');

    test('is a part of a key in which quotation marks separate the values', () => {
      expect(values).toEqual([
        ...['$status', '$meshgate_reason', '$meshgate_rule', '$request_method', '$host'],
        ...['$http_mcp_protocol_version', '$http_mcp_method', '$http_mcp_name', '$http_user_agent'],
      ]);
      expect(expression.exec(PLAIN.join('"'))?.groups).toEqual({
        ...{
          meshgate_code: '200',
          meshgate_log_reason: '',
          meshgate_log_method: 'GET',
          meshgate_log_host: 'wiki.test',
        },
        ...{ meshgate_log_mcp_version: '2026-01-01', meshgate_log_mcp_method: 'tools/call' },
        ...{ meshgate_log_mcp_name: 'search_wiki', meshgate_log_agent: 'curl/8' },
      });
    });

    test.each(['"', '"x"', '"GET', '""'])('is not taken from a key whose values contain %s', (more) => {
      for (const [at, value] of PLAIN.entries())
        expect([at, expression.test(keyWith(at, value + more))]).toEqual([at, false]);
    });

    test.each(['\\', '\t', '\x01', '\n', '\x7f', '\xe9'])('is never cut and never escaped: %j', (more) => {
      // The rule is a name of the policy, and nothing of it is kept.
      for (const at of [0, 1, 3, 4, 5, 6, 7, 8])
        expect([at, expression.test(keyWith(at, PLAIN[at] + more))]).toEqual([at, false]);
    });

    test.each([
      ['method', 3, 'M', 32],
      ['host', 4, 'h', 255],
      ['MCP version', 5, 'v', 32],
      ['MCP method', 6, 'm', 256],
      ['MCP name', 7, 'n', 256],
      ['User-Agent', 8, 'a', 512],
    ] as const)('has at most the length of its field: %s', (_, at, char, most) => {
      expect(expression.test(keyWith(at, char.repeat(most)))).toBe(true);
      expect(expression.test(keyWith(at, char.repeat(most + 1)))).toBe(false);
    });

    test('is no number that JSON does not have', () => {
      for (const status of ['000', '009']) expect(expression.test(keyWith(0, status))).toBe(false);
    });

    test('is the reason of the check only with a rule: nginx counts what it refuses without one', () => {
      expect(expression.test(keyWith(2, ''))).toBe(false);
      expect(expression.test(PLAIN.with(1, 'header_too_large').with(2, '').join('"'))).toBe(false);
      expect(expression.exec(keyWith(1, 'role_missing'))?.groups?.meshgate_log_reason).toBe('role_missing');
    });
  });
});
