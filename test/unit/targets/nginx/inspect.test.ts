import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { joinDump } from '../../../../src/targets/nginx/inspect/dump.ts';
import { readConf, readDump } from '../../../../src/targets/nginx/inspect/read.ts';
import { inspectNginx } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { holds } from '../../../harness/property.ts';
import { cases, goldenPolicy, render } from './golden.ts';
import { readConf as readByTest } from './read.ts';

const DIR = '/etc/nginx/meshgate';
const text = `version: 1
gateway: { insecure_http: true }
providers:
  idp: { issuer: https://idp.test, audiences: [wiki] }
services:
  wiki: { insecure_url: "http://127.0.0.1:9000" }
hosts:
  wiki.test:
    /rest/*: { service: wiki, allow: [authenticated] }
    /status: { service: wiki, allow: [anyone] }
`;
const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
if (policy === undefined) throw new Error(JSON.stringify(errors));
const rules = compile(policy);
const { files } = render(policy);

const dumped = (parts: Readonly<Record<string, string>>): string =>
  Object.entries(parts)
    .map(([name, content]) => `# configuration file ${name}:\n${content}\n`)
    .join('');

interface Around {
  readonly http?: string;
  readonly before?: string;
  readonly after?: string;
  readonly beside?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly name?: string;
}

/** The dump of a small nginx around the rendered files; each addition has a line of its own. */
function dump({
  http = '',
  before = '',
  after = '',
  beside = '',
  files: more = {},
  name = 'wiki.test',
}: Around): string {
  return dumped({
    '/etc/nginx/nginx.conf': `error_log /var/log/e notice;
http {
${http}
include meshgate/http.conf;
${beside}
server { listen 443; server_name ${name};
${before}
include meshgate/host[s]/wiki.*;
${after}
} }`,
    ...Object.fromEntries(
      Object.entries(files)
        .filter(([file]) => file.endsWith('.conf') && file !== 'servers.conf')
        .map(([file, content]) => [`${DIR}/${file}`, content]),
    ),
    ...more,
  });
}

const inspect = (
  around: Around,
  read: (path: string) => string | undefined = (path) => files[path.slice(DIR.length + 1)],
) => inspectNginx(dump(around), policy, rules, read);
const lines = (around: Around) => inspect(around)?.warnings.map(({ line, text }) => `${line} ${text}`);

describe('reading', () => {
  test('quotes, escapes, comments, ${}, and the line of each directive', () => {
    const { nodes, unreadable } = readConf('f', `a "b;\\"" 'c{' d\\;e; # no; {\nif (\${x}y = "") {\n  f\n g#h;\n}\n`);
    expect(unreadable).toBeUndefined();
    expect(nodes).toEqual([
      { name: 'a', args: ['b;"', 'c{', 'd\\;e'], file: 'f', line: 1 },
      {
        name: 'if',
        args: ['(${x}y', '=', '', ')'],
        file: 'f',
        line: 2,
        block: [{ name: 'f', args: ['g#h'], file: 'f', line: 3 }],
      },
    ]);
  });

  test.each([
    ['a', 1],
    ['a;\n"b', 2],
    ['a "b"c;', 1],
    ['a;\n\n}', 3],
    ['a {\nb;', 2],
    [';', 1],
    ['a { b }', 1],
    ['{', 1],
  ])('a text that nginx refuses is reported with its line: %j', (conf, line) => {
    expect(readConf('f', conf).unreadable).toBe(line);
  });

  test('a block of Lua is one directive, whatever braces its strings and comments contain', () => {
    const lua = `x_by_lua_block {\n local a = "}" -- }\n if a then b = [[ } ]] else c = { '\\'}' } end --[=[ } ]] ]=]\n}\nnext;`;
    const { nodes, unreadable } = readConf('f', lua);
    expect(unreadable).toBeUndefined();
    expect(nodes.map(({ name, line }) => `${line} ${name}`)).toEqual(['1 x_by_lua_block', '5 next']);
    expect(readConf('f', 'a;\nx_by_lua_block { "}" ').unreadable).toBe(2);
  });

  test('a rendered file is read as by another reader', () => {
    const words = (nodes: readonly { name: string; args: readonly string[]; block?: unknown }[]): unknown =>
      nodes.map(({ name, args, block }) => ({
        words: [name, ...args],
        ...(block !== undefined && { block: words(block as never) }),
      }));
    for (const name of cases) {
      for (const [file, content] of Object.entries(render(goldenPolicy(name)).files)) {
        if (file.endsWith('.conf')) expect(words(readConf(file, content).nodes)).toEqual(readByTest(content));
      }
    }
  });

  test('never throws, whatever it is given', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      ';',
      '"',
      "'",
      '\\',
      '${',
      '#',
      '\n',
      ' ',
      'http',
      'server',
      'include *;',
      'if (',
      '~ (',
      'location',
      'rewrite [',
      '# configuration file /a:\n',
      '\u0000',
      'é',
    );
    holds(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const conf = pieces.join('');
        readConf('f', conf);
        inspectNginx(`# configuration file /a:\n${conf}`, policy, rules, () => undefined);
        inspect({ http: conf });
        inspect({ before: conf });
      }),
      60,
    );
    expect(readConf('f', 'a {'.repeat(100_000)).unreadable).toBe(1);
  });

  test('files that include each other are read to an end', () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`/e/${i}`, `include /e/${i + 1}; include /e/${i + 1};`]),
    );
    expect(joinDump(readDump(dumped({ ...doubling, '/e/40': 'a; include /e/0;' }))).main.length).toBeLessThan(200_000);
  });

  test('a text that is not a dump', () => {
    expect(inspectNginx('nginx: [emerg] no such file', policy, rules, () => undefined)).toBeUndefined();
    expect(inspectNginx('', policy, rules, () => undefined)).toBeUndefined();
  });

  test('a file that cannot be read is reported', () => {
    expect(lines({ files: { '/etc/nginx/odd.conf': 'a "b' } })).toEqual([
      expect.stringMatching(/^1 meshgate cannot read/),
    ]);
  });
});

describe('no warning', () => {
  test.each<[string, Around]>([
    ['as it is', {}],
    ['error_log info of main, and notice in http', { http: 'error_log /var/log/e notice;' }],
    [
      'a server of another socket',
      { beside: 'server { listen 127.0.0.1:443 default_server; underscores_in_headers on; }' },
    ],
    [
      'underscores off again',
      { http: 'underscores_in_headers on;', beside: 'server { listen 443; underscores_in_headers off; }' },
    ],
    ['a return in a location', { after: 'location /rest/x { return 200; }' }],
    ['break after the include', { after: 'if ($a) { break; }' }],
    ['a return 2xx by the method', { before: 'if ($request_method = OPTIONS) { return 204; }' }],
    ['a refusal of some', { before: 'if ($uri ~ "^/private") { return 403; }' }],
    ['a location of no route', { after: 'location /other/ { root /var/www; } location /stat { return 404; }' }],
    ['a named location', { after: 'location @x { root /; }' }],
    ['a name by a pattern', { name: '"~^(.+)\\.test$"' }],
    ['a name by a star', { name: '*.test' }],
    ['no name, for whatever comes', { name: '_' }],
    ['an exact file', { after: 'location = /rest/robots.txt { auth_request off; root /; }' }],
    [
      'another service',
      {
        http: 'upstream a { server 127.0.0.1:9001; }',
        beside: 'server { listen 81; location / { proxy_pass http://a; } }',
      },
    ],
    [
      'the service, for this machine',
      { beside: 'server { listen 127.0.0.1:81; location / { proxy_pass http://127.0.0.1:9000; } }' },
    ],
    [
      'a server of the host that comes later',
      { http: '', after: '} server { listen 443; server_name wiki.test; return 200;' },
    ],
    ['the name at another socket', { beside: 'server { listen 444; server_name wiki.test; return 200; }' }],
    ['settings of other servers', { beside: 'server { listen 81; auth_basic x; proxy_method GET; }' }],
    ['a setting that is off again', { http: 'auth_basic x;', before: 'auth_basic off;' }],
    ['a script that cannot be read here', { http: 'js_import x from x.js;' }],
  ])('%s', (_, around) => {
    expect(inspect(around)).toEqual({ warnings: [] });
  });
});

describe('a warning', () => {
  test.each<[string, Around, RegExp]>([
    ['error_log debug_http', { http: 'error_log /var/log/e debug_http;' }, /^3 "error_log … debug_http"/],
    ['error_log in a location', { after: 'location = /x { error_log /x info; }' }, /^9 "error_log/],
    [
      'underscores of http, for the first server of the socket',
      { http: 'underscores_in_headers on;', beside: 'server { listen *:443; }' },
      /^3 underscores/,
    ],
    ['js_engine njs', { beside: 'server { listen 1; js_engine njs; }' }, /^5 js_engine njs.*will not start/],
    [
      'a group that is a variable of the gateway',
      { before: 'if ($args ~ "(?<meshgate_odd>x)") { set $a 1; }' },
      /^7 if changes \$meshgate_odd/,
    ],
    [
      'a return 2xx where the query is empty',
      { before: 'if ($args = "") { return 204; }' },
      /^7 this return.*204 lets/,
    ],
    ['a return 2xx by a variable of their own', { before: 'if ($health) { return 200; }' }, /^7 this return.*200 lets/],
    ['a refusal of the rest', { before: 'if ($uri !~ ^/rest) { return 403; }' }, /^7 this return.*nothing passes/],
    [
      'a location that is a piece of a route',
      { after: 'location /re { root /; }' },
      /^9 location \/re receives requests of the route wiki\.test\/rest\/\*/,
    ],
    [
      'a location within a route',
      { after: 'location ^~ /rest/a/ { root /; }' },
      /^9 location \^~ \/rest\/a\/ receives/,
    ],
    [
      'an exact location',
      { after: 'location =/status { root /; }' },
      /^9 location =\/status receives requests of the route wiki\.test\/status,/,
    ],
    [
      'an opened location in another',
      { after: 'location /x/ {\nlocation /x/y { auth_request off; grpc_pass a; } }' },
      /^10 location \/x\/y answers by grpc_pass/,
    ],
    [
      'a location that asks another server',
      { after: 'location /x/ { auth_request /auth; proxy_pass http://a; }' },
      /auth_request \/auth/,
    ],
    [
      'another name',
      { name: 'other.test' },
      /^6 this server includes hosts\/wiki\.test\.conf and has the name other\.test/,
    ],
    [
      'a service, at another server',
      { beside: 'server { listen 81; location / {\nproxy_pass http://localhost:9000/x; } }' },
      /^6 proxy_pass http:\/\/localhost:9000\/x leads to the service wiki without the policy/,
    ],
    [
      'a service, by an upstream',
      {
        http: 'upstream a { server 127.0.0.1:9000; }',
        beside: 'server { listen 81; location / { grpc_pass grpc://a; } }',
      },
      /^5 grpc_pass grpc:\/\/a leads to the service wiki/,
    ],
    [
      'a service, by a variable',
      { beside: 'server { listen 81; set $a 127.0.0.1; location / { proxy_pass http://${a}:9000; } }' },
      /^5 proxy_pass http:\/\/\$\{a\}:9000 leads to the service wiki/,
    ],
    [
      'a service, by the upstream of the rendered files',
      { beside: 'server { listen 81; location / { proxy_pass http://meshgate_direct_wiki; } }' },
      /^5 proxy_pass http:\/\/meshgate_direct_wiki leads to the service wiki/,
    ],
    [
      'a service, by stream',
      { after: '} } stream { upstream a { server 127.0.0.1:9000; }\nserver { listen 82; proxy_pass a;' },
      /^10 proxy_pass a leads to the service wiki/,
    ],
    [
      'the socket of the check',
      {
        beside: 'server { listen 81; location / { proxy_pass http://meshgate_check; } }',
      },
      /^5 proxy_pass http:\/\/meshgate_check leads to a socket of the gateway/,
    ],
    [
      'a socket of the gateway',
      { beside: 'server { listen 81; location / { proxy_pass http://unix:/run/meshgate/egress.sock:/idp; } }' },
      /^5 proxy_pass http:\/\/unix:\/run\/meshgate\/egress\.sock:\/idp leads to a socket/,
    ],
    [
      'an earlier server with the name',
      { beside: 'server { listen 443; server_name a wiki.test; root /; }' },
      /^5 this server has the name wiki\.test at the same socket as the server at \/etc\/nginx\/nginx\.conf:6/,
    ],
    [
      'files at a route',
      { after: 'location ^~ /rest/static/ { auth_request off; alias /; }' },
      /^9 location \^~ \/rest\/static\/ serves files without the policy \(auth_request off\) at paths of the route wiki\.test\/rest\/\*/,
    ],
    [
      'an opened location of Lua',
      { after: 'location /x/ { satisfy any; content_by_lua_block { ngx.say("}") } }' },
      /^9 location \/x\/ answers by content_by_lua_block/,
    ],
    [
      'a password in http {}',
      { http: 'auth_basic x;' },
      /^3 the locations of the hosts inherit auth_basic x, .*every token/,
    ],
    ['proxy_method', { before: 'proxy_method DELETE;' }, /^7 the locations of the hosts inherit proxy_method DELETE/],
    ['proxy_set_body', { http: 'proxy_set_body x;' }, /^3 the locations of the hosts inherit proxy_set_body/],
    [
      'no bodies',
      { after: 'proxy_pass_request_body off;' },
      /^9 .*proxy_pass_request_body off, which removes the bodies/,
    ],
    ['no headers', { http: 'proxy_pass_request_headers off;' }, /^3 .*proxy_pass_request_headers off, which removes/],
    [
      'a credential by a map',
      { http: 'map $arg_t $http_authorization { default "Bearer $arg_t"; }' },
      /^3 map makes \$http_authorization, which replaces the credential/,
    ],
    [
      'a way around',
      { beside: 'server { server_name WIKI.test; location / { fastcgi_pass a; } }' },
      /^5 the server of wiki\.test/,
    ],
  ])('%s', (_, around, says) => {
    expect(lines(around)).toEqual([expect.stringMatching(says)]);
  });

  test('an old script, if it can be read', () => {
    const read = (path: string) =>
      path === '/old/x.js' ? 'const c = require("crypto")' : files[path.slice(DIR.length + 1)];
    const warnings = inspect({ http: 'js_path /old; js_import x from x.js;' }, read)?.warnings;
    expect(warnings?.map(({ line, text }) => `${line} ${text}`)).toEqual([
      expect.stringMatching(/^3 the servers of the hosts have js_import x from x\.js/),
    ]);
  });
});

describe('the rendered files', () => {
  const changed = (file: string, by: (content: string) => string) => ({
    files: { [`${DIR}/${file}`]: by(files[file] as string) },
  });

  test('an edited file: the first line that differs', () => {
    expect(
      inspect(changed('server.conf', (content) => content.replace('satisfy all', 'satisfy any')))?.warnings,
    ).toEqual([
      {
        file: `${DIR}/server.conf`,
        line: (files['server.conf'] as string).split('\n').findIndex((one) => one.startsWith('satisfy all;')) + 1,
        text: 'this line is not what meshgate renders from the policy now',
        instead: 'render the policy again, and reload nginx',
      },
    ]);
  });

  test('a longer file, or one of a host that is gone', () => {
    expect(inspect(changed('http.conf', (content) => `${content}x;\n`))?.warnings).toHaveLength(1);
    const gone = (files['hosts/wiki.test.conf'] as string).replace('{} of wiki.test', '{} of old.test');
    expect(inspect({ files: { [`${DIR}/hosts/old.test.conf`]: gone } })?.warnings.map(({ text }) => text)).toEqual([
      'the policy needs no such file',
    ]);
  });

  test('options of the command are read from them', () => {
    const other = render(policy, {
      dir: '/opt/m',
      runDir: '/r',
      stateDir: '/s',
      accessLog: '/l',
      resolver: ['192.0.2.1', '[::1]:53'],
    }).files;
    const reported = dumped({
      '/etc/nginx/nginx.conf':
        'http { include /opt/m/http.conf; server { server_name wiki.test; include /opt/m/hosts/*; } }',
      ...Object.fromEntries(
        Object.entries(other)
          .filter(([file]) => file.endsWith('.conf') && file !== 'servers.conf')
          .map(([file, content]) => [`/opt/m/${file}`, content]),
      ),
    });
    expect(
      inspectNginx(reported, policy, rules, (path) => (path === '/opt/m/policy.js' ? other['policy.js'] : undefined)),
    ).toEqual({ warnings: [] });
  });

  test('policy.js: another one, or one that cannot be read', () => {
    expect(inspect({}, () => 'export default {};\n')?.warnings.map(({ file }) => file)).toEqual([`${DIR}/policy.js`]);
    expect(inspect({}, () => undefined)).toEqual({ warnings: [], unread: `${DIR}/policy.js` });
  });
});
