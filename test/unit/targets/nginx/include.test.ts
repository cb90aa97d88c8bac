import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cases, goldenPolicy, options, render } from './golden.ts';
import { all, args, readConf, treeOf } from './read.ts';

test('the example for an existing nginx includes what is rendered for the smallest policy', () => {
  const example = readConf(readFileSync('conf.d/meshgate.conf', 'utf8'));
  const files = Object.keys(render(goldenPolicy('smallest')).files).map((path) => `${options.dir}/${path}`);
  const included = all(example, 'include').map((one) => one.words[1]);
  expect(included).toEqual([`${options.dir}/http.conf`, `${options.dir}/hosts/wiki.example.com.conf`]);
  expect(files).toEqual(expect.arrayContaining(included));
});

test('the text about duplicates is true', () => {
  const { files } = render(goldenPolicy('smallest'));
  const settings = treeOf(files, 'http.conf').filter((one) => one.block === undefined);
  const unique = settings
    .map((one) => one.words[0])
    .filter(
      (name) => !/^(js_path|js_import|js_set|js_shared_dict_zone|limit_conn_zone|log_format|include)$/.test(name ?? ''),
    );
  expect(unique.sort()).toEqual(['js_engine', 'variables_hash_max_size']);
  const host = treeOf(files, 'hosts/wiki.example.com.conf');
  expect(args(host, 'location')).toContain('^~ /');
});

test('settings of maps come before the first map, after which nginx rejects them', () => {
  const policy = goldenPolicy('sessions');
  const origins = [`https://${'a'.repeat(60)}.example.com`];
  const hosts = policy.hosts.map((host) => ({
    ...host,
    routes: host.routes.map((route) =>
      route.cors === undefined ? route : { ...route, cors: { ...route.cors, origins } },
    ),
  }));
  const words = treeOf(render({ ...policy, hosts }).files, 'http.conf').map((one) => one.words[0]);
  expect(words).toContain('map_hash_bucket_size');
  expect(words.indexOf('map_hash_bucket_size')).toBeLessThan(words.indexOf('map'));
});

test('docs/contributing/rendered-nginx.md has a row for each file that other rendered files include', () => {
  const [, table = ''] =
    /<!-- files -->\n\n((?:\|.*\n)+)/.exec(readFileSync('docs/contributing/rendered-nginx.md', 'utf8')) ?? [];
  const listed = [...table.matchAll(/`([a-zA-Z0-9_/-]+\.conf)`/g)].map(([, name = '']) => name);
  const general = (path: string): string =>
    path
      .replace(/^(services|requests)\/[a-z0-9-]+/, '$1/NAME')
      .replace(/(?<=_as)_.*(?=\.conf$)/, '_IDENTITY')
      .replace(/_\d+(?=\.conf$)/, '')
      .replace(/^(ingress)_mesh_[^_]+_.*(?=\.conf$)/, '$1_mesh_MESH_NAME')
      .replace(/^(ingress)_mesh_[^_]+(?=\.conf$)/, '$1_mesh_MESH')
      .replace(/^(ingress)-.*(?=\.conf$)/, '$1-NAME')
      .replace(/^(cors)-\d+/, '$1-N');
  const rendered = cases.flatMap((name) => Object.keys(render(goldenPolicy(name)).files));
  const included = rendered.filter(
    (path) => /\.conf$/.test(path) && !/^(hosts|inner)\/|^(http|servers|stream)\./.test(path),
  );
  // No golden policy has a host whose first ingress is not the default.
  const expected = listed.filter((name) => !/_2\.conf$|^ingress-NAME/.test(name));
  expect([...new Set(included.map(general))].sort()).toEqual(expected.sort());
});

test('every rendered file says what it is for, and is included', () => {
  for (const name of cases) {
    const { files } = render(goldenPolicy(name));
    const confs = Object.entries(files).filter(([path]) => path.endsWith('.conf'));
    const texts = confs.map(([, text]) => text).join('');
    for (const [path, text] of confs) {
      expect(text, `${name}: ${path}`).toMatch(/^# .+\. Rendered by meshgate from the policy; do not edit\.\n/);
      if (/^(hosts|inner)\/|^(http|servers|stream)\./.test(path)) continue;
      expect(texts, `${name}: ${path}`).toContain(`include ${options.dir}/${path};`);
    }
  }
});
