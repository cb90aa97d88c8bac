/** The rendered files in the nginx of an ingress controller, which includes them in another form. */
import { expect, test } from 'vitest';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { readFolder } from '../../../../src/targets/nginx/inspect/folder.ts';
import { inspectFiles } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { nginxOptions } from '../../../../src/targets/nginx/options.ts';
import { renderNginx } from '../../../../src/targets/nginx/render.ts';

const { policy, errors } = parsePolicy(
  `version: 1
gateway: { resolver: [10.96.0.10], tls: { cert_file: /run/tls.crt, key_file: /run/tls.key }, session: { keys_file: /run/s.jwks } }
providers:
  idp: { issuer: https://idp.test, audiences: [wiki], client: { id: g, secret_file: /run/secret } }
services:
  wiki: { url: https://wiki.internal:8443 }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [authenticated] }
    /rest/*: { service: wiki, allow: [authenticated] }
`,
  'meshgate.yaml',
);
if (policy === undefined) throw new Error(JSON.stringify(errors));
const rules = compile(policy);

const DIR = '/etc/nginx/meshgate';
const paths = { dir: DIR, runDir: '/var/lib/nginx', stateDir: '/var/lib/nginx', accessLog: '/dev/stdout' };
const INCLUDED = { servers: '', host: `include ${DIR}/hosts/wiki.test.conf;` };
const GUARDED = { servers: `include ${DIR}/servers.conf;`, host: 'if ($meshgate_unguarded) { return 503; }' };

/** The findings about a controller's nginx, whose server of the host has these snippets. */
function found(
  inController: { readonly ownServers?: true },
  { servers, host }: Readonly<Record<'servers' | 'host', string>>,
  change: (files: Record<string, string>) => void = () => {},
) {
  const { files } = renderNginx(policy!, rules, nginxOptions({ ...paths, inController }));
  const all: Record<string, string> = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [`${DIR}/${name}`, text]),
  );
  all['/etc/nginx/nginx.conf'] = `error_log stderr notice;
http {
  js_import /etc/nginx/njs/apikey_auth.js;
  include ${DIR}/http.conf; ${servers}
  server {
    listen 443 ssl; server_name wiki.test;
    ${host}
    location / { proxy_pass http://wiki; }
  }
}`;
  change(all);
  const disk = {
    read: (path: string) => all[path] as string,
    names: () => [],
    reason: String,
  };
  const read = (path: string) => (path.endsWith('apikey_auth.js') ? 'import c from "crypto";' : all[path]);
  return inspectFiles(readFolder('/etc/nginx', '/etc/nginx', disk), policy!, rules, read).warnings.map(
    ({ file, text }) => `${file.split('/').at(-1)}: ${text}`,
  );
}

const DIFFERS = 'this line is not what meshgate renders from the policy now';

test('the files of a controller are compared in the form for controllers', () => {
  expect(found({}, INCLUDED).filter((it) => it.includes(DIFFERS))).toEqual([]);
  const changed = found({}, INCLUDED, (files) => {
    files[`${DIR}/hosts/wiki.test.conf`] += 'location /open { return 200; }\n';
  });
  expect(changed).toContain(`wiki.test.conf: ${DIFFERS}`);
});

test('so are the servers of the gateway, if the controller only has servers that reject all requests for the hosts', () => {
  expect(found({ ownServers: true }, GUARDED)).toEqual([]);
});

test.each([
  ['without the snippet that rejects them', ''],
  ['with a snippet that rejects others', 'if ($meshgate_unguarded_wildcard) { return 503; }'],
  ['with a snippet that rejects nothing', 'if ($meshgate_unguarded) { set $x 1; }'],
])('a server %s is a warning', (_, host) => {
  expect(found({ ownServers: true }, { ...GUARDED, host })).toEqual([
    expect.stringContaining(
      'does not include hosts/wiki.test.conf, and sends requests to http://wiki without the policy',
    ),
  ]);
});
