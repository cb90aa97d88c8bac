import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const text = (gateway: string, host = '', route = '', more = '') => `version: 1
${gateway === '' ? '' : `gateway: ${gateway}`}
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
services: { wiki: { insecure_url: "http://wiki:8080" } }
hosts:
  wiki.example.com:
    ${host}
    /*: { service: wiki, allow: [staff], ${route} }
    ${more}
`;

function policyOf(...parts: Parameters<typeof text>): Policy {
  const { policy, errors } = parsePolicy(text(...parts), 'p.yaml');
  expect(errors.map(formatError)).toEqual([]);
  return policy as Policy;
}

const errorsOf = (...parts: Parameters<typeof text>) => parsePolicy(text(...parts), 'p.yaml').errors.map(formatError);

describe('a limit', () => {
  test.each([
    ['{ rate: 10/s }', { rate: 10, burst: 10, written: '10/s' }],
    ['{ rate: 60/m, burst: 20 }', { rate: 1, burst: 20, written: '60/m' }],
    ['{ rate: 90/h, burst: 1 }', { rate: 0.025, burst: 1, written: '90/h' }],
    ['{ rate: 864/d, burst: 5 }', { rate: 0.01, burst: 5, written: '864/d' }],
    ['{ rate: 2000000/s, burst: 2000 }', { rate: 2e6, burst: 2000, written: '2000000/s' }],
  ])('%s', (limit, expected) => {
    expect(policyOf('', `limit: ${limit}`).hosts[0]?.limit).toEqual(expected);
    expect(policyOf('', '', `limit: ${limit}`).hosts[0]?.routes[0]?.limit).toEqual(expected);
    expect(policyOf(`{ limits: { callers: ${limit} } }`).gateway.limits).toEqual({
      callers: expected,
      zone: 8 * 1024 * 1024,
      passWhenFull: false,
    });
  });

  test.each([
    ['{ rate: 60 }', 'is not a rate with its unit; write 60/s (or 60/m, 60/h)'],
    ['{ rate: 60 per minute }', 'is not a rate with its unit; write 60/m'],
    ['{ rate: 10r/s }', 'is not a rate with its unit; write 10/s'],
    ['{ rate: 0/s }', 'is not a rate with its unit; write 10/s, 60/m, 1000/h or 5000/d'],
    ['{ rate: 1/s, burst: 0 }', 'limit.burst: 0 is not a number of requests; write a number from 1 to 1000000'],
    ['{ burst: 5 }', 'rate: missing key "rate"; write rate: 10/s, 60/m, 1000/h or 5000/d'],
    ['60/m', 'limit: "60/m" is not a limit; write { rate: 60/m }'],
    [
      '{ rate: 5000/s, burst: 4 }',
      'burst: a burst of 4 is too small for 5000/s: time is counted in milliseconds; write at least 5',
    ],
    [
      '{ rate: 1/d, burst: 31 }',
      'burst: 31 at 1/d take more than 30 days to refill; write a smaller burst, or a faster rate',
    ],
  ])('%s is rejected', (limit, says) => {
    expect(errorsOf('', '', `limit: ${limit}`)).toEqual([expect.stringContaining(says)]);
  });
});

describe('a limit without effect', () => {
  const limit = '{ rate: 1/s }';
  test.each([
    [['{ limits: {} }'], 'gateway.limits: nothing in it'],
    [['{ limits: { zone: 1m } }'], 'zone: no effect: nothing is counted without a limit; remove it'],
    [['{ limits: { insecure_pass_when_full: true } }'], 'insecure_pass_when_full: no effect: nothing is counted'],
    [['{ limits: { zone: 32k } }', `limit: ${limit}`], 'zone: 32k is too small; write from 64k to 1g'],
    [[`{ limits: { agents: ${limit} } }`], 'agents: no effect: the policy has no agents; remove it'],
    [
      [`{ limits: { anonymous: ${limit} } }`],
      'anonymous: no effect: no route that it applies to allows anonymous callers',
    ],
    [[`{ limits: { callers: ${limit} } }`, `limit: ${limit}`], 'callers: no effect: each host or route has a limit'],
    [['', `limit: ${limit}`, `limit: ${limit}`], 'limit: no effect: each route of this host has a limit of its own'],
    [['', 'limit: null'], 'hosts."wiki.example.com".limit: no effect: neither the host nor the gateway has a limit'],
    [
      ['', '', 'limit: null'],
      'hosts."wiki.example.com"."/*".limit: no effect: neither the host nor the gateway has a limit',
    ],
    [
      [`{ limits: { callers: ${limit} } }`, 'limit: null', '', '/x: { service: wiki, allow: [staff], limit: null }'],
      '"/x".limit: no effect: neither the host nor the gateway has a limit',
    ],
  ] as [Parameters<typeof text>, string][])('%j', (parts, says) => {
    expect(errorsOf(...parts)).toContainEqual(expect.stringContaining(says));
  });

  test.each([
    [[`{ limits: { callers: ${limit} } }`, 'limit: null', `limit: ${limit}`]],
    [[`{ limits: { callers: ${limit} } }`, '', 'limit: null', '/x: { service: wiki, allow: [staff] }']],
    [[`{ limits: { anonymous: ${limit} } }`, '', '', '/x: { service: wiki, allow: [anyone] }']],
    [['{ limits: { zone: 64k, insecure_pass_when_full: true } }', `limit: ${limit}`]],
  ] as [Parameters<typeof text>][])('is not reported for %j', (parts) => {
    if (parts[1] === 'limit: null') parts[3] = '/x: { service: wiki, allow: [staff] }';
    expect(errorsOf(...parts).filter((line) => !line.includes('callers: no effect'))).toEqual([]);
  });
});
