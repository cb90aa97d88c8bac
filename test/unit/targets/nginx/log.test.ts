import { expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../../src/policy/index.ts';
import { render } from './golden.ts';
import { all, readConf } from './read.ts';

/** The keys by which nginx finds the host of a line of the log, for a policy with these hosts. */
function keysOf(hosts: readonly string[]): readonly string[] {
  const { errors, policy } = parsePolicy(
    `version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://okta.test, audiences: [wiki] }
roles:
  staff: { group: staff }
services:
  wiki: { url: https://ingress.test, ca_file: /run/mesh/ca.pem }
hosts:
${hosts.map((name) => `  "${name}":\n    /*: { service: wiki, allow: [staff] }`).join('\n')}
`,
    'meshgate.yaml',
  );
  if (policy === undefined) throw new Error(errors.map(formatError).join('\n'));
  const http = readConf(render(policy).files['http.conf'] ?? '');
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
