import { readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { renderSidecar } from '../../../../src/targets/ext-authz/render-sidecar.ts';
import { ingressTargets } from '../../../../src/targets/ingress/index.ts';
import { EXPOSED, type Exposed } from '../../../../src/targets/nginx/server/strangers.ts';
import { cases, goldenPolicy, options, render } from './golden.ts';
import { args, type Parsed, treeOf } from './read.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of several kinds
type Objects = any[];

/** The path of a location; an expression is that of an ingress controller for a path or a beginning of paths. */
function pathOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return last.startsWith('~') ? last.replace(/^~\^?|\\z$/g, '').replace(/\\(.)/g, '$1') : last;
}

/** What a location inherits from the blocks around it, as nginx does: all lines of a directive, or none. */
type Effect = Readonly<Record<string, readonly string[]>>;
const INHERITED = [
  ...['auth_request', 'limit_conn', 'client_max_body_size', 'client_body_buffer_size', 'client_body_timeout'],
  'proxy_request_buffering',
];

interface Location {
  readonly path: string;
  readonly effect: Effect;
  /** The location reads a body before it answers, unless it has a check of its own. */
  readonly reads: boolean;
}

/** The locations of some directives, with what is in effect there. */
function locations(all: readonly Parsed[], outer: Effect = {}): readonly Location[] {
  const own = INHERITED.flatMap((name) => {
    const lines = args(all, name);
    return lines.length > 0 ? [[name, lines] as const] : [];
  });
  const effect = { ...outer, ...Object.fromEntries(own) };
  return all.flatMap(({ words: [name, ...words], block = [] }) => {
    const inside = name === 'if' ? [] : locations(block, effect);
    if (name !== 'location') return inside;
    const mine = {
      ...effect,
      ...Object.fromEntries(INHERITED.map((it) => [it, args(block, it)] as const).filter(([, it]) => it.length > 0)),
    };
    const isHandler = block.some(({ words: [it = ''] }) => /^(proxy_pass|grpc_pass|js_content)$/.test(it));
    const isInside = block.some(({ words: [it] }) => it === 'internal');
    const isChecked = !['off', undefined].includes(mine.auth_request?.[0]);
    const isStreamed = mine.proxy_request_buffering?.[0] === 'off';
    return [
      { path: pathOf(words), effect: mine, reads: isHandler && !isInside && !isChecked && !isStreamed },
      ...inside,
    ];
  });
}

/** Servers that listen only at a unix socket of http.conf get requests from nginx alone. */
const isInside = (server: Parsed): boolean =>
  server.words[0] === 'server' &&
  (server.block ?? []).every(({ words: [name, at = ''] }) => name !== 'listen' || at.startsWith('unix:')) &&
  !(server.block ?? []).some(({ words: [name, at = ''] }) => name === 'listen' && at.includes('health.sock'));

const isAnswer = ({ words: [name, status = '', text] }: Parsed): boolean =>
  name === 'return' && (text !== undefined || Number(status) < 400) && !['204', '301'].includes(status);

/** What answers with a text before `limit_conn` counts the request: a location that a client can reach, or to which an error
 * of nginx itself leads. `return` with a status alone leads to an error page. */
function answersUncounted(all: readonly Parsed[], after: RegExp, path = ''): readonly string[] {
  const isNamed = (words: readonly string[]) => words[1]?.startsWith('@') ?? false;
  const named = all.filter(({ words }) => words[0] === 'location' && isNamed(words));
  const targets = new Set(errorTargets(all).filter((it) => !after.test(it)));
  // A level with error pages of its own inherits none: there, nginx would answer a body that is too long itself.
  const own = all.filter(({ words }) => words[0] === 'error_page').flatMap(({ words }) => words.slice(1));
  return [
    ...(own.length > 0 && !own.includes('413') ? [`${path}: no error page for 413`] : []),
    ...named.flatMap(({ words, block = [] }) =>
      targets.has(words[1]!) && block.some(isAnswer) ? [`${words[1]} is an error page`] : [],
    ),
    ...all.flatMap((one) => {
      const { words, block = [] } = one;
      if (isAnswer(one)) return [`${path}: ${words.join(' ')}`];
      if (words[0] === 'location' && isNamed(words)) return [];
      return ['location', 'if', 'server'].includes(words[0]!) ? answersUncounted(block, after, words.join(' ')) : [];
    }),
  ];
}

const errorTargets = (all: readonly Parsed[]): readonly string[] =>
  all.flatMap(({ words, block = [] }) => (words[0] === 'error_page' ? [words.at(-1)!] : errorTargets(block)));

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

/** The limits of docs/sizing.md by the row: body, and open requests. */
const [, table = ''] = /<!-- strangers -->\n\n((?:\|.*\n)+)/.exec(readFileSync('docs/sizing.md', 'utf8')) ?? [];
const documented = new Map(
  table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) => row.split('|').map((it) => it.trim()))
    .map(([, what = '', body = '', open = '']) => [what, { body, open }] as const),
);

/** The files that a controller mounts. */
function controllerFiles(target: 'nic' | 'ngf', form: string): Readonly<Record<string, string>> {
  const { files } = ingressTargets[target].emit(goldenPolicy('sessions'), compile(goldenPolicy('sessions')), {
    bundles: {},
    form,
  });
  const objects = loadAll(files[target === 'nic' ? 'values.yaml' : 'nginxproxy.yaml']!) as Objects;
  const { volumes } = objects[0].controller ?? objects[0].spec.kubernetes.deployment.pod;
  const maps = new Map((loadAll(files['files.yaml']!) as Objects).map(({ metadata, data }) => [metadata.name, data]));
  return Object.fromEntries(
    volumes[0].projected.sources.flatMap(({ configMap }: Objects[0]) =>
      configMap.items.map(({ key, path }: Objects[0]) => [path, maps.get(configMap.name)[key]]),
    ),
  );
}

const all = [
  ...cases.map((name) => [name, render(goldenPolicy(name)).files] as const),
  ...['sessions', 'smallest', 'signin-host'].map((name) => {
    const policy = goldenPolicy(name);
    return [`${name} in a sidecar`, renderSidecar(policy, compile(policy), options).files] as const;
  }),
  ...['configmap', 'ingress', 'mergeable', 'virtualserver'].map(
    (it) => [`nic ${it}`, controllerFiles('nic', it)] as const,
  ),
  ['ngf snippets', controllerFiles('ngf', 'snippets')] as const,
];

describe.each(all)('%s', (name, files) => {
  // Whole servers, as nginx reads them: the files of hosts stand for their servers, and http.conf has that of health.
  const entire = Object.keys(files).filter((path) => /^(hosts|inner)\/[^/]+\.conf$|^(http|servers)\.conf$/.test(path));
  const found = entire.flatMap((path) => {
    const tree = treeOf(files, path).filter((one) => path !== 'http.conf' || !isInside(one));
    return locations(tree).map((it) => ({ at: `${path}: ${it.path}`, ...it }));
  });
  const isSidecar = name.includes('sidecar');

  test('the table has a row for each location', () => {
    expect(found.length).toBeGreaterThan(3);
    expect(found.filter(({ path }) => rowOf(path) === undefined).map(({ at }) => at)).toEqual([]);
  });

  test('each location has the limits of its row in docs/sizing.md', () => {
    const wrong = found.flatMap(({ at, path, effect, reads }) => {
      const { body, open } = documented.get(EXPOSED[rowOf(path) as keyof typeof EXPOSED].what)!;
      const counted = (effect.limit_conn ?? []).map((it) => it.split(' ').at(-1));
      // The last is that of the /48 network, which is twice that of an address.
      const wanted = [...(open !== 'all together' ? [open] : isSidecar ? [] : ['512']), ...(isSidecar ? [] : ['1024'])];
      const kilobytes = `${body.split(' ')[0]}k`;
      const sizes = [effect.client_max_body_size?.at(-1), effect.client_body_buffer_size?.at(-1)];
      const isBounded = sizes.every((it) => it === kilobytes);
      return [
        ...(String(counted) === String(wanted) ? [] : [`${at}: open requests ${counted}, not ${wanted}`]),
        ...(reads && !isBounded ? [`${at}: a body of ${sizes}, not ${body}`] : []),
      ];
    });
    expect([...new Set(wrong)]).toEqual([]);
  });

  test('a half header, and requests at once on a connection, have a limit in each server of a host', () => {
    const hosts = Object.keys(files).filter((path) => /^hosts\//.test(path));
    expect(hosts.length).toBeGreaterThan(0);
    for (const path of hosts) {
      expect(args(treeOf(files, path), 'client_header_timeout')).toEqual(['10s']);
      expect(args(treeOf(files, path), 'http2_max_concurrent_streams')).toEqual(['32']);
    }
  });
});

// A sidecar counts nothing: every client has the address of its ingress.
test.each(all.filter(([name]) => !name.includes('sidecar')))(
  '%s: nginx counts each request before it answers it',
  (_, files) => {
    const after = /^@meshgate_(refuse|down|signin|page)/; // refusals of the check, which comes after the count
    const servers = Object.keys(files).filter((path) => /^(hosts|inner)\/[^/]+\.conf$|^servers\.conf$/.test(path));
    expect(
      servers.flatMap((path) => answersUncounted(treeOf(files, path), after).map((it) => `${path}: ${it}`)),
    ).toEqual([]);
  },
);

test('docs/sizing.md has the table', () => {
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
