import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { REGISTERED, UNREGISTERED } from '../../../src/policy/check/routes/field-names.ts';
import { ACTED, CLOSED, DROPPED, FILTERED, PASSED } from '../../../src/policy/check/routes/response-headers.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { nginxOptions } from '../../../src/targets/nginx/options.ts';
import { renderNginx } from '../../../src/targets/nginx/render.ts';
import { included, type Parsed, readConf } from '../targets/nginx/read.ts';

/** Each known name, who has registered it, and what becomes of it: this list is written by hand, not from the code. */
const ROWS = readFileSync(new URL('fixtures/field-names.tsv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t') as [name: string, source: string, decision: string]);
const namesThat = (...decisions: readonly string[]) =>
  ROWS.flatMap(([name, , decision]) => (decisions.includes(decision) ? [name.toLowerCase()] : [])).sort();
const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase()).sort();
const ON_SIGNIN = 'passes unless people sign in';

describe('the list of response headers', () => {
  test('has a decision for each known name', () => {
    expect(lower([...REGISTERED, ...UNREGISTERED])).toEqual(ROWS.map(([name]) => name.toLowerCase()).sort());
    expect(new Set(ROWS.map(([, , decision]) => decision))).toEqual(
      new Set(['passes', 'filtered', 'dropped', ON_SIGNIN]),
    );
    expect(ROWS.filter(([, source]) => source === 'iana')).toHaveLength(258);
  });

  test('has no name twice, and no name that no list knows', () => {
    const all = lower([...PASSED.flatMap(({ names }) => names), ...FILTERED.map(({ name }) => name), ...ACTED]);
    expect(all).toEqual([...new Set(all)]);
    const known = new Set(ROWS.map(([name]) => name.toLowerCase()));
    expect(all.filter((name) => !known.has(name))).toEqual([]);
  });

  test('closes whatever it does not allow', () => {
    const open = new Set(lower([...PASSED.flatMap(({ names }) => names), ...FILTERED.map(({ name }) => name)]));
    expect(lower(CLOSED)).toEqual(lower(ROWS.map(([name]) => name)).filter((name) => !open.has(name)));
  });

  test('has names that fit into the table of nginx for gRPC', () => {
    expect(ACTED.length).toBeLessThan(80);
    for (const name of ACTED) expect(name).toMatch(/^(?=.{1,46}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/);
  });
});

/** `UPDATE_DOCS=1` writes the tables again. */
test.each([
  ['passes', PASSED],
  ['dropped', Object.values(DROPPED)],
])('docs/headers.md has a row for each group of headers: %s', (marker, groups) => {
  const file = new URL('../../../docs/headers.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const lines = groups.map(
    ({ names, what }) =>
      `| ${[...names]
        .sort()
        .map((name) => `\`${name}\``)
        .join(', ')} | ${what} |\n`,
  );
  const fresh = text.replace(
    new RegExp(`(<!-- ${marker} -->\n\n.*\n.*\n)(?:\\|.*\n)*`),
    (_, head: string) => `${head}${lines.join('')}`,
  );
  if (process.env.UPDATE_DOCS === '1') writeFileSync(file, fresh);
  expect(text).toContain(`<!-- ${marker} -->`);
  expect(text).toBe(fresh);
});

const SESSION = 'gateway: { session: { keys_file: /run/k.jwks } }';

const policyOf = (list: string, gateway = '') => `version: 1
${gateway}
providers: { okta: { issuer: https://login.example.com, audiences: [wiki]${gateway === SESSION ? ', client: { id: g, secret_file: /run/s }' : ''} } }
services:
  wiki: { url: https://wiki, response_headers: ${list} }
  calls: { url: https://calls, protocol: grpc }
  fast: { url: https://fast, protocol: http2 }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [authenticated] }
    /calls/*: { service: calls, allow: [authenticated] }
    /fast/*: { service: fast, allow: [anyone] }
    /exact: { service: fast, allow: [anyone], cors: { origins: ["https://app.example.com"] } }
    /stream/*: { service: wiki, allow: [authenticated], proxy: { stream: true } }
    /shared/*: { service: calls, allow: [anyone], cors: { origins: ["*"] } }
  api.example.com:
    /*: { service: wiki, allow: [anyone] }
`;

describe('response_headers of a service', () => {
  test.each([
    ['Content-Type', '', 'no effect: this header passes from every service; remove it'],
    ['X-Unknown', '', 'no effect: this header passes from every service; remove it'],
    ['Clear-Site-Data', '', 'passes without the cookies'],
    ['link', '', 'passes unless it makes browsers connect'],
    ['Service-Worker-Allowed', '', 'use service_workers'],
    ['traceresponse', '', 'the gateway sends this header'],
    ['NEL', SESSION, 'learns the URLs of sign-ins'],
    ['report-to', SESSION, 'learns the URLs of sign-ins'],
    ['Reporting-Endpoints', SESSION, 'learns the URLs of sign-ins'],
    ['Strict-Transport-Security', 'gateway: { hsts: { max_age: 365d } }', 'gateway.hsts sets this header'],
    ['ALT-SVC', '', 'the same header as "Alt-Svc"; keep one'],
  ])('rejects %s with %j', (name, gateway, says) => {
    const { errors } = parsePolicy(policyOf(`[Alt-Svc, ${name}]`, gateway), 'p.yaml');
    expect(errors.map(formatError)).toEqual([expect.stringContaining('services.wiki.response_headers[1]: ')]);
    expect(errors[0]?.message).toContain(says);
  });

  test('opens a header that the list drops', () => {
    const { errors } = parsePolicy(policyOf('[Alt-Svc, NEL, WWW-Authenticate, Strict-Transport-Security]'), 'p.yaml');
    expect(errors.map(formatError)).toEqual([]);
  });
});

/** Walks the locations of a host, with the names that each of them hides as nginx inherits them. */
function walk(
  tree: readonly Parsed[],
  visit: (module: string, hidden: readonly string[], passed: readonly string[], at: string) => void,
  outer: Readonly<Record<string, readonly string[]>> = {},
  at = 'server',
): void {
  const own = (name: string) =>
    tree.filter(({ words }) => words[0] === name).map(({ words }) => (words[1] ?? '').toLowerCase());
  const here: Record<string, readonly string[]> = {};
  for (const directive of ['proxy_hide_header', 'proxy_pass_header', 'grpc_hide_header', 'grpc_pass_header']) {
    const set = own(directive);
    here[directive] = set.length > 0 ? set : (outer[directive] ?? []);
  }
  for (const module of ['proxy', 'grpc']) {
    if (own(`${module}_pass`).includes('$meshgate_to')) {
      visit(module, here[`${module}_hide_header`] ?? [], here[`${module}_pass_header`] ?? [], at);
    }
  }
  for (const { words, block } of tree) {
    if (block !== undefined && words[0] === 'location') walk(block, visit, here, words.join(' '));
  }
}

describe.each([
  ['where people sign in', SESSION, namesThat('dropped', 'filtered', ON_SIGNIN)],
  ['without sign-in', '', namesThat('dropped', 'filtered')],
])('each location that leads to a service, %s,', (_, gateway, closed) => {
  const { policy, errors } = parsePolicy(policyOf('[Alt-Svc]', gateway), '/etc/meshgate/p.yaml');
  if (policy === undefined) throw new Error(JSON.stringify(errors));
  const { files } = renderNginx(policy, compile(policy), nginxOptions({ dir: '/etc/nginx/meshgate' }));
  const found: [at: string, module: string, hidden: readonly string[], passed: readonly string[]][] = [];
  for (const [path, text] of Object.entries(files)) {
    if (!path.startsWith('hosts/')) continue;
    walk(included(readConf(text), files), (module, hidden, passed, at) => found.push([at, module, hidden, passed]));
  }

  test('is found', () => {
    expect(found.length).toBeGreaterThan(8);
    expect(new Set(found.map(([, module]) => module))).toEqual(new Set(['proxy', 'grpc']));
  });

  test.each(found)('%s hides all closed names: %s', (_at, module, hidden) => {
    const acted = new Set([...lower(ACTED), ...namesThat('filtered', ON_SIGNIN)]);
    const expected = closed.filter((name) => module === 'proxy' || acted.has(name));
    expect(expected.filter((name) => !hidden.includes(name))).toEqual([]);
  });

  test.each(found)('%s lets no name pass that its service may not send: %s', (at, _module, _hidden, passed) => {
    const isWiki = !/calls|fast|exact|shared/.test(at);
    expect(passed).toEqual([isWiki ? 'alt-svc' : 'content-type']);
  });
});
