import { generateKeyPairSync } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import { commandDefinitions } from '../../../src/cli/app.ts';
import type { Incoming, Outgoing } from '../../../src/cli/machine/http.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { policyDigest } from '../../../src/rules/digest.ts';
import { newRing } from '../../../src/session/keys/rotate-ring.ts';
import { nginxOptions } from '../../../src/targets/nginx/options.ts';
import { renderNginx } from '../../../src/targets/nginx/render.ts';
import { lineText, refused } from '../audit/logged.ts';
import { documentedKey, filesOf, seal, textOf } from '../audit/sealed-log.ts';
import { CommandOptions } from './command-options.ts';
import { meshgate, token } from './fake.ts';
import { played } from './played.ts';
import { confluenceLine, envoyLine, nginxLine } from './trace/lines.ts';

/**
 * Runs every example of docs/cli.md and docs/cli/, and compares its output with the page. Compares the options of each
 * page with the definitions of the commands. `UPDATE_DOCS=1` writes both again.
 */

const pages = ['docs/cli.md', ...globSync('docs/cli/*.md').toSorted()];
const text = pages.map((page) => readFileSync(page, 'utf8')).join('\n');

const block = (info: string) => new RegExp(`^\`\`\`${info}\n([\\s\\S]*?)^\`\`\``, 'm').exec(text)?.[1] ?? '';

const policy = block('yaml meshgate.yaml');

/** The output of `nginx -T` for an nginx that includes the rendered policy, and logs too much. */
const { policy: parsed } = parsePolicy(policy, 'meshgate.yaml');
const { files: rendered } = renderNginx(parsed!, compile(parsed!), nginxOptions({ dir: '/etc/nginx/meshgate' }));
const dump = Object.entries({
  '/etc/nginx/nginx.conf': `user www-data;
error_log /var/log/nginx/error.log info;
http {
    include /etc/nginx/meshgate/http.conf;
    server {
        listen 443 ssl; server_name wiki.example.com;
        include /etc/nginx/meshgate/hosts/wiki.example.com.conf;
    }
}
`,
  ...Object.fromEntries(
    Object.entries(rendered)
      .filter(([name]) => name.endsWith('.conf') && name !== 'servers.conf')
      .map(([name, content]) => [`/etc/nginx/meshgate/${name}`, content]),
  ),
})
  .map(([name, content]) => `# configuration file ${name}:\n${content}\n`)
  .join('');

/** A change that gives readers more rights, and changes other settings. */
const fresh = policy
  .replace('role: reader, methods: [GET]', 'role: reader, methods: [GET, POST]')
  .replace('group: editors', 'group: writers')
  .replace('expect: role_missing', 'expect: allowed')
  .replace(
    '{ as: nobody, GET: https://wiki.example.com/status',
    '{ as: { roles: [reader] }, GET: https://wiki.example.com/status',
  )
  .replace(
    '/status: { service: wiki, allow: [anyone] }',
    '/status: { service: wiki, allow: [authenticated] }\n    /rest/*: { service: wiki, allow: [editor] }',
  );

/** Lines of a gateway with the policy, and one that was changed. */
const digest = policyDigest(parsed!, compile(parsed!));
const post = (id: string, changed: Readonly<Record<string, unknown>> = {}) =>
  lineText({
    ...refused('role_missing', 'reader', 'wiki.example.com/*#1'),
    ...{
      'meshgate.policy': digest,
      request_id: id,
      'http.request.method': 'POST',
      'url.path': '/page',
      'http.response.status_code': 403,
      ...changed,
    },
  });
const access = [lineText({ 'meshgate.policy': digest }), post('77e1c0d5b3f04a7e9b52f1c9a6d83e10')];
const forged = [...access, post('0b4d7f9e2c8a4c53a1e6d0f7b9c2e845', { 'meshgate.reason': '' })];

/** A log of which all lines except the last are sealed. */
const ids = [
  '77e1c0d5b3f04a7e9b52f1c9a6d83e10',
  '0b4d7f9e2c8a4c53a1e6d0f7b9c2e845',
  'c61d0e9f7a2b48d5b3f0a1c4e8d92765',
];
const lines = [lineText(), ...ids.map((id) => post(id, { 'meshgate.policy': '5f2d0c81b9a3e6740c1be5a7d3f4e692' }))];
const { folder: auditFolder } = seal(lines.slice(0, 3), [documentedKey()]);
const audit = filesOf(auditFolder, 'audit');
const altered = [lines[0]!.replace('okta-ben', 'okta-ada'), ...lines.slice(2)];

const okta = 'https://example.okta.com/oauth2/default';

const PUBLISHED = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });

/** The answers of the examples' provider; a person confirms at once. */
const provider: Readonly<Record<string, () => unknown>> = {
  '/.well-known/openid-configuration': () => ({
    issuer: okta,
    jwks_uri: `${okta}/v1/keys`,
    token_endpoint: `${okta}/v1/token`,
    device_authorization_endpoint: `${okta}/v1/device/authorize`,
    end_session_endpoint: `${okta}/v1/logout`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  }),
  '/v1/device/authorize': () => ({
    device_code: 'x',
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://example.okta.com/activate',
    verification_uri_complete: 'https://example.okta.com/activate?user_code=WDJB-MJHT',
    expires_in: 600,
  }),
  '/v1/keys': () => ({ keys: [{ kid: 'k1', ...PUBLISHED }] }),
  '/v1/token': () => ({ access_token: files['token.txt'], token_type: 'Bearer' }),
};

/** The gateway and the mesh of the examples, which run the policy, and their provider. */
async function ask({ method, target, client, authority }: Outgoing): Promise<Incoming> {
  const reported = authority === 'example.okta.com' ? provider[target.replace('/oauth2/default', '')] : undefined;
  if (reported !== undefined) return { status: 200, headers: {}, body: JSON.stringify(reported()) };
  if (target === '/meshgate-status') {
    const body = JSON.stringify({ reason: 'credential_missing', status: 401 });
    return { status: 401, headers: { 'content-type': 'application/problem+json' }, body };
  }
  if (target.startsWith('/rest/api/group?')) {
    const results = ['space-a', 'editor', 'jira-users'].map((name) => ({ type: 'group', name }));
    return { status: 200, headers: { 'x-ausername': 'root' }, body: JSON.stringify({ results, limit: 200 }) };
  }
  const isRefused =
    client === undefined ? method === 'POST' : (target === '/status') === (client.cert === 'wiki-editor');
  if (!isRefused) return { status: 200, headers: {}, body: '' };
  if (client !== undefined) return { status: 403, headers: {}, body: 'RBAC: access denied' };
  const body = JSON.stringify({ reason: 'role_missing', status: 403 });
  return { status: 403, headers: { 'content-type': 'application/problem+json' }, body };
}

/** The lines about two requests: the mesh refused one, the gateway the other. */
const forbidden = { 'http.response.status_code': 403 };
const denied = { response_code: 403, response_code_details: 'rbac_access_denied_matched_policy[none]' };
const logs = {
  'gateway.log': [
    nginxLine({
      ...forbidden,
      request_id: 'a'.repeat(32),
      trace_id: 'a'.repeat(32),
      'meshgate.reason': 'role_missing',
    }),
    nginxLine(forbidden),
  ].join('\n'),
  'envoy.log': envoyLine({ ...denied, upstream_cluster: null, upstream_host: null, duration: 1 }),
  'wiki.log': confluenceLine(' - -'),
};

const files = {
  ...logs,
  './meshgate.yaml': policy,
  'oauth2-proxy.cfg': block('toml oauth2-proxy.cfg'),
  'nginx.txt': dump,
  '/etc/nginx/meshgate/policy.js': rendered['policy.js']!,
  'meshgate.yaml': policy,
  'bad.yaml': policy.replace('role: reader,', 'role: raeder,').replace('audiences', 'audience'),
  'strict.yaml': policy.replace('expect: role_missing', 'expect: allowed'),
  'shared.yaml': policy.replace(', as: wiki-editor', '').replace(/ {4}wiki-editor: .*\n/, ''),
  'new.yaml': fresh,
  'access.log': `${access.join('\n')}\n`,
  'forged.log': `${forged.join('\n')}\n`,
  ...audit,
  'sealed.log': textOf(lines),
  'altered.log': textOf(altered),
  'first.vkey': documentedKey().vkey,
  'line.tlog-proof': (await meshgate(['audit', 'prove', ids[0]!, '--log-folder', 'audit'], { files: audit })).out,
  'reader.txt': token(JSON.parse(block('json token.txt'))),
  'ca.pem': 'CA',
  'pat.txt': 'NjI0NzE4',
  'build/envoy.yaml': (await meshgate(['render', '--target', 'envoy', 'x'], { files: { x: policy } })).out,
  ...Object.fromEntries(['ca', 'gateway', 'wiki-editor'].map((name) => [`pki/run/mesh/${name}.pem`, name])),
  'fresh.jwks': await newSigningKeys(1_800_000_000 - 600),
  'leaked.jwks': await newSigningKeys(1_800_000_000 - 3600),
  'used.jwks': await newSigningKeys(1_800_000_000 - 3600),
  'ring.jwks': newRing(1_800_000_000 - 600),
  'token.txt': token(JSON.parse(block('json token.txt'))),
  '/opt/meshgate/meshgate.js': '',
  '/opt/meshgate/hop.js': '',
  '/opt/meshgate/signin.js': '',
  '/opt/meshgate/client.js': '',
  '/opt/meshgate/health.js': '',
  '/opt/meshgate/cookies.js': '',
  '/opt/meshgate/counts.js': '',
  '/etc/resolv.conf': 'nameserver 10.0.0.10\n',
};

const options = new CommandOptions(commandDefinitions());

test.each(pages)(
  'every example of %s prints what the page shows, and its options are those of the command',
  async (page) => {
    const text = readFileSync(page, 'utf8');
    const { fresh } = await played(options.written(text), (args) => meshgate(args, { files, ask }));
    if (process.env.UPDATE_DOCS === '1') writeFileSync(page, fresh);
    else expect(fresh).toBe(text);
  },
);

test('each command has its options on exactly one page, and each page at least one example', () => {
  const marked = [...text.matchAll(/^<!-- options: (.+) -->$/gm)].map(([, name]) => name);
  expect(marked.toSorted()).toEqual([...options.names, 'several commands'].toSorted());
  for (const page of pages) expect(readFileSync(page, 'utf8'), page).toMatch(/^```(?:console|sh)$/m);
});

test('docs/cli.md links to each page once', () => {
  const linked = [...readFileSync('docs/cli.md', 'utf8').matchAll(/\]\((cli\/[a-z]+\.md)\)/g)].map(
    ([, to]) => `docs/${to}`,
  );
  expect(['docs/cli.md', ...linked].toSorted()).toEqual(pages.toSorted());
});

test('the files that examples change differ from the policy', () => {
  for (const name of ['bad.yaml', 'strict.yaml', 'shared.yaml', 'new.yaml'] as const)
    expect(files[name]).not.toBe(policy);
});
