import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { type Budgets, budgetsOf, countedText } from '../../../src/rules/budgets.ts';

/** Limits of a policy's routes in words, by route. */
function limitsOf(text: string): Record<string, string> {
  const { policy, errors } = parsePolicy(text, 'p.yaml');
  expect(errors.map(formatError)).toEqual([]);
  if (policy === undefined) return {};
  return Object.fromEntries(
    policy.hosts.flatMap((host) => host.routes.map((route) => [route.name, reported(budgetsOf(policy, host, route))])),
  );
}

const reported = ({ callers, anonymous, agents }: Budgets) =>
  [
    ...(callers ? [countedText(callers, 'callers')] : []),
    ...(anonymous ? [countedText(anonymous, 'nobody')] : []),
    ...agents.flatMap(([name, limits]) => limits.map((limit) => countedText(limit, name))),
  ].join(' | ');

const rest = (limits: string, agents = '') => `version: 1
gateway:
  assertion: { issuer: https://wiki.example.com, keys_file: /run/a }
  inner: { client_ca_file: /run/ca }
  tls: { cert_file: /run/c, key_file: /run/k }
  ${limits}
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
agents:
  bot: { match: { service: wiki }, acts_for: [staff]${agents} }
services:
  wiki: { url: "https://wiki:8443", spiffe: spiffe://e.org/wiki }
`;

test('the innermost limit applies, and an agent’s own limit beside it', () => {
  const text = `${rest('limits: { callers: { rate: 9/s }, agents: { rate: 8/s }, anonymous: { rate: 7/s } }')}hosts:
  a.example.com:
    limit: { rate: 6/s }
    /*: { service: wiki, allow: [staff, anyone, { agent: bot }] }
    /own: { service: wiki, allow: [staff, anyone, { agent: bot }], limit: { rate: 5/s } }
    /free: { service: wiki, allow: [staff, anyone, { agent: bot }], limit: null }
  b.example.com:
    /*: { service: wiki, allow: [staff, anyone, { agent: bot }] }
    /closed: { service: wiki, allow: [staff] }
`;
  const all = ', on all routes together';
  expect(limitsOf(text)).toEqual({
    'a.example.com/*':
      '6/s, burst 6 for callers of a.example.com | 6/s, burst 6 for nobody of a.example.com' +
      ` | 6/s, burst 6 for bot of a.example.com | 8/s, burst 8 for bot${all}`,
    'a.example.com/own':
      '5/s, burst 5 for callers of a.example.com/own | 5/s, burst 5 for nobody of a.example.com/own' +
      ` | 5/s, burst 5 for bot of a.example.com/own | 8/s, burst 8 for bot${all}`,
    'a.example.com/free': '',
    'b.example.com/*': `9/s, burst 9 for callers${all} | 7/s, burst 7 for nobody${all} | 8/s, burst 8 for bot${all}`,
    'b.example.com/closed': `9/s, burst 9 for callers${all}`,
  });
});

test('a route without a limit has that of callers, and an agent keeps its own if others are removed', () => {
  const text = `${rest('limits: { callers: { rate: 9/s } }')}hosts:
  a.example.com:
    /*: { service: wiki, allow: [staff, anyone, { agent: bot }] }
`;
  const all = 'burst 9 for';
  expect(limitsOf(text)).toEqual({
    'a.example.com/*': ['callers', 'nobody', 'bot']
      .map((who) => `9/s, ${all} ${who}, on all routes together`)
      .join(' | '),
  });
  const own = `${rest('limits: { callers: { rate: 9/s } }', ', limit: { rate: 3/s }')}hosts:
  a.example.com:
    /*: { service: wiki, allow: [staff, { agent: bot }], limit: null }
    /b: { service: wiki, allow: [staff] }
`;
  expect(limitsOf(own)['a.example.com/*']).toBe('3/s, burst 3 for bot, on all routes together');
});

test('the policy of docs/budgets.md', () => {
  const [, block = ''] = /^```yaml\n(.*?)^```$/ms.exec(readFileSync('docs/budgets.md', 'utf8')) ?? [];
  const text = `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
services: { wiki: { url: "https://wiki:8443", spiffe: spiffe://e.org/wiki } }
${block.replace(
  'gateway:\n',
  'gateway:\n  tls: { cert_file: /run/c, key_file: /run/k }\n  assertion: { issuer: https://wiki.example.com, keys_file: /run/a }\n  inner: { client_ca_file: /run/ca }\n',
)}`;
  const { errors } = parsePolicy(text, 'budgets.md');
  // Its host and its routes have all limits themselves: the gateway's defaults are only shown.
  expect(errors.map(formatError).filter((line) => !line.includes('no effect'))).toEqual([]);
});
