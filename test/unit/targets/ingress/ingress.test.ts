import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { ingressTargets } from '../../../../src/targets/ingress/index.ts';
import type { IngressOptions } from '../../../../src/targets/ingress/types.ts';
import { meshgate } from '../../cli/fake.ts';

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text, 'meshgate.yaml');
  if (!('policy' in parsed) || parsed.policy === undefined) throw new Error(JSON.stringify(parsed));
  return parsed.policy;
}

const SMALL = `version: 1
gateway: { resolver: [10.96.0.10] }
providers:
  idp: { issuer: https://login.example.com, audiences: [api://wiki] }
services:
  wiki: { insecure_url: "http://wiki.wiki.svc:80" }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [authenticated] }
    /a.b(c)/*: { service: wiki, allow: [authenticated] }
    /a.b(c)/d: { service: wiki, allow: [authenticated] }
  "*.apps.example.com":
    /x/*: { service: wiki, allow: [anyone] }
`;

const SESSIONS = SMALL.replace(
  'gateway: { resolver: [10.96.0.10] }',
  'gateway: { resolver: [10.96.0.10], session: { keys_file: /run/s.jwks }, tls: { cert_file: /run/tls.crt, key_file: /run/tls.key } }',
).replace('audiences: [api://wiki] }', 'audiences: [api://wiki], client: { id: g, secret_file: /run/secret } }');

const bundles = Object.fromEntries(
  ['meshgate.js', 'hop.js', 'signin.js', 'client.js', 'health.js', 'cookies.js', 'counts.js', 'apikey_auth.js'].map(
    (name) => [name, `// ${name}\n`],
  ),
);

// biome-ignore lint/suspicious/noExplicitAny: objects of several kinds
type Objects = any[];

function render(target: 'nic' | 'ngf', text: string, options: Partial<IngressOptions> = {}) {
  const policy = policyOf(text);
  const emitted = ingressTargets[target].emit(policy, compile(policy), { bundles, ...options });
  const files: Record<string, Objects> = Object.fromEntries(
    Object.entries(emitted.files).map(([name, yaml]) => [name, loadAll(yaml) as Objects]),
  );
  return { ...emitted, objects: files };
}

/** The content of all rendered files, by their path below the volume. */
function contents({ objects }: ReturnType<typeof render>): Record<string, string> {
  const { volumes } =
    objects['values.yaml']?.[0].controller ?? objects['nginxproxy.yaml']![0].spec.kubernetes.deployment.pod;
  const maps = new Map(objects['files.yaml']!.map((it) => [it.metadata.name, it.data]));
  const found: Record<string, string> = {};
  for (const { configMap } of volumes[0].projected.sources)
    for (const { key, path } of configMap.items) found[path] = maps.get(configMap.name)[key];
  return found;
}

const golden = (name: string) => join(import.meta.dirname, 'golden', name);
const FORMS = [
  ['nic', 'configmap'],
  ['nic', 'ingress'],
  ['nic', 'mergeable'],
  ['nic', 'virtualserver'],
  ['ngf', 'snippets'],
] as const;

/** Names of ConfigMaps contain a digest of files that change with the gateway. */
const withoutDigest = (text: string) => text.replace(/(?<=meshgate-files-\d-)[0-9a-f]{10}/g, '0123456789');

describe.each(FORMS)('%s %s', (target, form) => {
  const rendered = render(target, SESSIONS, { form, gateway: target === 'ngf' ? 'infra/gateway/https' : undefined });

  test('the objects are those of the golden folder', async () => {
    for (const [name, text] of Object.entries(rendered.files)) {
      if (name === 'files.yaml') continue;
      await expect(withoutDigest(text)).toMatchFileSnapshot(golden(`${form}/${name}`));
    }
  });

  test('the files contain all gaps', () => {
    expect(rendered.gaps.length).toBeGreaterThan(0);
    for (const [name, text] of Object.entries(rendered.files)) {
      if (name === 'files.yaml') continue;
      for (const gap of rendered.gaps) expect(text).toContain(`# gap: ${gap.part}: ${gap.text}\n`);
    }
  });

  test('nothing changes the JavaScript or the hash tables of other hosts', () => {
    const http = contents(rendered)['http.conf']!;
    const outside = http.replace(/^server \{$[\s\S]*?^\}$/gm, '');
    expect(outside).not.toMatch(/js_engine|js_path|js_import|js_set|hash_(max|bucket)_size|error_log|access_log/);
    expect(http).toContain('js_import meshgate from meshgate.js;');
    expect(contents(rendered)['inside.conf']).toContain(
      'js_engine qjs; js_path /etc/nginx/meshgate; error_log stderr notice;',
    );
  });

  test('every ConfigMap is small enough, and every included file is in one', () => {
    for (const map of rendered.objects['files.yaml']!) {
      expect(Buffer.byteLength(JSON.stringify(map.data))).toBeLessThan(1024 * 1024);
      for (const key of Object.keys(map.data)) expect(key).toMatch(/^[-._a-zA-Z0-9]+$/);
    }
    const files = contents(rendered);
    for (const text of Object.values(files))
      for (const [, path] of text.matchAll(/include \/etc\/nginx\/meshgate\/([^;]+);/g))
        expect(Object.keys(files)).toContain(path);
    expect(Object.keys(files)).toEqual(expect.arrayContaining(['meshgate.js', 'signin.js', 'health.js', 'policy.js']));
    expect(Object.keys(files)).not.toContain('hop.js');
  });
});

test('routes are tried in the order of their precedence, and a path is no expression', () => {
  const host = contents(render('nic', SMALL, { form: 'ingress' }))['hosts/wiki.example.com.conf']!;
  const locations = [...host.matchAll(/^ +location (.*) \{/gm)].map(([, at]) => at);
  expect(locations).toEqual(['"~^/a\\.b\\(c\\)/d\\z"', '"~^/a\\.b\\(c\\)\\z"', '"~^/a\\.b\\(c\\)/"', '"~^/"']);
  expect(host).toMatch(/^location "~\/" \{$/m);
});

test('the check has a path that no controller accepts for other owners', () => {
  const host = contents(render('nic', SMALL, { form: 'ingress' }))['hosts/wiki.example.com.conf']!;
  const requested = [...host.matchAll(/auth_request "?(?!off;)([^";]*;?[^"]*)"?;$/gm)].map(([, path]) => path);
  expect(requested.length).toBeGreaterThan(2);
  for (const path of requested) expect(path).toMatch(/^\/\.meshgate\/check;/);
});

test.each([
  ['nic', 'ingress'],
  ['nic', 'mergeable'],
  ['nic', 'virtualserver'],
  ['ngf', 'snippets'],
] as const)('%s %s: each host has objects and a Secret of its own', (target, form) => {
  const hosts = ['wiki-a.example.com', 'wiki.a.example.com', '*.example.com', 'wildcard.example.com', 'a.root', 'a'];
  const text = SMALL.replace(/^hosts:[\s\S]*/m, 'hosts:\n').concat(
    ...hosts.map((host) => `  ${JSON.stringify(host)}: { /*: { service: wiki, allow: [authenticated] } }\n`),
  );
  const objects = render(target, text, { form }).objects['hosts.yaml']!;
  const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  const secrets = objects.flatMap(({ spec }) => spec.tls?.secret ?? spec.tls?.[0]?.secretName ?? []);
  if (target === 'nic') expect(new Set(secrets).size).toBe(hosts.length);
});

test('the guard concerns the servers of the policy’s hosts, and no host that another object serves below a wildcard', () => {
  const maps = contents(render('nic', SMALL, { form: 'ingress' }))['http.conf']!;
  expect(maps).toContain(
    'map $host $meshgate_unguarded { default $meshgate_unguarded_wildcard; "wiki.example.com" 1; }',
  );
  expect(maps).toContain('map $server_name $meshgate_unguarded_wildcard { default ""; "*.apps.example.com" 1; }');
  const { gaps } = render('nic', SMALL, { form: 'ingress' });
  expect(gaps).toContainEqual({
    part: 'hosts.*.apps.example.com',
    text: expect.stringContaining('an object for one host below this wildcard'),
  });
});

test.each(['ingress', 'mergeable', 'virtualserver'])(
  'nic %s: behind a proxy that terminates TLS, no object redirects to HTTPS',
  (form) => {
    const behind = SMALL.replace('resolver:', 'insecure_http: true, resolver:');
    const tls = (text: string) =>
      render('nic', text, { form }).objects['hosts.yaml']!.filter(({ spec }) => 'tls' in spec).length;
    expect(tls(behind)).toBe(0);
    expect(tls(SMALL)).toBe(2);
  },
);

test('large files get a ConfigMap of their own', () => {
  const big = { ...bundles, 'meshgate.js': 'x'.repeat(600_000), 'health.js': 'y'.repeat(600_000) };
  const { objects, gaps } = render('nic', SMALL, { bundles: big });
  expect(objects['files.yaml']!.length).toBe(2);
  expect(gaps.filter(({ text }) => text.includes('1 MiB'))).toEqual([]);
  const huge = render('nic', SMALL, { bundles: { ...bundles, 'meshgate.js': 'x'.repeat(1_100_000) } });
  expect(huge.gaps).toContainEqual({
    part: 'meshgate.js',
    text: 'the file has 1100000 bytes and a ConfigMap holds 1 MiB, so nginx will not start',
  });
});

test('the name of a ConfigMap changes with its content', () => {
  const names = (text: string) => render('nic', text).objects['files.yaml']!.map((it) => it.metadata.name);
  expect(names(SMALL)).toEqual(names(SMALL));
  expect(names(SMALL)).not.toEqual(names(SMALL.replace('[authenticated]', '[anyone]')));
});

test('gRPC needs HTTP/2, and long paths larger buckets', () => {
  const entries = (text: string) => render('nic', text).objects['values.yaml']![0].controller.config.entries;
  expect(entries(SMALL)).not.toHaveProperty('http2');
  expect(entries(SMALL)).not.toHaveProperty('map-hash-bucket-size');
  const grpc = SMALL.replace('"http://wiki.wiki.svc:80" }', '"http://wiki.wiki.svc:80", protocol: grpc }');
  expect(entries(grpc)).toHaveProperty('http2', 'true');
  const long = SMALL.replace('/x/*', `/${'x'.repeat(300)}/*`);
  expect(entries(long)).toHaveProperty('map-hash-bucket-size', '512');
  const longer = SMALL.replace('/x/*', `/${'x'.repeat(490)}/*`);
  expect(
    render('ngf', longer)
      .gaps.map(({ text }) => text)
      .join(),
  ).toContain('NGF sets 512');
  expect(
    render('ngf', long)
      .gaps.map(({ text }) => text)
      .join(),
  ).not.toContain('NGF sets 512');
});

describe('the command', () => {
  const files = {
    'p.yaml': SMALL,
    ...Object.fromEntries(
      Object.entries({ ...bundles, 'status.js': '// status.js' }).map(([name, text]) => [
        `/opt/meshgate/${name}`,
        text,
      ]),
    ),
  };
  const run = (...args: string[]) => meshgate(['render', ...args, 'p.yaml'], { files });

  test('writes the objects, and prints each gap and note', async () => {
    const { code, written, err } = await run('--target', 'nic', '--form', 'virtualserver', '--out', '/o');
    expect(code).toBe(0);
    expect(Object.keys(written).sort()).toEqual(['/o/files.yaml', '/o/hosts.yaml', '/o/probe.yaml', '/o/values.yaml']);
    expect(err).toContain('gap: hosts.wiki.example.com: without the flag -enable-snippets, NIC drops the snippets');
  });

  test.each([
    [
      ['--target', 'nic', '--form', 'snippets'],
      '--form snippets: write one of configmap, ingress, mergeable, virtualserver, external-auth, external-auth-ingress',
    ],
    [['--target', 'nic', '--form', 'external-auth', '--dir', '/x'], '--dir has no effect for external-auth'],
    [['--target', 'nic', '--form', 'ingress', '--sidecar', 'a:1'], '--sidecar has no effect for nic: leave it out'],
    [
      ['--target', 'ngf', '--form', 'external-auth', '--sidecar', 'a.b:1'],
      'give a Service in the namespace of the hosts',
    ],
    [
      ['--target', 'ngf', '--form', 'external-auth', '--sidecar', 'a:70000'],
      'give a Service in the namespace of the hosts',
    ],
    [['--target', 'nginx', '--form', 'ingress'], '--form has no effect for nginx: leave it out'],
    [['--target', 'nic', '--gateway', 'a/b'], '--gateway has no effect for nic: leave it out'],
    [['--target', 'ngf', '--ingress', 'a'], '--ingress has no effect for ngf'],
  ])('%j is wrong use', async (args, text) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).toContain(text);
  });

  test('does not read the DNS servers of this machine', async () => {
    const withDns = {
      ...files,
      '/etc/resolv.conf': 'nameserver 192.0.2.1\n',
      'p.yaml': SMALL.replace('resolver: [10.96.0.10]', ''),
    };
    const { err, out } = await meshgate(['render', '--target', 'nic', 'p.yaml'], { files: withDns });
    expect(err).toContain('gap: gateway.resolver: no DNS server is known');
    expect(out).not.toContain('192.0.2.1');
  });
});

test('the replacement of NIC’s file for API keys has its two functions', async () => {
  const text = readFileSync('dist/apikey_auth.js', 'utf8');
  expect(text).toContain('validate');
  const { default: keys } = await import('../../../../src/entries/apikey_auth.ts');
  const ask = (variables: Record<string, string>) => {
    const r = { variables, status: 0, return: (status: number) => Object.assign(r, { status }) };
    keys.validate(r as never);
    return [r.status, variables.apikey_client_name];
  };
  expect(keys.hash({ variables: { header_query_value: 'secret' } } as never)).toBe(
    '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b',
  );
  expect(ask({ apikey_auth_local_map: 'm', m: '' })).toEqual([401, '']);
  expect(ask({ apikey_auth_local_map: 'm', m: '', header_query_value: 'x' })).toEqual([403, '']);
  expect(ask({ apikey_auth_local_map: 'm', m: 'ada', header_query_value: 'x' })).toEqual([204, 'ada']);
});
