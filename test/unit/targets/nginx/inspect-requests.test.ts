import { expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { inspectNginx } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { goldenPolicy, render } from './golden.ts';

const DIR = '/etc/nginx/meshgate';
const policy = goldenPolicy('request-headers');
const made = render(policy).files;

/** The warnings about an nginx that includes all rendered files, some of them changed. */
function told(change: (file: string, text: string) => string) {
  const server = (port: number, name: string, folder: string) =>
    `server { listen ${port} ssl; server_name ${name}.example.com; include meshgate/${folder}/${name}*; }`;
  const conf = `http { include meshgate/http.conf;
${server(443, 'wiki', 'hosts')}
${server(443, 'dashboard', 'hosts')}
${server(8444, 'dashboard', 'inner')} }`;
  const rendered = Object.entries(made).filter(([file]) => /\.conf$/.test(file) && file !== 'servers.conf');
  const files = { '/etc/nginx/nginx.conf': conf };
  for (const [file, text] of rendered) Object.assign(files, { [`${DIR}/${file}`]: change(file, text) });
  const dump = Object.entries(files).map(([name, text]) => `# configuration file ${name}:\n${text}\n`);
  const found = inspectNginx(dump.join(''), policy, compile(policy), (file) => made[file.slice(DIR.length + 1)]);
  return found?.warnings.map(({ file, text }) => `${file}: ${text}`);
}

test('the files with the request headers of services are compared with the policy', () => {
  expect(told((_, text) => text)).toEqual([]);
  const file = 'requests/dashboard.conf';
  expect(made).toHaveProperty([file]);
  const wider = (name: string, text: string) =>
    name === file ? `${text}proxy_set_header X-WEBAUTH-SHOE-SIZE $http_x_webauth_shoe_size;\n` : text;
  expect(told(wider)).toEqual([`${DIR}/${file}: this line is not what meshgate renders from the policy now`]);
});
