/** nginx accepts every golden rendering of test/unit/targets/nginx/golden, and a large one, without a warning. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bareImage, readPolicy, startContainer, testStage } from '../harness/index.ts';
import { gatewayFiles } from '../harness/policy.ts';
import { largePolicy } from '../large.ts';
import { render } from '../unit/targets/nginx/golden.ts';

const folder = join(import.meta.dirname, '../unit/targets/nginx/golden');
const names = readdirSync(folder);

const into = '/etc/nginx/meshgate';

/** The configuration around them: the image's servers, or an operator's own servers. */
const nginxConf = (servers: string) => `
load_module modules/ngx_http_js_module.so;
error_log stderr notice;
events {}
http {
    include ${into}/http.conf;
    ${servers}
}
`;

const stage = await testStage('golden');
const files: Record<string, string> = { '/etc/nginx/image.conf': nginxConf(`include ${into}/servers.conf;`) };
for (const name of readdirSync('dist').filter((it) => it.endsWith('.js')))
  files[`/usr/lib/meshgate/${name}`] = readFileSync(join('dist', name), 'utf8');
for (const name of names) {
  const paths = readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths) files[`/golden${path.slice(folder.length)}`] = readFileSync(path, 'utf8');
  const policy = readPolicy(files[`/golden/${name}/policy.yaml`]!);
  // Files that equal those of the smallest policy, and the list of erased headers, exist only in that folder.
  for (const [path, content] of Object.entries(render(policy).files)) files[`/golden/${name}/${path}`] ??= content;
  Object.assign(files, await gatewayFiles(policy, stage));
}
/** 200 routes for 50 roles, with a server for each twenty. */
const LARGE = 'large';
const large = readPolicy(largePolicy({ routes: 200, roles: 50, rolesOfRoute: 3 }));
for (const [path, content] of Object.entries(render(large).files)) files[`/golden/${LARGE}/${path}`] = content;
Object.assign(files, await gatewayFiles(large, stage));
const box = await startContainer(stage, {
  image: bareImage,
  alias: 'golden',
  user: 'root',
  entrypoint: [
    'sh',
    '-c',
    'mkdir -p /var/log/nginx /run/meshgate /var/lib/meshgate && echo ready && exec sleep infinity',
  ],
  ready: /^ready/m,
  files,
});

/** Puts a golden in place, and returns what nginx prints about it. */
async function tried(name: string, conf: string): Promise<string> {
  const { exitCode, stdout, stderr } = await box.exec(
    'sh',
    '-c',
    `rm -rf ${into} && cp -r '/golden/${name}' ${into} && cp /usr/lib/meshgate/*.js ${into}/ && nginx -t -c ${conf}`,
  );
  return `${stdout}${stderr}exit code ${exitCode}`.replace(harmless, '');
}

/** The module has a table of fixed size for the names that it erases. */
const harmless = /^.*\[warn\].*could not build optimal grpc_headers_hash, .*\n/gm;
const fine = /^(?![\s\S]*\[(warn|error|crit|alert|emerg)\])[\s\S]*test is successful\s+exit code 0$/;

describe.each([...names, LARGE])('%s', (name) => {
  const served = /^server \{/m.test(files[`/golden/${name}/servers.conf`]!);

  if (served) {
    test('in the image', async () => {
      expect(await tried(name, '/etc/nginx/image.conf')).toMatch(fine);
    });
  }

  test('in an operator’s own servers', async () => {
    const folders = ['hosts', 'inner'].map((folder) => `/golden/${name}/${folder}/`);
    const hosts = Object.keys(files).filter((path) => folders.some((folder) => path.startsWith(folder)));
    const servers = hosts.map(
      (path, i) =>
        `server { listen 8443; server_name h${i}.test; include '${path.replace(`/golden/${name}`, into)}'; }`,
    );
    await box.write({ '/etc/nginx/own.conf': nginxConf(servers.join('\n    ')) });
    // nginx makes no folder for gateway.audit.log.
    await box.exec('mkdir', '-p', '/var/log/meshgate');
    expect(await tried(name, '/etc/nginx/own.conf')).toMatch(fine);
  });
});

test('nginx refuses an unknown directive, so the test above reads every line', async () => {
  await box.write({ '/etc/nginx/evil.conf': nginxConf(`evil on; include ${into}/servers.conf;`) });
  expect(await tried('demo', '/etc/nginx/evil.conf')).toMatch(/unknown directive "evil"[\s\S]*exit code 1$/);
});
