import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { goldenPolicy, options, render } from './golden.ts';
import { all, args, readConf } from './read.ts';

test('the example for an existing nginx includes what is rendered for the smallest policy', () => {
  const example = readConf(readFileSync('conf.d/meshgate.conf', 'utf8'));
  const files = Object.keys(render(goldenPolicy('smallest')).files).map((path) => `${options.dir}/${path}`);
  const included = all(example, 'include').map((one) => one.words[1]);
  expect(included).toEqual([`${options.dir}/http.conf`, `${options.dir}/hosts/wiki.example.com.conf`]);
  expect(files).toEqual(expect.arrayContaining(included));
});

test('what it says of duplicates is true', () => {
  const { files } = render(goldenPolicy('smallest'));
  const settings = readConf(files['http.conf'] ?? '').filter((one) => one.block === undefined);
  const unique = settings
    .map((one) => one.words[0])
    .filter((name) => !/^(js_path|js_import|js_shared_dict_zone|log_format)$/.test(name ?? ''));
  expect(unique.sort()).toEqual(['js_engine', 'variables_hash_max_size']);
  const host = readConf(files['hosts/wiki.example.com.conf'] ?? '');
  expect(args(host, 'location')).toContain('^~ /');
});
