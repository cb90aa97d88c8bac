/** `validate --nginx` on the output of `nginx -T` in a Debian nginx that is set up as docs/nginx.md shows, with one
 * weakness each. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parsePolicy } from '../../src/policy/index.ts';
import { compile } from '../../src/rules/compile.ts';
import { readFolder } from '../../src/targets/nginx/inspect/folder.ts';
import { readConf, readDump } from '../../src/targets/nginx/inspect/read.ts';
import { type Inspection, inspectNginx } from '../../src/targets/nginx/inspect/warnings.ts';
import { bareImage, fileOf, filesBelow, readGuide, send, startContainer, testStage } from '../harness/index.ts';

const stage = await testStage('validate nginx');

const POLICY = '/etc/meshgate/meshgate.yaml';
const guide = readGuide('docs/nginx.md');
const policy = fileOf(guide, POLICY);
const commands = guide.flatMap((step) => ('command' in step ? [step.command] : []));
const render = commands.find((command) => command.includes(' render '))!;
const certificate = await stage.ca.server(['wiki.test']);
const box = await startContainer(stage, {
  image: bareImage,
  alias: 'nginx',
  files: {
    ...filesBelow('dist', '/root/dist'),
    '/etc/meshgate/ca.pem': stage.ca.cert,
    '/etc/meshgate/tls.crt': certificate.cert,
    '/etc/meshgate/tls.key': certificate.key,
    [POLICY]: policy,
    '/etc/nginx/old.js': "const c = require('crypto'); export default { f: (r) => r.return(200, typeof c) };",
    '/etc/nginx/new.js': "import c from 'crypto'; export default { f: (r) => r.return(200, typeof c) };",
  },
  command: ['sh', '-c', 'echo ready && exec tail -f /dev/null'],
  ready: /ready/,
});

type Files = Record<string, string>;

/** The files of Debian in which docs/nginx.md puts its examples, around the distribution's own nginx.conf. */
const HTTP = '/etc/nginx/conf.d/meshgate.conf';
const SERVER = '/etc/nginx/sites-enabled/wiki';
const MAIN = '/etc/nginx/nginx.conf';
const files: Files = { [POLICY]: policy };
/** Scripts in that nginx, which a dump leaves out. */
const scripts: Files = {};

/** Writes files first, in the same process: to start one takes longer than its work. */
async function sh(command: string, written: Files = {}): Promise<string> {
  const write = 'while [ $# -gt 0 ]; do printf %s "$2" > "$1"; shift 2; done';
  const given = Object.entries(written).flat();
  const { exitCode, stdout, stderr } = await box.exec('sh', '-ec', `cd /root\n${write}\n${command}`, 'sh', ...given);
  expect(exitCode, `${command}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

beforeAll(async () => {
  for (const command of commands.slice(0, commands.indexOf(render) + 1)) await sh(command);
  for (const path of (await sh('ls /etc/nginx/*.js /etc/nginx/meshgate/*.js')).trim().split('\n'))
    scripts[path] = await sh(`cat ${path}`);
  files[MAIN] = await sh(`cat ${MAIN}`);
  const shown = fileOf(guide, HTTP);
  files[HTTP] = /^ *include \S+http\.conf;\n/m.exec(shown)![0];
  files[SERVER] = /^server \{[\s\S]*?^\}\n/m.exec(shown)![0];
});

/** The dump of that nginx with some files changed, and the result of the inspection. */
async function inspect(changed: Files): Promise<{ inspection: Inspection; dump: string }> {
  const dump = await sh('nginx -T 2>/root/said || { cat /root/said >&2; exit 1; }', { ...files, ...changed });
  const read = parsePolicy(changed[POLICY] ?? policy, POLICY).policy!;
  return { inspection: inspectNginx(dump, read, compile(read), (path) => scripts[path])!, dump };
}

/** The command's output about it, on njs, which takes a second. */
async function inspectThere(
  command = `nginx -T 2>/dev/null | njs -n QuickJS -m /usr/lib/meshgate/cli.js validate --format json --nginx - ${POLICY}`,
): Promise<Inspection> {
  const { stdout, stderr } = await box.exec('sh', '-c', command);
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout).nginx;
}

const inServer = (line: string) => () => ({ [SERVER]: files[SERVER]!.replace(/^\}$/m, `${line}\n}`) });
const beforeInclude = (line: string) => () => ({ [SERVER]: files[SERVER]!.replace(/^ +include/m, `${line}\n$&`) });
const inHttp = (line: string) => () => ({ [HTTP]: `${line}\n${files[HTTP]}` });
const beside = (body: string) => () => ({ [SERVER]: `${body}\n${files[SERVER]}` });

test('njs without the image’s wrapper ends with 1 for a policy with errors, and prints no exception', async () => {
  const njs = `echo 'version: 2' | njs -n QuickJS -m /usr/lib/meshgate/cli.js validate -`;
  const { exitCode, stdout, stderr } = await box.exec('sh', '-c', njs);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  expect(stdout).toContain('stdin: invalid:');
});

test('njs without the image’s wrapper loads the migration', async () => {
  const njs = `echo 'provider = "google"' | njs -n QuickJS -m /usr/lib/meshgate/cli.js migrate oauth2-proxy -`;
  const { exitCode, stdout, stderr } = await box.exec('sh', '-c', njs);
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toContain('issuer: https://accounts.google.com,');
});

describe('reports nothing if there is no weakness', () => {
  for (const [what, change] of [
    ['the distribution’s nginx.conf', () => ({})],
    ['an old engine’s script in the new engine', inHttp('js_import old from /etc/nginx/new.js;')],
    [
      'a redirect to https',
      beside('server { listen 80; server_name wiki.test; return 301 https://$host$request_uri; }'),
    ],
    [
      'CORS preflights, a health page',
      inServer('if ($request_method = OPTIONS) { return 204; } if ($uri = /h) { return 200; }'),
    ],
    ['renewal of certificates', inServer('location /.well-known/acme-challenge/ { auth_request off; root /var/www; }')],
    ['a rewrite that leaves the check out', inServer('rewrite ^/old/(.*)$ /$1 permanent;')],
    [
      'directives of other servers',
      beside('server { listen 82; error_log /dev/null debug; underscores_in_headers on; break; }'),
    ],
  ] as const) {
    test(what, async () => expect((await inspect(change())).inspection).toEqual({ warnings: [] }));
  }
});

const other =
  'listen 443 ssl default_server; ssl_certificate /etc/meshgate/tls.crt; ssl_certificate_key /etc/meshgate/tls.key;';

/** The added text, the place of the warning, and its text. */
const weaknesses: readonly (readonly [what: string, change: () => Files, at: string, says: RegExp])[] = [
  [
    'error_log info, main',
    () => ({ [MAIN]: files[MAIN]!.replace('error.log;', 'error.log info;') }),
    `${MAIN}:5`,
    /tokens/,
  ],
  ['error_log debug, http', inHttp('error_log /dev/null debug;'), `${HTTP}:1`, /tokens/],
  ['error_log info, server', inServer('error_log /dev/null info;'), `${SERVER}:8`, /tokens/],
  ['error_log info, default server', beside(`server { ${other} error_log /dev/null info; }`), `${SERVER}:1`, /tokens/],
  ['underscores', beside(`server { ${other} underscores_in_headers on; }`), `${SERVER}:1`, /X_Forwarded_User/],
  ['invalid headers', beside(`server { ${other}\nignore_invalid_headers off; }`), `${SERVER}:2`, /invalid names reach/],
  ['small buffers', beside(`server { ${other} large_client_header_buffers 4 4k; }`), `${SERVER}:1`, /long tokens/],
  [
    'an old script',
    inHttp('js_import old from /etc/nginx/old.js;'),
    `${HTTP}:1`,
    /services can set the gateway's cookies/,
  ],
  ['js_fetch_keepalive', inHttp('js_fetch_keepalive 4;'), `${HTTP}:1`, /unverified/],
  ['break', beforeInclude('if ($http_x = "") { break; }'), `${SERVER}:7`, /paths that are not canonical/],
  ['return', inServer('return 200;'), `${SERVER}:8`, /no route of the policy/],
  ['return in if', inServer('if ($uri !~ ^/page) { return 200; }'), `${SERVER}:8`, /unchecked/],
  ['rewrite', inServer('if (!-f $request_filename) { rewrite ^(.*)$ /x last; }'), `${SERVER}:8`, /check's own request/],
  ['set', beforeInclude('set $meshgate_odd "";'), `${SERVER}:7`, /\$meshgate_odd/],
  ['the credential', inServer('set $http_authorization "Bearer x";'), `${SERVER}:8`, /credential/],
  ['map', inHttp('map $uri $meshgate_odd { default ""; }'), `${HTTP}:1`, /\$meshgate_odd/],
  [
    'auth_request off',
    inServer('location /x/ { auth_request off; proxy_pass http://127.0.0.1; }'),
    `${SERVER}:8`,
    /without the policy/,
  ],
  [
    'satisfy any',
    inServer('location ~ x { satisfy any; allow all; proxy_pass http://127.0.0.1; }'),
    `${SERVER}:8`,
    /satisfy any/,
  ],
  ['a location of its own', inServer('location /x/ { root /var/www; }'), `${SERVER}:8`, /wiki\.test\/\*/],
  [
    'below /.meshgate/',
    inServer('location = /.meshgate/check/wiki.test/* { return 204; }'),
    `${SERVER}:8`,
    /answers instead of the check/,
  ],
  [
    'a way around',
    beside('server { server_name wiki.test; location / { proxy_pass http://127.0.0.1; } }'),
    `${SERVER}:1`,
    /does not include/,
  ],
  ['no TLS', inServer('listen 80;'), `${SERVER}:8`, /without TLS/],
  [
    'a service, by another server',
    beside('server { listen 81; set $to wiki:8443;\nlocation / { proxy_pass https://$to; } }'),
    `${SERVER}:2`,
    /leads to the service wiki/,
  ],
  [
    'a socket of the gateway',
    beside('server { listen 81;\nlocation / { proxy_pass http://unix:/run/meshgate/egress.sock; } }'),
    `${SERVER}:2`,
    /leads to a socket of the gateway/,
  ],
  [
    'an earlier server of the name',
    beside(`server { ${other.replace(' default_server', '')} server_name wiki.test; return 200; }`),
    `${SERVER}:1`,
    /comes first/,
  ],
  ['files', inServer('location /static/ { auth_request off; root /; }'), `${SERVER}:8`, /serves files/],
  ['a password', inHttp('auth_basic x; auth_basic_user_file /x;'), `${HTTP}:1`, /refuses every token/],
  ['another method', inHttp('proxy_method DELETE;'), `${HTTP}:1`, /another method/],
  ['a credential by a map', inHttp('map $arg_t $http_authorization { default $arg_t; }'), `${HTTP}:1`, /credential/],
  ['an old script in the server', inServer('js_import old from /etc/nginx/old.js;'), `${SERVER}:8`, /cookies/],
  [
    'another name',
    () => ({ [SERVER]: files[SERVER]!.replace('name wiki.test', 'name wiki.example') }),
    `${SERVER}:1`,
    /wiki\.example/,
  ],
];

describe('warns of each weakness, and of nothing else', () => {
  for (const [what, change, at, says] of weaknesses) {
    test(what, async () => {
      const { warnings } = (await inspect(change())).inspection;
      expect(warnings.map(({ file, line, text }) => `${file}:${line} ${text}`)).toEqual([expect.stringMatching(says)]);
      expect(`${warnings[0]!.file}:${warnings[0]!.line}`).toBe(at);
    });
  }

  test('a host that no server includes', async () => {
    const more = `${policy}  more.test:\n    /*: { service: wiki, allow: [staff] }\n`;
    const { warnings } = (await inspect({ [POLICY]: more })).inspection;
    expect(warnings.map(({ file, text }) => `${file} ${text}`)).toEqual([
      // The other server has the metadata of all hosts.
      expect.stringMatching(/http\.conf this line is not what meshgate renders from the policy now$/),
      // Each line of the log has the digest of the policy.
      expect.stringMatching(/log\.conf this line is not what meshgate renders from the policy now$/),
      `${POLICY} hosts."more.test": no server of this nginx includes hosts/more.test.conf`,
      expect.stringMatching(/policy\.js this line is not what meshgate renders from the policy now$/),
    ]);
  });

  test('a missing http.conf, so that no server has it either', async () => {
    const { warnings } = (await inspect({ [HTTP]: '', [SERVER]: '' })).inspection;
    expect(warnings.map(({ file, line }) => `${file}:${line}`)).toEqual([`${MAIN}:13`, `${POLICY}:11`]);
  });

  test.each([
    ['rule', ['group: staff', 'group: crew'], ['log.conf', 'policy.js']],
    ['route', ['/status', '/state'], ['http.conf', 'log.conf', 'hosts/wiki.test.conf', 'policy.js']],
  ] as const)('another %s: the files that it changes', async (_, [from, to], files) => {
    const { warnings } = (await inspect({ [POLICY]: policy.replace(from, to) })).inspection;
    expect(warnings.map(({ file }) => file.replace('/etc/nginx/meshgate/', ''))).toEqual(files);
    for (const { text } of warnings) expect(text).toMatch(/renders from the policy now/);
  });
});

const around = inServer('location /x/ { auth_request off; proxy_pass http://127.0.0.1; }');

test.each<[string, () => Files]>([
  ['nothing', () => ({})],
  ['a location without the check', around],
  ['an old script', inHttp('js_import old from /etc/nginx/old.js;')],
  ['another rule', () => ({ [POLICY]: policy.replace('group: staff', 'group: crew') })],
])('the command says the same on njs: %s', async (_, change) => {
  const { inspection } = await inspect(change());
  expect(await inspectThere()).toEqual(inspection);
});

test('the command says the same about the folder, on njs', async () => {
  const { inspection } = await inspect(around());
  expect(
    await inspectThere(
      `njs -n QuickJS -m /usr/lib/meshgate/cli.js validate --format json --nginx /etc/nginx ${POLICY}`,
    ),
  ).toEqual(inspection);
});

test('the command says the same about a copy of the folder, on Node', async () => {
  const { inspection, dump } = await inspect(around());
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-validate-'));
  try {
    const all = { ...Object.fromEntries([...readDump(dump)].map(([name, { text }]) => [name, text])), ...scripts };
    for (const [name, text] of Object.entries(all)) {
      const path = join(folder, name.replace('/etc/nginx/', 'copy/'));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    writeFileSync(join(folder, 'meshgate.yaml'), policy);
    const command = ['validate', '--format=json', '--nginx', join(folder, 'copy'), '--nginx-prefix=/etc/nginx'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [
      'dist/cli.js',
      ...command,
      join(folder, 'meshgate.yaml'),
    ]);
    expect(status, String(stderr)).toBe(1);
    expect(JSON.parse(String(stdout)).nginx).toEqual(inspection);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a folder is read in the order of nginx -T', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-validate-'));
  try {
    const odd: Files = {
      'nginx.conf':
        'include a/*.conf; events {} http { include b*/?.conf; include b2/[!a-c].conf; include none/*; include "c d.conf"; include a/z.conf; }',
      ...Object.fromEntries(['a/z.conf', 'a/B.conf', 'a/.h.conf', 'a/é.conf', 'a/x.con'].map((name) => [name, '# a'])),
      ...Object.fromEntries(
        ['b2/x.conf', 'b2/b.conf', 'b1/y.conf', 'b1/yy.conf', 'c d.conf'].map((name) => [name, '']),
      ),
      'b2/e.conf': 'include b1/yy.conf;',
    };
    for (const [name, text] of Object.entries(odd)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    await box.write(Object.fromEntries(Object.entries(odd).map(([name, text]) => [`/root/odd/${name}`, text])));
    const dump = readDump(await sh('nginx -T -c /root/odd/nginx.conf 2>/dev/null'));
    const read = readFolder(folder, '/root/odd', {
      read: (path) => readFileSync(path, 'utf8'),
      names: (path) => (existsSync(path) ? readdirSync(path).sort() : []),
      reason: String,
    });
    expect([...read.keys()]).toEqual([...dump.keys()]);
    expect(dump.size).toBe(Object.keys(odd).length - 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('reads text as nginx does', () => {
  /** Words of nginx's `types`, which takes any, and what they are. nginx warns of an extension that has a type
   * already, so that it says which words it has read. */
  const accepted: readonly string[] = [
    'b c d',
    'b "c;d" e',
    `b 'c{d}' "e'f" 'g"h'`,
    'b "c\\"d" \'e\\\'f\'',
    'b c\\;d e\\ f \\{g',
    'b "\\t\\n\\r\\x\\\\"',
    'b ${c}d ${{e}} $f',
    'b "${c" "$d" $',
    'b c"d e\'f g#h',
    'b c # d; }\ne "#f"',
    'b\r\nc\td',
    'b "c\nd" \'\' e',
    'b c}d',
    'b é "ö ü" \u00a0c \ufeffd',
    'b "c")d',
    'b (c) "d" )',
  ];
  /** Texts that nginx rejects. */
  const rejected: readonly string[] = [
    'a b',
    'a "b"c;',
    'a "b;',
    "a 'b;",
    'a b }',
    'a b }e;',
    '}',
    ';',
    '{ }',
    'a { b; ',
    'a b\\',
    'a "b\\";',
    '# c\na "b"{" c',
    'a\u000b;b',
  ];

  test('words of accepted texts', async () => {
    const twice = accepted.map((text, i) => {
      const { nodes, unreadable } = readConf('f', `${text};`);
      expect(unreadable, text).toBeUndefined();
      expect(nodes).toHaveLength(1);
      const quoted = nodes[0]!.args.map((word) => `"${word.replace(/["\\]/g, '\\$&')}"`);
      return { words: quoted, conf: `location /${i} { types { ${text};\nagain ${quoted.join(' ')}; } }\n` };
    });
    await box.write({
      '/root/odd/words.conf': `events {} http { server {\n${twice.map(({ conf }) => conf).join('')}} }`,
    });
    const reported = await sh('nginx -t -c /root/odd/words.conf 2>&1');
    expect(reported).toContain('syntax is ok');
    expect(reported.match(/duplicate extension/g)).toHaveLength(twice.flatMap(({ words }) => words).length);
  });

  test('rejected texts', async () => {
    // nginx names the first directive that it does not know, unless the syntax before it is wrong.
    for (const text of rejected) expect(readConf('f', text).unreadable, text).toBeDefined();
    await box.write(Object.fromEntries(rejected.map((text, i) => [`/root/odd/rejected/${i}.conf`, text])));
    const reported = await sh('cd odd/rejected; for f in $(ls | sort -n); do nginx -t -c $PWD/$f 2>&1 | head -1; done');
    expect(
      reported
        .trim()
        .split('\n')
        .filter((line) => !/unexpected|unknown directive|invalid parameter/.test(line)),
    ).toEqual([]);
  });

  test.each(['\ufeffevents {}', '\u00a0events {}'])(
    'a mark before the first word is a part of it: %j',
    async (text) => {
      await box.write({ '/root/odd/mark.conf': text });
      const name = readConf('f', text).nodes[0]!.name;
      expect(await sh('nginx -t -c /root/odd/mark.conf 2>&1 || true')).toContain(`unknown directive "${name}"`);
    },
  );
});

test('the command prints the same on Node, and the parts that it could not compare', async () => {
  const { inspection, dump } = await inspect(around());
  expect(inspection.warnings).toHaveLength(1);
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-validate-'));
  try {
    writeFileSync(join(folder, 'meshgate.yaml'), policy);
    const command = [
      process.execPath,
      'dist/cli.js',
      'validate',
      '--format=json',
      '--nginx=-',
      join(folder, 'meshgate.yaml'),
    ];
    const reported = execFileSync('sh', ['-c', '"$@" || test $? = 1', 'sh', ...command], {
      input: dump,
      stdio: 'pipe',
    });
    expect(JSON.parse(reported.toString()).nginx).toEqual({ ...inspection, unread: '/etc/nginx/meshgate/policy.js' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('each weakness that it warns of is real', () => {
  const service =
    'server { listen 127.0.0.1:9000; add_header X-Got "$request_method $http_x_got $content_length"; return 200 reached; }';
  const pass = 'proxy_pass http://127.0.0.1:9000;';

  const direct = policy
    .replace(/wiki: \{ url: .*/, 'wiki: { insecure_url: "http://127.0.0.1:9000" }')
    .replace('/*:', '/page/*:')
    .replace('/status:', '/status/*:');

  beforeAll(async () => {
    await sh(render, { [POLICY]: direct });
  });

  /** Sends an anonymous request to that nginx: the status, and whether the service received it. */
  async function ask(
    change: () => Files,
    path: string,
    { port = 443, headers = {} }: { port?: number; headers?: Record<string, string> } = {},
  ): Promise<[status: number, reached: boolean, got: string | undefined]> {
    const changed = change();
    const http = `${service}\n${changed[HTTP] ?? files[HTTP]}`;
    await sh('nginx', { ...files, ...changed, [POLICY]: direct, [HTTP]: http });
    try {
      const target = { host: box.host, port, tls: port === 443, name: 'wiki.test', ca: stage.ca.cert };
      const { status, text, headers: got } = await send(target, { path, headers });
      const received = got.find(([name]) => name.toLowerCase() === 'x-got')?.[1];
      return [status, text === 'reached', received];
    } finally {
      await sh('nginx -s stop; while [ -e /run/nginx.pid ]; do sleep 0.05; done; rm -f /run/meshgate/*.sock');
    }
  }

  test.each<[string, () => Files, string, [number, boolean]]>([
    ['nothing: a route of staff', () => ({}), '/page/x', [401, false]],
    ['nothing: an odd path', () => ({}), '/status/..;/page/x', [400, false]],
    ['return in if', inServer('if ($uri !~ ^/page) { return 200; }'), '/page/x', [503, false]],
    ['rewrite', inServer('rewrite ^/\\.m /ok last; location = /ok { return 200; }'), '/page/x', [503, false]],
    ['break', beforeInclude('if ($http_x = "") { break; }'), '/status/..;/page/x', [200, true]],
    ['set', beforeInclude('set $meshgate_odd "";'), '/status/..;/page/x', [200, true]],
    ['auth_request off', inServer(`location /page/x { auth_request off; ${pass} }`), '/page/x', [200, true]],
    ['satisfy any', inServer(`location /page/x { satisfy any; allow all; ${pass} }`), '/page/x', [200, true]],
    ['below /.meshgate/', inServer('location /.meshgate/check/wiki { return 204; }'), '/page/x', [503, false]],
    ['a location of its own', inServer(`location /status/ { ${pass} }`), '/status/x', [404, false]],
    [
      'an earlier server of the name',
      beside(`server { ${other.replace(' default_server', '')} server_name wiki.test; return 200; }`),
      '/page/x',
      [200, false],
    ],
    ['files', inServer('location /page/x/ { auth_request off; alias /etc/; }'), '/page/x/hostname', [200, false]],
    ['a password', inHttp('auth_basic x; auth_basic_user_file /etc/hostname;'), '/status/x', [401, false]],
  ])('%s', async (_, change, path, came) => expect((await ask(change, path)).slice(0, 2)).toEqual(came));

  test.each<[string, () => Files]>([
    ['its address', beside(`server { listen 81; location / { ${pass} } }`)],
    [
      'an upstream',
      beside('upstream a { server localhost:9000; } server { listen 81; location / { proxy_pass http://a; } }'),
    ],
    ['a variable', beside('server { listen 81; set $a 127.0.0.1:9000; location / { proxy_pass http://$a; } }')],
    ['a rendered upstream', beside('server { listen 81; location / { proxy_pass http://meshgate_direct_wiki; } }')],
  ])('another server that leads to a service by %s', async (_, change) => {
    expect((await ask(change, '/page/x', { port: 81 })).slice(0, 2)).toEqual([200, true]);
  });

  test('a way to a socket of the gateway: clients ask the check itself', async () => {
    const change = beside('server { listen 81; location / { proxy_pass http://meshgate_check; } }');
    const requested = await ask(change, '/.meshgate/check/wiki.test/page/*', {
      port: 81,
      headers: { 'X-Meshgate-Method': 'GET' },
    });
    expect(requested[0]).toBe(401);
  });

  test('no TLS: the policy decides on a port without encryption', async () => {
    expect((await ask(inServer('listen 81;'), '/status/x', { port: 81 })).slice(0, 2)).toEqual([200, true]);
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'GET yes '],
    ['proxy_method', 'proxy_method DELETE;', 'DELETE yes '],
    ['proxy_set_body', 'proxy_set_body hello;', 'GET yes 5'],
    ['proxy_pass_request_headers', 'proxy_pass_request_headers off;', 'GET  '],
  ])('what a service receives: %s', async (_, line, received) => {
    expect((await ask(inHttp(line), '/status/x', { headers: { 'X-Got': 'yes' } }))[2]?.trimEnd()).toBe(
      received.trimEnd(),
    );
  });

  test('a credential by a map: the check reads another one', async () => {
    const map = inHttp('map $arg_t $http_authorization { default "Bearer x"; }');
    expect((await ask(map, '/status/x'))[0]).toBe(401);
  });

  test.each<[string, () => Files, string, number]>([
    [
      'slashes that nginx does not merge, mirrors, SSI',
      inHttp('ssi on; mirror /page/x; merge_slashes off; proxy_set_header X-Got no;'),
      '/page/x',
      401,
    ],
    [
      'error pages',
      inServer('error_page 401 =200 /ok; location = /ok { auth_request off; return 200; }'),
      '/page/x',
      401,
    ],
    ['an expression with its own service', inServer(`location ~ /page { auth_request off; ${pass} }`), '/page/x', 401],
  ])('no weakness: %s', async (_, change, path, status) => expect((await ask(change, path))[0]).toBe(status));
});
