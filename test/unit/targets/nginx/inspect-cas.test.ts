import { expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { inspectNginx } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { goldenPolicy, render } from './golden.ts';

const DIR = '/etc/nginx/meshgate';

/** The warnings about an nginx that includes the rendered files of a policy. */
function told(name: string, { http = '', server = '' }: { http?: string; server?: string }) {
  const policy = goldenPolicy(name);
  const { files } = render(policy);
  const rendered = Object.entries(files).filter(([file]) => /\.conf$/.test(file) && file !== 'servers.conf');
  const servers = rendered
    .filter(([file]) => file.startsWith('hosts/'))
    .map(
      ([file]) =>
        `server { listen 443 ssl; server_name ${file.slice(6, -5).replace(/^_/, '*')}; ${server}\ninclude meshgate/${file}; }`,
    );
  const conf = `http { ${http}\ninclude meshgate/http.conf;\n${servers.join('\n')} }`;
  const all = [['/etc/nginx/nginx.conf', conf], ...rendered.map(([file, text]) => [`${DIR}/${file}`, text])];
  const dump = all.map(([file, text]) => `# configuration file ${file}:\n${text}\n`).join('');
  const found = inspectNginx(dump, policy, compile(policy), (path) => files[path.slice(DIR.length + 1)]);
  return found?.warnings.map(({ text }) => text);
}

const LINE = 'ssl_conf_command VerifyCAFile /etc/ssl/bundle.pem;';
const wrong = expect.stringMatching(
  /^ssl_conf_command VerifyCAFile \S+ verifies certificates of clients with other CAs/,
);

test('warns of CAs that OpenSSL commands add for client certificates, if the policy uses certificates', () => {
  expect(told('certificates', { http: LINE })).toEqual([wrong]);
  expect(told('certificates', { server: LINE })).toEqual([wrong, wrong, wrong]);
  expect(told('smallest', { http: LINE, server: LINE })).toEqual([]);
});

test('says nothing of other commands', () => {
  expect(told('certificates', { http: 'ssl_conf_command Options PrioritizeChaCha;' })).toEqual([]);
});

test.each(['proxy', 'grpc'])('warns of CAs that OpenSSL commands add for upstreams: %s', (module) => {
  const line = `${module}_ssl_conf_command VerifyCAFile /etc/ssl/bundle.pem;`;
  const reported = expect.stringMatching(
    /_ssl_conf_command VerifyCAFile \S+ verifies services, ingresses and providers with/,
  );
  expect(told('smallest', { http: line })).toEqual([reported]);
  expect(told('smallest', { server: line })).toEqual([reported]);
  expect(told('smallest', { http: `${module}_ssl_conf_command Options PrioritizeChaCha;` })).toEqual([]);
});
