import { describe, expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { inspectNginx } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { goldenPolicy, options, render } from './golden.ts';

const policy = goldenPolicy('audit');
const { files } = render(policy);

/** The messages of `validate --nginx` about rendered files, some of which are changed. */
function warnings(changed: Readonly<Record<string, string>>) {
  const all = { ...files, ...changed };
  const parts = Object.entries(all).filter(([name]) => name.endsWith('.conf') && name !== 'servers.conf');
  const main = `http { include ${options.dir}/http.conf; server { listen 443 ssl; server_name wiki.example.com; include ${options.dir}/hosts/*; } }`;
  const dump = [['/etc/nginx/nginx.conf', main], ...parts.map(([name, text]) => [`${options.dir}/${name}`, text])].map(
    ([name, text]) => `# configuration file ${name}:\n${text}\n`,
  );
  const found = inspectNginx(dump.join(''), policy, compile(policy), (path) => all[path.slice(options.dir.length + 1)]);
  return found?.warnings.map(({ file, text }) => `${file}: ${text}`);
}

const LATER = 'this line is not what meshgate renders from the policy now';

describe('validate --nginx compares the sealed log with the policy', () => {
  test('no warning about the rendered files', () => {
    expect(warnings({})).toEqual([]);
  });

  test('nginx writes to another file than the one that the sealer reads', () => {
    const log = files['server.conf']?.replace('/var/log/meshgate/wiki.log', '/var/log/nginx/meshgate.log') ?? '';
    expect(log).not.toBe(files['server.conf']);
    expect(warnings({ 'server.conf': log })).toEqual([`${options.dir}/server.conf: ${LATER}`]);
  });

  test('the sealer has other settings', () => {
    const seal = files['audit/seal.json']?.replace('gw-1', 'gw-2') ?? '';
    expect(warnings({ 'audit/seal.json': seal })).toEqual([`${options.dir}/audit/seal.json: ${LATER}`]);
  });
});
