/** What the sidecar's configuration never contains, and what the files for ingresses contain. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { forms } from '../../../../src/targets/ext-authz/forms.ts';
import { renderSidecar } from '../../../../src/targets/ext-authz/render-sidecar.ts';
import type { Emitted } from '../../../../src/targets/types.ts';
import { cases, goldenPolicy, options, render } from '../nginx/golden.ts';

const sidecar = (policy: Policy): Emitted => renderSidecar(policy, compile(policy), options);

function policyOf(text: string): Policy {
  const { policy, errors } = parsePolicy(text, '/etc/meshgate/meshgate.yaml');
  if (policy === undefined) throw new Error(JSON.stringify(errors));
  return policy;
}

const text = (files: readonly (readonly [string, string])[]) => files.map(([, one]) => one).join('\n');

describe.each(cases)('the sidecar of %s', (name) => {
  const { files } = sidecar(goldenPolicy(name));
  const confs = Object.entries(files).filter(([path]) => path.endsWith('.conf') && !path.startsWith('ingress/'));

  test('answers 200 only after a check, and for what is public', () => {
    const answers = confs.flatMap(([path, text]) =>
      [...text.matchAll(/location (?:[=^~]+ )?(\S+) \{(?:(?!location )[\s\S])*?return 2\d\d/g)].map(
        ([, location]) => `${path.replace(/^hosts.*/, 'hosts')} ${location}`,
      ),
    );
    expect(text(confs).match(/return 2\d\d/g)?.length).toBe(answers.length);
    const open = ['http.conf /.meshgate/healthz', 'hosts @meshgate_metadata'];
    expect(answers.filter((answer) => !open.includes(answer))).toEqual(['allowed.conf @meshgate_allowed']);
  });

  test('sends no request to a service', () => {
    const to = confs.flatMap(([path, text]) =>
      path === 'http.conf' ? [] : [...text.matchAll(/(?:proxy|grpc)_pass ([^;]*);/g)].map(([, where = '']) => where),
    );
    const own = /^http:\/\/(meshgate_check|meshgate_asked\$meshgate_ask_uri|unix:\/run\/meshgate\/check\.sock:)/;
    expect(to.filter((where) => !own.test(where))).toEqual([]);
    expect(files['http.conf']).not.toMatch(/^upstream (?!meshgate_(check|etcd_))/m);
  });

  test('checks each route that the gateway checks', () => {
    const checked = (all: Emitted['files'], folder: string) =>
      Object.entries(all)
        .filter(([path]) => path.startsWith(folder))
        .flatMap(([, text]) => [
          ...text.matchAll(/(location [=^~]+ \S+) \{\n\s+(?:if [^\n]*\n\s+)*(auth_request [^;]*);/g),
        ])
        .map(([, location, check]) => `${location} ${check}`)
        .sort();
    const wanted = checked(render(goldenPolicy(name)).files, 'hosts/');
    expect(wanted.length).toBeGreaterThan(0);
    expect(checked(files, 'checks/')).toEqual(wanted);
  });

  test('lets nginx remove the headers of clients that the gateway erases', () => {
    const sent = (text = '') => [...text.matchAll(/proxy_set_header (\S+) /g)].map(([, it = '']) => it.toLowerCase());
    const gateway = render(goldenPolicy(name)).files;
    const own = new Set(sent(files['ingress/nginx-location.conf']));
    // An ingress has no room for names that administrators compose.
    const documented = gateway['erase.conf']?.replace(/^.* # (any application|products), by .*\n/gm, '');
    expect(documented).toMatch(/SM-UserDN/);
    expect(sent(documented).filter((it) => !own.has(it))).toEqual([]);
  });
});

const SESSIONS = policyOf(`
version: 1
gateway:
  insecure_http: true
  session: { keys_file: /run/secrets/session.jwks }
  proof: { nonce: true, keys_file: /run/secrets/nonce.jwks }
  credential_header: X-Gateway-Authorization
providers:
  acme: { issuer: https://idp.example.com, audiences: [wiki], client: { id: gateway } }
roles:
  staff: { group: staff }
agents:
  bot: { match: { client_id: bot }, acts_for: [staff], bound: none }
services:
  wiki: { url: https://wiki.internal }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff], service_credential: { schemes: [basic] } }
    /mcp/*: { service: wiki, allow: [staff, { agent: bot, tools: [search] }] }
`);

describe('an ingress that lists the headers of a check', () => {
  const { files } = sidecar(SESSIONS);
  const wanted = [
    ...['accept', 'accept-language', 'authorization', 'content-type', 'cookie', 'dpop', 'mcp-method', 'mcp-name'],
    ...['mcp-protocol-version', 'origin', 'purpose', 'sec-fetch-dest', 'sec-fetch-mode', 'sec-fetch-site'],
    ...['sec-purpose', 'sec-websocket-key', 'sec-websocket-version', 'service-worker', 'upgrade'],
    ...['x-forwarded-for', 'x-gateway-authorization', 'x-requested-with'],
  ];

  test.each([
    [
      'ingress/envoy-filters.yaml',
      (text: string) => parse(text)[1].typed_config.allowed_headers.patterns.map((it: { exact: string }) => it.exact),
    ],
    [
      'ingress/envoy-gateway.yaml',
      (text: string) => [...parseAllDocuments(text)[0]!.toJS().spec.extAuth.headersToExtAuth, 'authorization'],
    ],
    [
      'ingress/istio-meshconfig.yaml',
      (text: string) => parse(text).extensionProviders[0].envoyExtAuthzHttp.includeRequestHeadersInCheck,
    ],
  ] as const)('%s lists all that the policy needs', (path, read) => {
    expect(read(files[path] as string)).toEqual(expect.arrayContaining(wanted));
  });

  test('fails closed', () => {
    const [filter] = parse(files['ingress/envoy-filters.yaml'] as string).slice(1);
    expect(filter.typed_config.failure_mode_allow).toBe(false);
    expect(parseAllDocuments(files['ingress/envoy-gateway.yaml'] as string)[0]!.toJS().spec.extAuth.failOpen).toBe(
      false,
    );
    expect(
      parse(files['ingress/istio-meshconfig.yaml'] as string).extensionProviders[0].envoyExtAuthzHttp.failOpen,
    ).toBe(false);
    expect(
      parse(files['ingress/traefik-dynamic.yaml'] as string).http.middlewares.meshgate.forwardAuth.trustForwardHeader,
    ).toBe(false);
  });
});

test('the documentation describes each form', () => {
  const text = readFileSync('docs/ext-authz.md', 'utf8');
  const [table = ''] = /<!-- forms -->\n\n([\s\S]*?)\n\n/.exec(text)?.slice(1) ?? [];
  const rows = table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[1]?.trim());
  expect(rows).toEqual(forms.map(({ path }) => `\`${path}${path.endsWith('/') ? '…' : ''}\``));
});

test('says of each ingress what it does not do', () => {
  const reported = sidecar(SESSIONS).gaps.filter(({ part }) => part.startsWith('ingress.'));
  const texts = (name: string) =>
    reported
      .filter(({ part }) => part === `ingress.${name}`)
      .map(({ text }) => text)
      .join('; ');
  expect([...new Set(reported.map(({ part }) => part))]).toEqual(
    ['nginx', 'traefik', 'caddy', 'envoy', 'envoy-gateway', 'istio'].map((name) => `ingress.${name}`),
  );
  expect(texts('nginx')).toMatch(/passes no body on.*auth_request off/);
  expect(texts('traefik')).toMatch(/cleans paths.*only routers that name the middleware/);
  expect(texts('envoy-gateway')).toMatch(/Set-Cookie of an allowed check does not reach the client/);
  for (const name of ['envoy-gateway', 'istio']) expect(texts(name)).toContain('such as X-Remote-User');
});

test('prints what a sidecar and its ingress do not do', () => {
  const { gaps } = sidecar(goldenPolicy('traffic'));
  const parts = gaps.map(({ part, text }) => `${part}: ${text.split(/[:,]/)[0]}`);
  expect(parts).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^services\./),
      expect.stringMatching(/: proxy$/),
      expect.stringMatching(/: cors$/),
    ]),
  );
  expect(
    sidecar(goldenPolicy('certificates'))
      .gaps.map(({ text }) => text)
      .join(),
  ).toContain('certificates are not accepted');
  expect(sidecar(goldenPolicy('networks')).gaps.map(({ part }) => part)).not.toContain('gateway.inner');
});

test('Traefik gets a router for each host, however the names of hosts are spelled', () => {
  const hosts = [
    'a-b.example.com',
    'a.b.example.com',
    '"*.b.example.com"',
    'any.b.example.com',
    'wildcard.b.example.com',
  ];
  const { files } = sidecar(
    policyOf(`version: 1
gateway: { session: { keys_file: /run/s.jwks }, tls: { cert_file: /run/tls.crt, key_file: /run/tls.key } }
providers: { p: { issuer: "https://p.example", client: { id: x, secret_file: /run/p } } }
services: { s: { url: "https://s.example" } }
hosts:
${hosts.map((it) => `  ${it}: { /*: { service: s, allow: [authenticated] } }\n`).join('')}`),
  );
  const { routers } = parse(files['ingress/traefik-dynamic.yaml'] as string).http;
  expect(Object.keys(routers)).toHaveLength(hosts.length);
});
