import { describe, expect, test } from 'vitest';
import { meshgate, POLICY } from './fake.ts';

const prove = (a: string, b: string, ...args: string[]) =>
  meshgate(['prove', ...args, 'a.yaml', 'b.yaml'], { files: { 'a.yaml': a, 'b.yaml': b } });

const more = POLICY.replace('role: reader, methods: [GET]', 'role: reader, methods: [GET, POST]');

describe('two policies', () => {
  test('that are the same: no difference', async () => {
    expect(await prove(POLICY, POLICY)).toMatchObject({
      code: 0,
      out: 'yes: a.yaml and b.yaml allow the same requests\n',
      err: '',
    });
  });

  test('names of services and identities do not count, but what they mean does', async () => {
    const renamed = POLICY.replaceAll('service: wiki', 'service: pages').replace('  wiki: {', '  pages: {');
    const named = renamed.replaceAll('as: wiki-editor', 'as: writer').replace('    wiki-editor: {', '    writer: {');
    expect((await prove(POLICY, named)).code).toBe(0);
    expect((await prove(POLICY, POLICY.replace('authority: wiki.mesh', 'authority: pages.mesh'))).code).toBe(1);
    expect((await prove(POLICY, POLICY.replace('org/wiki-editor', 'org/writer'))).code).toBe(1);
  });

  test('that differ: a request, the caller, and the rules on both sides', async () => {
    const { code, out } = await prove(POLICY, more);
    expect(code).toBe(1);
    expect(out).toBe(`no: a.yaml and b.yaml differ
POST http://wiki.example.com/x
caller  reader
  a.yaml: refused
  b.yaml: allowed by wiki.example.com/*#1: role reader, GET POST HEAD, as default, to wiki  b.yaml:34:11
`);
  });

  test('the request is one that explain confirms', async () => {
    const { out } = await prove(POLICY, more, '--format', 'json');
    const { witness } = JSON.parse(out);
    const explain = (policy: string) =>
      meshgate(['explain', '--as', witness.caller.roles.join(','), witness.method, witness.url], {
        files: { './meshgate.yaml': policy },
      });
    expect([(await explain(POLICY)).code, (await explain(more)).code]).toEqual([1, 0]);
    expect(witness.a).toEqual({ allowed: false });
    expect(witness.b).toMatchObject({ allowed: true, rule: 'wiki.example.com/*#1', as: 'default' });
  });

  test('a role that only one side has, and that follows from another, makes no difference', async () => {
    const lead = POLICY.replace(
      '  admin: {',
      '  lead: { all: [editor, { group: leads, provider: okta }] }\n  admin: {',
    ).replace(
      '        - { role: editor, as: wiki-editor }\n',
      '        - { role: lead, as: wiki-editor }\n        - { role: editor, as: wiki-editor }\n',
    );
    expect(await prove(POLICY, lead)).toMatchObject({ code: 0, err: '' });
    const alone = lead.replace('all: [editor, { group: leads, provider: okta }]', 'group: leads, provider: okta');
    expect((await prove(POLICY, alone)).out).toContain('caller  lead\n');
  });

  test('changed roles and providers are a difference', async () => {
    const other = POLICY.replace('group: readers', 'group: everyone').replace('audiences: [wiki]', 'audiences: [ci]');
    const { code, out } = await prove(POLICY, other);
    expect(code).toBe(1);
    expect(out).toBe(`no: a.yaml and b.yaml allow the same roles the same requests, but define these in different ways
  provider ci: audiences ["wiki"] → ["ci"]
  role reader means something else: group "readers" of okta → group "everyone" of okta; used in wiki.example.com/*#1
`);
    const two = `${POLICY}  api.example.com: { providers: [okta, ci], /*: { service: wiki, allow: [authenticated] } }\n`;
    const one = two.replace('api.example.com: { providers: [okta, ci]', 'api.example.com: { providers: [okta]');
    expect((await prove(two, one)).out).toContain('  host api.example.com: tokens of ci are no longer accepted\n');
  });
});

describe('the facts that the same roles rest on', () => {
  const base = POLICY.replace(
    'gateway: { insecure_http: true }',
    'gateway: { tls: { cert_file: /run/t.crt, key_file: /run/t.key }, trusted_proxies: [192.0.2.1/32] }',
  ).replace('  wiki.example.com:\n', '  wiki.example.com:\n    tls: { client_ca_file: /run/clients.pem }\n');

  test.each([
    ['the CA of client certificates', '/run/clients.pem', '/run/others.pem', 'host wiki.example.com: client_ca_file'],
    ['proxies whose word is taken', '192.0.2.1/32', '192.0.2.0/24', 'gateway: trusted_proxies'],
    [
      'audiences of a route',
      '/status: { ',
      '/status: { audiences: [other], ',
      'route wiki.example.com/status: audiences',
    ],
  ])('%s', async (_, from, to, says) => {
    expect(base).toContain(from);
    const { code, out } = await prove(base, base.replace(from, to));
    expect(code).toBe(1);
    expect(out).toContain(says);
  });
});

describe('the service of requests, and conditions beside the rules', () => {
  const direct = POLICY.replace(
    '{ authority: wiki.mesh, endpoint: wiki:8080 }',
    '{ url: https://wiki.x, ca_file: /run/a.pem }',
  )
    .replaceAll(', as: wiki-editor', '')
    .replace(/mesh:\n {2}kind[\s\S]*?services:/, 'services:');
  const tls = POLICY.replace('insecure_http: true', 'tls: { cert_file: /run/t.crt, key_file: /run/t.key }');
  const pages = tls.replace('/status: {', '/status: { cors: { origins: ["https://a.example"] },');

  test.each([
    ['the address of the only ingress', POLICY, 'ingress.mesh:8443', 'other.mesh:8443', 'also: ingress: address'],
    ['its CA', POLICY, '/run/mesh/ca.pem', '/run/other/ca.pem', 'also: ingress: ca_file'],
    ['where the ingress finds a service', POLICY, 'wiki:8080', 'other:8080', 'also: service wiki: endpoint'],
    ['the CA of a direct service', direct, '/run/a.pem', '/run/b.pem', 'also: service wiki: direct'],
    ['its name', direct, '/run/a.pem', '/run/a.pem, server_name: other.x', 'also: service wiki: direct'],
    [
      'the CA of a provider',
      tls,
      'audiences: [wiki]',
      'ca_file: /run/x.pem, audiences: [wiki]',
      'provider ci: ca_file',
    ],
    [
      'the clock',
      POLICY,
      'insecure_http: true',
      'insecure_http: true, clock_skew: 300s',
      'gateway: clock_skew 30s → 300s',
    ],
    ['pages of other origins', pages, 'https://a.example', 'https://b.example', 'route wiki.example.com/status: cors'],
  ])('%s: a difference', async (_, base, from, to, says) => {
    expect(base).toContain(from);
    const { code, out } = await prove(base, base.replace(from, to));
    expect(code).toBe(1);
    expect(out).toMatch(/^no: /);
    expect(out).toContain(says);
  });

  test.each([
    ['trust_domain: example.org', 'trust_domain: example.org\n  rotation: 30m', 'mesh: rotation 70s → 1800s'],
    ['insecure_http: true', 'insecure_http: true, resolver: [192.0.2.1]', 'gateway: resolver [] → ["192.0.2.1"]'],
    [
      '/status: {',
      '/status: { headers: { X-Name: name },',
      'header X-Name: nothing → "name" on wiki.example.com/status',
    ],
  ])('names the parts that it does not compare: %s → %s', async (from, to, says) => {
    const other = POLICY.replace(from, to);
    const { code, out } = await prove(POLICY, other);
    expect({ code, out }).toEqual({
      code: 0,
      out: `yes: a.yaml and b.yaml allow the same requests\nnot compared: ${says}\n`,
    });
    const { same, notCompared } = JSON.parse((await prove(POLICY, other, '--format', 'json')).out);
    expect([same, notCompared.map(({ text }: { text: string }) => text)]).toEqual([true, [says]]);
  });
});

describe('a policy and Envoy’s file', () => {
  const target = ['--target', 'envoy'];
  const rendered = async (policy: string) =>
    (await meshgate(['render', '--target', 'envoy', 'x'], { files: { x: policy } })).out;

  test('as rendered: no difference, also for a policy that allows the same identities', async () => {
    const envoy = await rendered(POLICY);
    expect((await prove(POLICY, envoy, ...target)).out).toBe('yes: a.yaml and b.yaml allow the same requests\n');
  });

  test('of another policy: a request and an identity that differ', async () => {
    const { code, out } = await prove(POLICY, await rendered(more), ...target);
    expect(code).toBe(1);
    expect(out).toBe(`no: a.yaml and b.yaml differ
POST http://wiki.mesh/x
caller  spiffe://example.org/gateway
  a.yaml: refused
  b.yaml: allowed by wiki.example.com/*#1
`);
    expect((await prove(more, await rendered(POLICY), ...target)).out).toContain(
      'a.yaml: allowed by wiki.example.com/*#1: role reader, GET POST HEAD, as default, to wiki  a.yaml:34:11\n',
    );
  });

  test('changed by hand: found', async () => {
    const envoy = await rendered(POLICY);
    const opened = envoy.replace('prefix: "/admin/"', 'prefix: "/adm/"');
    expect(opened).not.toBe(envoy);
    expect(await prove(POLICY, opened, ...target)).toMatchObject({
      code: 3,
      out: expect.stringMatching(/^not proven/),
    });
  });

  test.each([
    ['a listener', '"0.0.0.0"', '"127.0.0.1"', '"127.0.0.1", and not "0.0.0.0"'],
    [
      'no certificate wanted',
      'require_client_certificate: true',
      'require_client_certificate: false',
      'is false, and not true',
    ],
    ['an action', 'action: "ALLOW"', 'action: "LOG"', 'rules.action is "LOG", and not "ALLOW"'],
    [
      'a rule of no shape',
      'permissions:\n',
      'permission:\n',
      '"meshgate render --target envoy" does not write such an object',
    ],
  ])('changed by hand, %s: the place', async (_, from, to, says) => {
    const envoy = await rendered(POLICY);
    const last = envoy.lastIndexOf(from);
    const { code, out } = await prove(POLICY, envoy.slice(0, last) + to + envoy.slice(last + from.length), ...target);
    expect({ code, out }).toMatchObject({ code: 3, out: expect.stringContaining(says) });
  });

  test('reports a difference, and not that nothing is proven, if a request differs', async () => {
    const envoy = (await rendered(more)).replace(
      'require_client_certificate: true',
      'require_client_certificate: false',
    );
    const { code, out } = await prove(POLICY, envoy, ...target);
    expect([code, out]).toEqual([1, expect.stringMatching(/^no: [\s\S]*also: .*require_client_certificate/)]);
    const json = JSON.parse((await prove(POLICY, envoy, ...target, '--format', 'json')).out);
    expect([json.same, json.proven]).toEqual([false, true]);
  });

  test('proves nothing about a policy with mistakes', async () => {
    const envoy = await rendered(POLICY);
    expect((await prove('version: 1\n', envoy, ...target)).code).toBe(3);
    expect((await prove(POLICY, 'version: 1\n')).code).toBe(3);
  });

  test('the file of another program is wrong use', async () => {
    expect(await prove(POLICY, 'static_resources: {}', ...target)).toMatchObject({
      code: 2,
      out: '',
      err: 'meshgate: b.yaml: no rules of meshgate; give the file that "meshgate render --target envoy" wrote\n',
    });
  });
});

describe('a policy and Istio’s objects', () => {
  const istio = POLICY.replace(
    'gateway: { insecure_http: true }',
    'gateway: { insecure_http: true, assertion: { issuer: https://gw.example.com, keys_file: /run/keys.jwks } }',
  )
    .replace('kind: envoy', 'kind: istio')
    .replace('    own:', '    namespace: edge\n    labels: { app: ingress }\n    service_account: ingress\n    own:')
    .replace('endpoint: wiki:8080', 'endpoint: wiki:8080, namespace: wiki, labels: { app: wiki }');
  const rendered = async (policy: string, ...args: string[]) => {
    const files = { x: policy, 'keys.json': KEYS };
    const { written, err } = await meshgate(['render', '--target', 'istio', '--out', '/o', ...args, 'x'], { files });
    expect(err).not.toContain('error');
    return Object.fromEntries(Object.entries(written).map(([name, text]) => [name.replace('/o/', 'build/'), text]));
  };
  const KEYS = '{"keys":[{"kty":"EC","crv":"P-256","x":"x","y":"y"}]}';
  const against = (policy: string, files: Readonly<Record<string, string>>, ...args: string[]) =>
    meshgate(['prove', '--target', 'istio', ...args, 'a.yaml', 'build'], {
      files: { 'a.yaml': policy, 'keys.json': KEYS, ...files },
    });
  const change = (files: Readonly<Record<string, string>>, name: string, from: string, to: string) => {
    expect(files[name]).toContain(from);
    return { ...files, [name]: files[name]!.replace(from, to) };
  };

  test('as rendered: no difference, from a folder and from one file', async () => {
    const files = await rendered(istio);
    expect((await against(istio, files)).out).toBe(
      "yes: a.yaml and build allow the same requests, if the mesh's root namespace is istio-system\n",
    );
    const { 'build/kustomization.yaml': _, ...objects } = files;
    const one = { build: Object.values(objects).join('---\n') };
    expect((await against(istio, one)).code).toBe(0);
  });

  test('with the key set in it', async () => {
    const files = await rendered(istio, '--assertion-jwks', 'keys.json');
    expect((await against(istio, files, '--assertion-jwks', 'keys.json')).code).toBe(0);
    const { code, out } = await against(istio, files);
    expect(code).toBe(3);
    expect(out).toContain(
      '  RequestAuthentication edge/meshgate-ingress: spec.jwtRules[0].jwksUri is nothing, and not "https://gw.example.com/.meshgate/jwks"',
    );
  });

  test('of another policy: a request that the ingress allows', async () => {
    const { code, out } = await against(istio, await rendered(istio.replace('methods: [GET]', 'methods: [GET, POST]')));
    expect(code).toBe(1);
    expect(out).toBe(`no: a.yaml and build differ
POST http://wiki.mesh/x
caller  spiffe://example.org/gateway with an assertion (as default, for wiki, by https://gw.example.com) of role reader
  a.yaml: refused
  build: allowed by wiki.example.com/*#1
`);
  });

  test('a workload with a rule that was widened', async () => {
    const files = await rendered(istio);
    const opened = change(files, 'build/workloads/wiki.yaml', '          - "admin"', '          - "editor"');
    const { out } = await against(istio, opened);
    expect(out).toContain('/admin at the workload of wiki/meshgate-workload-wiki.e4e065b7e486746a\n');
    expect(out).toContain('by https://gw.example.com) of role admin\n');
  });

  test.each([
    [
      'STRICT',
      'PERMISSIVE',
      'PeerAuthentication wiki/meshgate-pods.wiki.e19f70daacc0b6db: spec.mtls.mode is "PERMISSIVE", and not "STRICT"',
    ],
    [
      'app: "wiki"',
      'app: "w"',
      'PeerAuthentication wiki/meshgate-pods.wiki.e19f70daacc0b6db: spec.selector.matchLabels.app is "w", and not',
    ],
    [
      'kind: "PeerAuthentication"',
      'kind: "Other"',
      'PeerAuthentication wiki/meshgate-pods.wiki.e19f70daacc0b6db: it is missing',
    ],
    [
      'name: "meshgate-pods.wiki.e19f70daacc0b6db"',
      'name: "x"',
      'PeerAuthentication wiki/x: meshgate does not render it; delete what is left over',
    ],
  ])('another changed object: %s', async (from, to, message) => {
    const { code, out } = await against(istio, change(await rendered(istio), 'build/workloads/wiki.yaml', from, to));
    expect(code).toBe(3);
    expect(out).toContain(`not proven: build differs from what meshgate renders from a.yaml\n`);
    expect(out).toContain(message);
  });

  test('as JSON', async () => {
    const changed = change(await rendered(istio), 'build/workloads/wiki.yaml', 'STRICT', 'DISABLE');
    const { out } = await against(istio, changed, '--format', 'json');
    expect(JSON.parse(out)).toEqual({
      same: false,
      proven: false,
      a: 'a.yaml',
      b: 'build',
      objects: [expect.stringContaining('spec.mtls.mode is "DISABLE"')],
    });
  });

  test('unknown rules, and foreign policies that allow more', async () => {
    const files = await rendered(istio);
    const odd = change(files, 'build/ingress.yaml', 'notPaths:', 'notHosts:');
    expect((await against(istio, odd)).out).toContain('meshgate does not render "notHosts"');
    const other = { metadata: { name: 'open', namespace: 'wiki' }, spec: { rules: [{}] } };
    const more = JSON.stringify({ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', ...other });
    const { code, out } = await against(istio, { ...files, 'build/more.json': more });
    expect(code).toBe(3);
    expect(out).toContain(
      'AuthorizationPolicy wiki/open: it allows more than AuthorizationPolicy wiki/meshgate-workload-wiki.e4e065b7e486746a',
    );
  });

  test('wrong use', async () => {
    const files = await rendered(istio);
    expect((await against(istio, { 'build/notes.txt': '' })).err).toContain(
      'build has no file that ends in .yaml or .json',
    );
    const keys = ['--assertion-jwks', 'keys.json'];
    expect((await prove(POLICY, POLICY, ...keys)).err).toContain('--assertion-jwks has no effect without --target');
    expect((await prove(POLICY, POLICY, '--target', 'envoy', ...keys)).err).toContain('has no effect for envoy');
    const bad = await against(istio, { ...files, 'keys.json': '{"keys":[{"d":1}]}' }, ...keys);
    expect(bad.err).toContain('--assertion-jwks keys.json: the file contains a private key');
  });
});
