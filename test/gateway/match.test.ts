/** Compares src/rules/decide/match.ts with nginx on 10,000 request targets and hosts, sent as they are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { match } from '../../src/rules/decide/match.ts';
import {
  type Answer,
  rawRequest,
  ready,
  startEcho,
  startGateway,
  testStage,
  waitForWorkers,
} from '../harness/index.ts';
import { draw } from '../harness/property.ts';

const COUNT = 3000;

const paths = {
  'wiki.test': [
    '/*',
    '/rest/*',
    '/rest/api',
    '/rest/api/*',
    '/rest/api/x',
    '/status',
    '/status/deep/*',
    '/a.b/*',
    '/~u/*',
    '/a(b)!c,d=e+f:g@h~i&j',
    '/Case/*',
    '/.meshgate-not/*',
  ],
  'small.test': ['/app/*', '/app/x', '/rest'],
  'exact.test': ['/', '/only'],
  '*.wild.test': ['/*', '/rest/*'],
  '*.sub.wild.test': ['/sub/*'],
};

const stage = await testStage('match');
const [, gateway] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startGateway(stage, {
    policy: `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: "https://issuers:8443/acme", audiences: [wiki] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
${Object.entries(paths)
  .map(
    ([host, routes]) =>
      `  "${host}":\n${routes.map((path) => `    "${path}": { service: wiki, allow: [anyone] }`).join('\n')}`,
  )
  .join('\n')}
`,
  }),
]);
// State: nginx has looked up the service's name, which it does after it has begun to listen.
await ready(gateway, 'wiki.test', { path: '/status' });
const { hosts } = gateway.policy;

/** Every byte that does not end the line; bytes are Latin-1 characters here. */
const byte = fc.integer({ min: 1, max: 255 }).filter((code) => code !== 10 && code !== 13);
const hex = (code: number, upper: boolean) => {
  const digits = code.toString(16).padStart(2, '0');
  return `%${upper ? digits.toUpperCase() : digits}`;
};
const escape_ = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.boolean()).map(([code, upper]) => hex(code, upper));
const fromRoutes = [
  ...new Set(
    Object.values(paths)
      .flat()
      .flatMap((path) => path.split('/')),
  ),
];
const plainSegment = fc.constantFrom(
  ...fromRoutes.filter((one) => one !== '' && one !== '*'),
  'x',
  'y',
  'deep',
  '.meshgate',
);

/** A segment of the policy, and its variations. */
const segment: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: plainSegment },
  { weight: 1, arbitrary: plainSegment.map((text) => text.toUpperCase()) },
  { weight: 1, arbitrary: plainSegment.map((text) => text.slice(0, -1)) },
  { weight: 1, arbitrary: fc.tuple(plainSegment, plainSegment).map((both) => both.join('')) },
  {
    weight: 2,
    arbitrary: fc.tuple(plainSegment, fc.nat(), fc.boolean()).map(([text, n, upper]) => {
      const i = n % text.length;
      return text.slice(0, i) + hex(text.charCodeAt(i), upper) + text.slice(i + 1);
    }),
  },
  { weight: 1, arbitrary: fc.tuple(plainSegment, escape_).map((both) => both.join('')) },
  {
    weight: 1,
    arbitrary: fc.tuple(plainSegment, byte, fc.nat()).map(([text, code, n]) => {
      const i = n % (text.length + 1);
      return text.slice(0, i) + String.fromCharCode(code) + text.slice(i);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '.',
      '..',
      '...',
      '%2e',
      '%2E%2e',
      '.%2e',
      ';',
      '%3b',
      '%',
      '%0',
      '%2f',
      '%5c',
      '\\',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '~',
      '!',
      '$',
      '&',
      "'",
      '(',
      ')',
      '*',
      '+',
      ',',
      '=',
      ':',
      '@',
      '^',
      '|',
      '"',
      '<',
      '{',
      '`',
      '%7E',
      '%7e',
      '%21',
      '%24',
    ),
  },
);

const longOnes = fc.integer({ min: 500, max: 6000 }).map((n) => 'x'.repeat(n));
const path = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.array(segment, { maxLength: 5 }) },
      // A whole route, and a path below it.
      {
        weight: 3,
        arbitrary: fc
          .tuple(fc.constantFrom(...Object.values(paths).flat()), fc.array(segment, { maxLength: 2 }))
          .map(([route, more]) => [
            ...route
              .slice(1)
              .replace(/\/?\*$/, '')
              .split('/'),
            ...more,
          ]),
      },
      { weight: 1, arbitrary: fc.tuple(segment, longOnes).map((both) => [...both]) },
    ),
    fc.boolean(),
  )
  .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`);

const query = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc
      .array(
        fc.oneof(plainSegment, escape_, fc.constantFrom('/', '//', '/../', ';', '\\', '#', '?', '%', '%zz', '&', '=')),
      )
      .map((parts) => `?${parts.join('')}`),
  },
  { weight: 1, arbitrary: fc.array(byte, { maxLength: 6 }).map((codes) => `?${String.fromCharCode(...codes)}`) },
  { weight: 1, arbitrary: fc.constantFrom('?', '#', '#/rest', '?#', '#?') },
);

const knownHost = fc.constantFrom(
  'wiki.test',
  'wiki.test',
  'small.test',
  'exact.test',
  'a.wild.test',
  'a.b.wild.test',
  'a.sub.wild.test',
  'sub.wild.test',
);
const hostHeader = fc.oneof(
  { weight: 8, arbitrary: knownHost },
  { weight: 1, arbitrary: knownHost.map((name) => name.toUpperCase()) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(knownHost, fc.constantFrom(':8443', ':', '.', '.:80', ':99999', '..', ':x', '/x', '@x', ' '))
      .map((both) => both.join('')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'other.test',
      'wild.test',
      '[::1]',
      '[::1]:80',
      '127.0.0.1',
      'xwiki.test',
      'wiki.test.evil.test',
      '_',
      '-',
      '*.wild.test',
      '',
    ),
  },
);
const absolute = fc
  .tuple(fc.constantFrom('http', 'https', 'HTTPS', 'ws', 'a+b'), hostHeader, fc.oneof(path, fc.constant('')), query)
  .map(([scheme, name, rest, more]) => `${scheme}://${name}${rest}${more}`);
const target = fc.oneof(
  { weight: 14, arbitrary: fc.tuple(path, query).map((both) => both.join('')) },
  { weight: 1, arbitrary: absolute },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('', '*', 'x', '?', '//', ':'), path).map((both) => both.join('')) },
);

interface Sample {
  readonly host: string;
  readonly target: string;
}

/** Each route once, so that every route is covered. */
const plain = Object.entries(paths).flatMap(([host, routes]) =>
  routes.map((path) => ({ host: host.replace('*', 'a'), target: path.replace('*', 'x') })),
);
const samples: readonly Sample[] = [...plain, ...draw(fc.record({ host: hostHeader, target }), COUNT - plain.length)];

/** The gateway's result for a request: its route, or the reason. */
function outcome(answer: Answer): string {
  const reason = /^\{"title":"[^"]*","status":\d+,"reason":"(\w+)"/.exec(answer.text)?.[1];
  if (reason !== undefined) return reason;
  // The echo reports what it received; one that cannot read the target is still the route's service.
  if (answer.status === 200) {
    const { headers } = answer.json() as { headers: [string, string][] };
    return headers.find(([name]) => name === 'X-Meshgate-Route')?.[1] ?? 'no route in the echo';
  }
  return `passed on, ${answer.status}`;
}

/** Sends a part of the samples in order; if nginx closes the connection, the others use a new one. */
async function send(share: readonly number[], outcomes: Map<number, string>): Promise<void> {
  const batch = 100;
  let at = 0;
  while (at < share.length) {
    const now = share.slice(at, at + batch);
    const bytes = now.map((i) => {
      const { host, target } = samples[i] as Sample;
      return rawRequest(`GET ${target} HTTP/1.1`, [
        ['Host', host],
        ['User-Agent', String(i)],
      ]);
    });
    const { answers } = await gateway.sendRaw('wiki.test', bytes.join(''), { answers: now.length });
    if (answers.length === 0) throw new Error(`no answer to ${JSON.stringify(samples[now[0]!])}`);
    for (const [i, answer] of answers.entries()) outcomes.set(now[i]!, outcome(answer));
    at += answers.length;
  }
}

test(`${COUNT} requests have the route that match() gives them`, async () => {
  const mark = await waitForWorkers(gateway, 'wiki.test');
  const outcomes = new Map<number, string>();
  const all = samples.map((_, i) => i);
  const shares = [0, 1, 2, 3].map((part) => all.filter((i) => i % 4 === part));
  await Promise.all(shares.map((share) => send(share, outcomes)));

  // If only the service refused the request, nginx's log has the route.
  const passedOn = [...outcomes].filter(([, what]) => what.startsWith('passed on')).map(([i]) => i);
  const lines = await gateway.box.logs.waitForJson(COUNT, mark);
  const routes = new Map(lines.map((line) => [line['user_agent.original'], line['http.route']]));
  for (const i of passedOn) outcomes.set(i, String(routes.get(String(i))));

  const differences = samples.flatMap(({ host, target }, i) => {
    const found = match(hosts, host, target);
    const says = 'reason' in found ? found.reason : found.route.name;
    const does = outcomes.get(i);
    return says === does ? [] : [{ host, target: target.slice(0, 200), says, does }];
  });
  expect(differences.slice(0, 20), `${differences.length} differences`).toEqual([]);

  const count = (what: string) => [...outcomes.values()].filter((one) => one === what).length;
  const taken = [...outcomes.values()].filter((one) => one.includes('/'));
  expect(new Set(taken).size, 'routes that were hit').toBe(Object.values(paths).flat().length);
  expect(taken.length, 'requests with a route').toBeGreaterThan(COUNT / 3);
  expect(count('path_not_canonical'), 'odd paths').toBeGreaterThan(COUNT / 20);
  expect(count('route_unknown'), 'without a route').toBeGreaterThan(COUNT / 50);
  expect(count('host_unknown'), 'without a host').toBeGreaterThan(COUNT / 50);
  expect(count('request_malformed'), 'what nginx cannot read').toBeLessThan(COUNT / 5);
  expect(passedOn.length, 'what the echo cannot read').toBeLessThan(COUNT / 10);
});
