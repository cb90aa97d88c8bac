import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { renderSidecar } from '../../../../src/targets/ext-authz/render.ts';
import { EXPOSED, type Exposed } from '../../../../src/targets/nginx/strangers.ts';
import { cases, goldenPolicy, options, render } from './golden.ts';
import { type Parsed, readConf } from './read.ts';

/** The locations of some directives, with what is in them. */
const locations = (all: readonly Parsed[]): readonly (readonly [path: string, block: readonly Parsed[]])[] =>
  all.flatMap(({ words: [name, ...words], block = [] }) => [
    ...(name === 'location' ? [[words.at(-1) ?? '', block] as const] : []),
    ...locations(block),
  ]);

/** Servers that listen only at a unix socket of http.conf get requests from nginx alone. */
const isInside = (server: Parsed): boolean =>
  server.words[0] === 'server' &&
  (server.block ?? []).every(({ words: [name, at = ''] }) => name !== 'listen' || at.startsWith('unix:')) &&
  !(server.block ?? []).some(({ words: [name, at = ''] }) => name === 'listen' && at.includes('health.sock'));

const rows = Object.entries<Exposed>(EXPOSED);
const own = (path: string): boolean => /^(@|\/\.meshgate(\/|$)|\/\.well-known\/oauth-protected-resource)/.test(path);

/** The row of a location: exact paths first, then the longest beginning. */
function rowOf(path: string): string | undefined {
  const exact = rows.find(([, { locations: all }]) => all.includes(path));
  if (exact) return exact[0];
  const begins = rows
    .flatMap(([name, { locations: all }]) => all.map((it) => [name, it] as const))
    .filter(([, it]) => it.endsWith('*') && path.startsWith(it.slice(0, -1)) && (it !== '/*' || !own(path)))
    .sort(([, a], [, b]) => b.length - a.length);
  return begins[0]?.[0];
}

const all = [
  ...cases.map((name) => [name, render(goldenPolicy(name)).files] as const),
  ...['sessions', 'smallest', 'signin-host'].map((name) => {
    const policy = goldenPolicy(name);
    return [`${name} in a sidecar`, renderSidecar(policy, compile(policy), options).files] as const;
  }),
];

describe.each(all)('%s', (_name, files) => {
  const confs = Object.entries(files).filter(([path]) => path.endsWith('.conf') && path !== 'inside.conf');
  const found = confs.flatMap(([path, text]) => {
    const tree = readConf(text).filter((one) => path !== 'http.conf' || !isInside(one));
    return locations(tree).map(([at, block]) => ({ at: `${path}: ${at}`, path: at, block }));
  });

  test('the table has a row for each location', () => {
    expect(found.length).toBeGreaterThan(5);
    expect(found.filter(({ path }) => rowOf(path) === undefined).map(({ at }) => at)).toEqual([]);
  });
});

test('docs/sizing.md has the table', () => {
  const [, table = ''] = /<!-- strangers -->\n\n((?:\|.*\n)+)/.exec(readFileSync('docs/sizing.md', 'utf8')) ?? [];
  const shown = rows.map(
    ([, { what, body, open, work }]) =>
      `| ${what} | ${body === undefined ? 'none' : `${body >> 10} KB`} | ${open === undefined ? 'all together' : open[1]} | ${work} |`,
  );
  expect(table.trim().split('\n').slice(2)).toEqual(shown);
});

test('an endpoint for bodies without a credential keeps them in memory, and waits 5 s for the next byte', () => {
  const { files } = render(goldenPolicy('sessions'));
  expect(files['signin.conf']).toContain('client_max_body_size 16k; client_body_buffer_size 16k;');
  expect(files['signin.conf']).toContain('client_body_timeout 5s;');
  expect(files['whoami.conf']).toContain('limit_conn meshgate_open_signin 128;');
});

test('the image has room for services, checks and health beside all clients that its front accepts', () => {
  const [, connections] = /worker_connections (\d+);/.exec(readFileSync('nginx/nginx.conf', 'utf8')) ?? [];
  const [, clients] =
    /limit_conn meshgate_front_worker (\d+);/.exec(render(goldenPolicy('sessions')).files['stream.conf']!) ?? [];
  expect(Number(connections)).toBe(2 * Number(clients));
});

test('a proxy of the policy has no limit of connections, because it carries those of many people', () => {
  const { files } = render(goldenPolicy('networks'));
  expect(files['stream.conf']).toContain('10.0.0.0/24 1;');
  expect(files['stream.conf']).toContain(
    'map $meshgate_front_proxy $meshgate_front_from { "0" $pid:$meshgate_from; default ""; }',
  );
});

test('no request body is stored before it is complete, unless the policy says so', () => {
  for (const name of cases)
    expect(render(goldenPolicy(name)).files['proxy.conf'] ?? 'proxy_request_buffering off').toContain(
      'proxy_request_buffering off',
    );
});
