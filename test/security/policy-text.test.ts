/**
 * THREATS.md, "Which request was decided": policy text cannot inject into nginx.conf, a regular expression or JavaScript.
 * Hostile text in every place of a policy is refused, or becomes a configuration that nginx reads and that has no
 * directive more.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../src/policy/index.ts';
import { compile } from '../../src/rules/compile.ts';
import { nginxOptions } from '../../src/targets/nginx/options.ts';
import { renderNginx } from '../../src/targets/nginx/render.ts';
import { bareImage, startContainer, testStage } from '../harness/index.ts';
import { gatewayFiles } from '../harness/policy.ts';
import { type Parsed, readConf } from '../unit/targets/nginx/read.ts';

/** A policy with one text in one place. */
const places: Record<string, (text: string) => object> = {
  'a role': (text) => policy({ roles: { [text]: { group: 'a' } }, allow: [text] }),
  'a group': (text) => policy({ roles: { r: { group: text } }, allow: ['r'] }),
  'a claim': (text) => policy({ roles: { r: { claim: text, is: 'a' } }, allow: ['r'] }),
  'the value of a claim': (text) => policy({ roles: { r: { claim: 'a', is: text } }, allow: ['r'] }),
  'a scope': (text) => policy({ roles: { r: { scope: text } }, allow: ['r'] }),
  'a provider': (text) => policy({ providers: { [text]: { issuer: 'https://a.test', audiences: ['a'] } } }),
  'an issuer': (text) => policy({ providers: { p: { issuer: `https://a.test/${text}`, audiences: ['a'] } } }),
  'an audience': (text) => policy({ providers: { p: { issuer: 'https://a.test', audiences: [text] } } }),
  'a prefix of subjects': (text) =>
    policy({ providers: { p: { issuer: 'https://a.test', audiences: ['a'], subject: { prefix: text } } } }),
  'a CA file': (text) =>
    policy({ providers: { p: { issuer: 'https://a.test', audiences: ['a'], ca_file: `/run/f-${text}` } } }),
  'a service': (text) => policy({ services: { [text]: { insecure_url: 'http://wiki:8080' } }, service: text }),
  'the URL of a service': (text) => policy({ services: { wiki: { insecure_url: `http://${text}:8080` } } }),
  'an authority': (text) => policy({ services: { wiki: { insecure_url: 'http://wiki:8080', authority: text } } }),
  'the name of a certificate': (text) =>
    policy({ services: { wiki: { url: 'https://wiki:8443', ca_file: '/run/ca.pem', server_name: text } } }),
  'a header': (text) => policy({ headers: { [text]: 'subject' } }),
  'the value of a header': (text) =>
    policy({ roles: { r: { group: 'a' } }, allow: ['r'], headers: { 'X-A': { first_role: { r: text }, else: text } } }),
  'the claim of a header': (text) => policy({ headers: { 'X-A': { claim: text } } }),
  'a host': (text) => policy({ host: text }),
  'a wildcard host': (text) => policy({ host: `*.${text}` }),
  'an exact path': (text) => policy({ path: `/${text}` }),
  'a prefix path': (text) => policy({ path: `/${text}/*` }),
  'a DNS server': (text) => policy({ gateway: { resolver: [text] } }),
  'a trusted proxy': (text) => policy({ gateway: { trusted_proxies: [text] } }),
  'a certificate file': (text) =>
    policy({ gateway: { tls: { cert_file: `/run/f-${text}`, key_file: `/run/f-${text}` } } }),
};

function policy(given: Record<string, unknown>): object {
  const { gateway = {}, host = 'wiki.test', path = '/*', service = 'wiki', allow = ['authenticated'], ...rest } = given;
  return {
    version: 1,
    gateway: {
      resolver: ['127.0.0.11'],
      tls: { cert_file: '/run/tls.crt', key_file: '/run/tls.key' },
      ...(gateway as object),
    },
    providers: { p: { issuer: 'https://a.test', audiences: ['a'] } },
    services: { wiki: { insecure_url: 'http://wiki:8080' } },
    hosts: { [host as string]: { [path as string]: { service, allow } } },
    ...rest,
  };
}

const hostile = [
  '; evil on;',
  '"; evil on; #',
  "'; evil on; #",
  '} evil { on',
  '{{ evil }}',
  'a\nevil on;',
  'a\r\nevil on;',
  'a\\',
  'a\\"',
  '$evil',
  '${evil}',
  '$request_uri',
  '~^evil',
  '~*.*',
  '^~ /',
  '= /',
  'a b',
  'a b default_server',
  '#evil',
  '(?<evil>.*)',
  '.*',
  'a*b',
  '%0a',
  '\0',
  '\u2028',
  'é',
  '`${evil()}`',
  '</script>',
  '*/ evil(); /*',
  '__proto__',
  'constructor',
  'default',
  'include',
  'volatile',
  'hostnames',
  'off',
  'on',
  'none',
  '_',
  '-',
  '.',
  '@evil',
  '"',
  "'",
  'unix:/run/meshgate/check.sock',
  'data:evil',
  'engine:evil',
  'a.b-c_d~e',
  'a(b)!c,d=e+f:g@h~i&j',
  'x'.repeat(200),
] as const;

const options = nginxOptions({ dir: '/etc/nginx/meshgate', accessLog: '/dev/stdout' });

function rendered(given: object): Readonly<Record<string, string>> | undefined {
  const { policy: parsed } = parsePolicy(JSON.stringify(given), 'meshgate.yaml');
  return parsed === undefined ? undefined : renderNginx(parsed, compile(parsed), options).files;
}

/** Names of directives; the keys of maps are data. */
function directives(tree: readonly Parsed[]): string[] {
  return tree.flatMap(({ words, block = [] }) => [words[0] ?? '', ...(words[0] === 'map' ? [] : directives(block))]);
}

const namesIn = (files: Readonly<Record<string, string>>) =>
  new Set(
    Object.entries(files)
      .filter(([path]) => path.endsWith('.conf'))
      .flatMap(([, text]) => directives(readConf(text))),
  );

const accepted = Object.entries(places).flatMap(([place, make]) =>
  hostile.flatMap((text) => {
    const files = rendered(make(text));
    return files === undefined ? [] : [{ place, text, files }];
  }),
);

test('most of it is rejected, and some of it is accepted', () => {
  const tried = Object.keys(places).length * hostile.length;
  expect(accepted.length).toBeGreaterThan(50);
  expect(accepted.length).toBeLessThan(tried / 2);
  // Nearly all text is accepted where text is free.
  expect(accepted.filter(({ place }) => place === 'an audience').length).toBeGreaterThan(hostile.length - 10);
  // Elsewhere, no text that could end a word is accepted.
  const careful = accepted.filter(({ place }) => !/group|claim|scope|audience|value|prefix of/.test(place));
  expect(careful.filter(({ text }) => /[\s;{}"'\\$#`]/.test(text))).toEqual([]);
});

test('an accepted text adds no directive', () => {
  const more = [
    policy({ headers: { 'X-A': 'subject' }, gateway: { trusted_proxies: ['10.0.0.0/8'] } }),
    policy({ host: 'a-host-with-a-name-that-is-longer-than-most.test', path: '/a' }),
    policy({ services: { wiki: { url: 'https://wiki:8443', ca_file: '/run/ca.pem', server_name: 'a' } } }),
  ];
  const known = new Set(more.flatMap((one) => [...namesIn(rendered(one)!)]));
  for (const { place, text, files } of accepted) {
    expect(
      [...namesIn(files)].filter((name) => !known.has(name)),
      `${place}: ${text}`,
    ).toEqual([]);
  }
});

describe('nginx can read the result', async () => {
  const stage = await testStage('policy text');
  const files: Record<string, string> = {
    '/etc/nginx/try.conf': `load_module modules/ngx_http_js_module.so; error_log stderr notice; events {}
      http { include /etc/nginx/meshgate/http.conf; include /etc/nginx/meshgate/servers.conf; }`,
  };
  const bundle = readdirSync('dist').filter((name) => name.endsWith('.js') && name !== 'cli.js');
  // Of a bundle only the rendered tables that it imports: nginx reads the code of the bundles in many other tests.
  for (const name of bundle) {
    const tables = readFileSync(join('dist', name), 'utf8').match(/\bimport \w+ from"\.\/[\w-]+\.js"/g) ?? [];
    files[`/usr/lib/meshgate/${name}`] = `${tables.join(';')};export default {}`;
  }
  // Equal renderings (an audience is only in policy.js) are tried once. The digest of the policy always differs.
  const different = new Map(
    accepted.map((one) => {
      const [, digest = ''] = /"meshgate\.policy":"(\w+)"/.exec(one.files['log.conf'] ?? '') ?? [];
      const text = JSON.stringify({ ...one.files, 'policy.js': '' }).replaceAll(digest, 'digest');
      return [text + (one.place === 'a group' ? one.text : ''), one];
    }),
  );
  const tries = [...different.values()];
  for (const [i, { files: some, place, text }] of tries.entries()) {
    for (const [path, content] of Object.entries(some)) files[`/tries/${i}/${path}`] = content;
    const parsed = parsePolicy(JSON.stringify(places[place]!(text)), 'meshgate.yaml').policy!;
    Object.assign(files, await gatewayFiles(parsed, stage));
  }
  const box = await startContainer(stage, {
    image: bareImage,
    alias: 'nginx',
    user: 'root',
    entrypoint: ['sh', '-c', 'mkdir -p /run/meshgate /var/lib/meshgate && echo ready && exec sleep infinity'],
    ready: /^ready/m,
    files,
  });

  test(`${tries.length} different ones`, async () => {
    const { stdout } = await box.exec(
      'sh',
      '-c',
      `for i in $(seq 0 ${tries.length - 1}); do
         rm -rf /etc/nginx/meshgate; cp -r /tries/$i /etc/nginx/meshgate; cp /usr/lib/meshgate/*.js /etc/nginx/meshgate/
         said=$(nginx -t -q -c /etc/nginx/try.conf 2>&1) && [ -z "$said" ] || echo "$i: $said"
       done; echo done`,
    );
    const failed = stdout.trim().split('\n');
    expect(failed.pop()).toBe('done');
    expect(failed.map((line) => `${line} ${JSON.stringify(tries[Number(line.split(':')[0])]?.text)}`)).toEqual([]);
  });
});
