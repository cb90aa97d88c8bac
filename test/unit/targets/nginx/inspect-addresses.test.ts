import { expect, test } from 'vitest';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { inspectNginx } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { render } from './golden.ts';

const DIR = '/etc/nginx/meshgate';

/** The warnings about an nginx around a policy with this gateway and this role. */
function told(gateway: string, role: string, around: { http?: string; server?: string; idp?: string }) {
  const { http = '', server = '', idp = '' } = around;
  const text = `version: 1
gateway: { insecure_http: true${gateway} }
providers: { idp: { issuer: https://idp.test, audiences: [wiki]${idp} } }
services: { wiki: { insecure_url: "http://127.0.0.1:9000" } }
roles: { inside: ${role} }
hosts: { wiki.test: { /*: { service: wiki, allow: [inside] } } }
`;
  const { policy, errors } = parsePolicy(text, 'p.yaml');
  if (policy === undefined) throw new Error(JSON.stringify(errors));
  const { files } = render(policy);
  const included = {
    '/etc/nginx/nginx.conf': `http { ${http} include meshgate/http.conf;
server { listen 80; server_name wiki.test; ${server} include meshgate/hosts/wiki.test.conf; } }`,
    ...Object.fromEntries(
      Object.entries(files)
        .filter(([file]) => file.endsWith('.conf') && file !== 'servers.conf')
        .map(([file, content]) => [`${DIR}/${file}`, content]),
    ),
  };
  const dump = Object.entries(included).map(([name, content]) => `# configuration file ${name}:\n${content}\n`);
  const found = inspectNginx(dump.join(''), policy, compile(policy), (path) => files[path.slice(DIR.length + 1)]);
  return found?.warnings.map(({ line, text: reported }) => `${line} ${reported}`);
}

const NETWORK = '{ network: [192.0.2.0/24] }';
const TRUSTED = ', trusted_proxies: [10.0.0.7/32]';
const LINE = 'set_real_ip_from 10.0.0.0/8;';

test('warns of proxies that the http level trusts, which do not count for a policy with networks', () => {
  expect(told('', NETWORK, { http: LINE })).toEqual([
    expect.stringMatching(/^1 set_real_ip_from 10\.0\.0\.0\/8 has no effect/),
  ]);
  expect(told(TRUSTED, NETWORK, { http: LINE })).toEqual([]);
  expect(told('', '{ group: staff }', { http: LINE })).toEqual([]);
  expect(told(', limits: { callers: { rate: 5/s } }', '{ group: staff }', { http: LINE })).toEqual([]);
});

test('warns of proxies that a server of the policy trusts beside it', () => {
  const counts = [
    expect.stringMatching(/^2 set_real_ip_from 10\.0\.0\.0\/8 applies in addition to gateway\.trusted_proxies/),
  ];
  expect(told('', NETWORK, { server: LINE })).toEqual(counts);
  expect(told(TRUSTED, NETWORK, { server: LINE })).toEqual(counts);
  expect(told('', '{ group: staff }', { server: LINE })).toEqual([]);
});

test('warns of them where questions about tokens and sign-ins are counted by addresses', () => {
  const client = ', client: { id: wiki, secret_file: /run/secret }';
  const requested = `${client}, introspection: {}`;
  const session = ', session: { keys_file: /run/session.jwks }';
  for (const [gateway, idp] of [
    ['', requested],
    [session, client],
  ] as const) {
    expect(told(gateway, '{ group: staff }', { http: LINE, idp })).toHaveLength(1);
    expect(told(gateway, '{ group: staff }', { server: LINE, idp })).toHaveLength(1);
  }
});

test('says nothing without them', () => {
  expect(told('', NETWORK, {})).toEqual([]);
  expect(told(TRUSTED, NETWORK, {})).toEqual([]);
});
