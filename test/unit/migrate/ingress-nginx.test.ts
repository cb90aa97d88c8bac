import { describe, expect, test } from 'vitest';
import { isHarmless } from '../../../src/migrate/ingress-nginx/snippets.ts';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { growth } from '../../harness/growth.ts';
import { meshgate } from '../cli/fake.ts';
import { decided, lists, migrate, type Reported } from './case.ts';
import { ingress } from './ingress-nginx/manifest.ts';
import { names } from './ingress-nginx/names.ts';

const run = (text: string, args: readonly string[] = []): Promise<Reported> =>
  migrate({ command: 'ingress-nginx', files: { 'i.yaml': text }, args });

const one = (annotations: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Reported> =>
  run(ingress('app', annotations, [['app.example.com', '/', 'app', 8080]]), args);

const policyOf = ({ policy }: Reported): Policy => parsePolicy(policy, 'x').policy!;

const controllerOf = (data: string) =>
  `---\nkind: ConfigMap\nmetadata: { name: ingress-nginx-controller }\ndata: { ${data} }\n`;

const routeOf = (report: Reported) => policyOf(report).hosts[0]!.routes[0]!;

test('the report says what becomes of each of the 138 annotations', async () => {
  expect(names).toHaveLength(138);
  const report = await one(Object.fromEntries(names.filter((it) => it !== 'canary').map((name) => [name, 'x'])));
  const reported = new Set([...report.carried, ...report.notCarried].map(({ option }) => option));
  expect(names.filter((name) => name !== 'canary' && !reported.has(`apps/app ${name}`))).toEqual([]);
});

describe('annotations that ingress-nginx does not read', () => {
  test('an unknown one is listed', async () => {
    expect(lists(await one({ 'auth-ulr': 'x' }), 'apps/app auth-ulr', /no such annotation/)).toBe(true);
  });

  test('one of another tool is listed', async () => {
    expect(lists(await one({ 'external-dns.alpha.kubernetes.io/hostname': 'x' }), 'external-dns', /another tool/)).toBe(
      true,
    );
  });

  test.each(['auth-url', 'whitelist-source-range', 'server-snippet', 'auth-tls-secret'])(
    '%s with another prefix closes the paths, because the controller may have read it',
    async (name) => {
      const report = await one({ [`ingress.example.com/${name}`]: '10.0.0.0/8' });
      expect(routeOf(report).allow.map(({ who }) => who)).toEqual([{ kind: 'role', role: 'fill-in' }]);
      expect(lists(report, `ingress.example.com/${name}`, /closed/)).toBe(true);
    },
  );

  test('--annotations-prefix reads them', async () => {
    const report = await one({ 'ingress.example.com/whitelist-source-range': '192.0.2.0/24' }, [
      '--annotations-prefix',
      'ingress.example.com',
    ]);
    expect(report.policy).toContain('network: ["192.0.2.0/24"]');
  });
});

describe('snippets', () => {
  test.each([
    'more_set_headers "A: b; deny all;";',
    '# deny all;\nproxy_set_header A b;',
    '',
    'gzip on; gzip_types text/css;',
    "# don't cache\nexpires -1; # it's {old}\n",
    'add_header A "b \\" deny all;"; etag\toff;',
  ])('%j decides about no caller', (text) => {
    expect(isHarmless(text)).toBe(true);
  });

  test.each([
    ...['deny all;', 'if ($http_a) { return 403; }', 'auth_request off;', 'return 200;', 'allow 10.0.0.0/8; deny all;'],
    ...[
      'proxy_pass http://other;',
      'rewrite ^/a /b;',
      'access_by_lua_block { ngx.exit(403) }',
      'gzip on { deny all; }',
      'satisfy any;',
      'set $a b;',
    ],
    ...["# don't\ndeny all;\n# can't\n", "add_header A o'b; deny all; add_header B o'c;", "'deny' all;", 'd\\eny all;'],
    ...['add_header A\u00a0# b; deny all;', '# a\u2028deny all;\nallow 10.0.0.1;'],
    ...['proxy_set_header A "b;\ndeny all;', 'location / { }', 'limit_except GET { deny all; }', 'include x.conf;'],
  ])('%j may decide about callers', (text) => {
    expect(isHarmless(text)).toBe(false);
  });
});

test.each(['"\\a', '#', "'a", 'a b;', '\\'])('a snippet of %j is read in time that grows with its length', (piece) => {
  const run = (length: number) => isHarmless(piece.repeat(length / piece.length));
  // Sixteen times the length is sixteen times the work, or 256 times.
  expect(growth(run, 6_000, 96_000)).toBeLessThan(64);
});

describe('what a policy cannot say stays closed', () => {
  const closed = async (annotations: Readonly<Record<string, string>>, more = '') => {
    const report = await run(ingress('app', annotations, [['app.example.com', '/', 'app', 8080]]) + more);
    return routeOf(report).allow.map(({ who }) => (who.kind === 'role' ? who.role : who.kind));
  };
  const global = `---\nkind: ConfigMap\nmetadata: { name: ingress-nginx-controller }\ndata: { global-auth-url: "http://auth.example/check" }\n`;

  test.each(['no', 'off', 'False ', ''])(
    'enable-global-auth: %j is not false, so the default applies',
    async (text) => {
      expect(await closed({ 'enable-global-auth': text }, global)).toEqual(['fill-in']);
    },
  );

  test.each(['whitelist-source-range', 'allowlist-source-range', 'denylist-source-range'])(
    '%s without an address denies all',
    async (name) => {
      expect(await closed({ [name]: '' })).toEqual(['fill-in']);
      expect(await closed({ [name]: ' , ' })).toEqual(['fill-in']);
    },
  );

  test('with both names of the allow list, an address must be in both', async () => {
    const lists = { 'whitelist-source-range': '198.51.100.0/24,192.0.2.7', 'allowlist-source-range': '192.0.2.0/24' };
    const { policy } = await one(lists);
    const from = (network: string) => decided(policy, { as: { network }, url: 'https://app.example.com/' });
    expect([from('192.0.2.7'), from('192.0.2.8'), from('198.51.100.7')]).toEqual([
      'allowed',
      'network_refused',
      'network_refused',
    ]);
  });

  test('auth-snippet may decide for the asked service', async () => {
    const url = { 'auth-url': 'https://$host/oauth2/auth' };
    const config =
      'provider = "oidc"\noidc_issuer_url = "https://l.example.com"\nclient_id = "a"\nemail_domains = ["*"]\n';
    const of = (annotations: Readonly<Record<string, string>>) =>
      migrate({
        command: 'ingress-nginx',
        files: { 'i.yaml': ingress('app', { ...url, ...annotations }, [['app.example.com', '/', 'app']]) },
        beside: { 'o.cfg': config },
        args: ['--oauth2-proxy', 'o.cfg'],
      });
    expect(lists(await of({ 'auth-snippet': 'if ($http_a) { return 403; }' }), 'apps/app auth-snippet', /role/)).toBe(
      true,
    );
    expect((await of({ 'auth-snippet': 'if ($http_a) { return 403; }' })).policy).toContain('fill-in@migrate.invalid');
    expect((await of({ 'auth-snippet': 'proxy_set_header A b;' })).policy).not.toContain('fill-in@migrate.invalid');
    const widerIn = async (snippet: string) =>
      (await of({ 'auth-snippet': snippet })).differs.flatMap(({ option, wider }) => (wider ? option : []));
    expect(await widerIn('proxy_set_header Cookie "";')).toContain('apps/app auth-snippet');
    expect(await widerIn('proxy_read_timeout 5s;')).not.toContain('apps/app auth-snippet');
  });

  test('global-auth-snippet may keep people out by the headers that it sets', async () => {
    const data = {
      'global-auth-url': 'http://o.auth/oauth2/auth',
      'global-auth-snippet': 'Proxy_Set_Header Cookie "";',
    };
    const controller = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ingress-nginx-controller' }, data };
    const files = {
      'i.yaml': ingress('app', {}, [['app.example.com', '/', 'app']]),
      'c.json': JSON.stringify(controller),
    };
    const { differs } = await migrate({ command: 'ingress-nginx', files });
    expect(differs).toContainEqual(expect.objectContaining({ option: 'ConfigMap global-auth-snippet', wider: true }));
  });

  test('a role by the DNS name of a certificate may admit a certificate with another common name', async () => {
    const of = async (more: object) => (await one({ 'auth-tls-secret': 'apps/ca', ...more })).differs;
    const wider = (found: Reported['differs']) => found.some((it) => it.wider && /common name/.test(it.text));
    expect(wider(await of({ 'auth-tls-match-cn': 'CN=a.example.com' }))).toBe(true);
    expect(wider(await of({}))).toBe(false);
  });

  test('Ingresses of one host that demand different certificates close the host', async () => {
    const with_ = (name: string, verify: string, path: string) =>
      ingress(name, { 'auth-tls-secret': 'apps/ca', 'auth-tls-verify-client': verify }, [
        ['app.example.com', path, 'a'],
      ]);
    const report = await run(with_('a', 'optional', '/') + with_('b', 'on', '/b'));
    expect(decided(report.policy, { as: 'nobody', url: 'https://app.example.com/' })).not.toBe('allowed');
    expect(lists(report, 'apps/b auth-tls-secret', /older Ingress/)).toBe(true);
    const same = await run(with_('a', 'optional', '/') + with_('b', 'optional', '/b'));
    expect(decided(same.policy, { as: 'nobody', url: 'https://app.example.com/' })).toBe('allowed');
  });

  test.each([
    ['enable-modsecurity', 'true'],
    ['modsecurity-snippet', 'SecRuleEngine On'],
    ['limit-connections', '3'],
  ])('%s refused requests that pass now, which the report marks', async (name, value) => {
    const { notCarried } = await one({ [name]: value });
    expect(notCarried).toContainEqual(expect.objectContaining({ option: `apps/app ${name}`, wider: true }));
  });

  test.each(['block-user-agents', 'block-referers', 'enable-modsecurity'])(
    'the key %s of the ConfigMap refused requests that pass now',
    async (key) => {
      const of = async (value: string) =>
        (await run(ingress('a', {}, [['a.example.com', '/', 'a']]) + controllerOf(`${key}: "${value}"`))).notCarried;
      const found = (wider: true | undefined) =>
        expect.objectContaining({ option: `ConfigMap ${key}`, ...(wider && { wider }) });
      expect(await of('true')).toContainEqual(found(true));
      expect(await of('false')).not.toContainEqual(found(true));
    },
  );
});

describe('routes', () => {
  test('limits and time-outs stay within what a policy can say', async () => {
    const limits = {
      'proxy-body-size': '0',
      'proxy-connect-timeout': '300',
      'proxy-read-timeout': '120',
      'limit-rpm': '30',
    };
    const { proxy, limit } = routeOf(await one(limits));
    expect(proxy).toMatchObject({ maxBody: 100 * 1024 ** 3, connectTimeout: 75, readTimeout: 120 });
    expect(limit).toMatchObject({ written: '30/m', burst: 150 });
  });

  test('CORS with every origin has no credentials, and lists what it lacks', async () => {
    const report = await one({ 'enable-cors': 'true' });
    expect(routeOf(report).cors).toMatchObject({ origins: ['*'], credentials: false, maxAge: 86_400 });
    expect(lists(report, 'cors-allow-origin', /not with cookies/)).toBe(true);
    const listed = await one({
      'enable-cors': 'true',
      'cors-allow-origin': 'https://app.example.com:443,http://a.example',
    });
    expect(routeOf(listed).cors).toMatchObject({ origins: ['https://app.example.com'], credentials: true });
    expect(lists(listed, 'cors-allow-origin', /plain http/)).toBe(true);
  });

  test('the service has the name of Kubernetes and the port of the Ingress, and receives the host that people open', async () => {
    expect(policyOf(await one({})).services.app).toMatchObject({
      direct: { host: 'app.apps.svc.cluster.local', port: 8080, tls: false },
      authority: '',
    });
  });

  test('the name of a port is looked up in the Service', async () => {
    const text = ingress('app', {}, [['app.example.com', '/', 'app', 'web']]);
    const service =
      '---\nkind: Service\nmetadata: { name: app, namespace: apps }\nspec: { ports: [{ name: web, port: 3000 }] }\n';
    expect(policyOf(await run(text + service)).services.app?.direct?.port).toBe(3000);
    expect(lists(await run(text), 'apps/app /', /port/)).toBe(true);
  });

  test('two Ingresses for one path: only callers that both let pass', async () => {
    const text = ['192.0.2.0/24', '198.51.100.0/24']
      .map((range, index) =>
        ingress(`i${index}`, { 'whitelist-source-range': range }, [['app.example.com', '/', 'app']]),
      )
      .join('');
    const report = await run(text);
    expect(routeOf(report).allow.map(({ who }) => who)).toEqual([{ kind: 'role', role: 'fill-in' }]);
    expect(lists(report, 'apps/i1 path', /twice/)).toBe(true);
  });

  test('a path without a host is left out and listed', async () => {
    const report = await run(ingress('app', {}, [['', '/', 'app']]));
    expect(policyOf(report).hosts.map(({ name }) => name)).toEqual(['fill-in.example.com']);
    expect(lists(report, 'apps/app /', /names of the hosts/)).toBe(true);
  });
});

describe('aliases of a host', () => {
  const inside = { 'whitelist-source-range': '192.0.2.0/24' };
  const at = (report: Reported, url: string) => decided(report.policy, { as: { network: '198.51.100.1' }, url });

  test('have all paths of the host, also those of other Ingresses', async () => {
    const text =
      ingress('app', { 'server-alias': 'b.example.com' }, [['a.example.com', '/', 'app']]) +
      ingress('admin', inside, [['a.example.com', '/admin', 'app']]);
    const report = await run(text);
    expect(at(report, 'https://b.example.com/')).toBe('allowed');
    expect(at(report, 'https://b.example.com/admin')).toBe('network_refused');
  });

  test('that are hosts of their own keep their own paths', async () => {
    const text =
      ingress('app', { 'server-alias': 'b.example.com' }, [['a.example.com', '/', 'app']]) +
      ingress('b', inside, [['b.example.com', '/', 'b']]);
    const report = await run(text);
    expect(at(report, 'https://b.example.com/')).toBe('network_refused');
    expect(lists(report, 'apps/app server-alias', /of its own/)).toBe(true);
  });
});

describe('expressions', () => {
  const regex = (annotations: Readonly<Record<string, string>>, path: string) =>
    ingress(`i${path.length}`, { 'use-regex': 'true', ...annotations }, [
      ['app.example.com', path, 'app', 80, 'ImplementationSpecific'],
    ]);
  const inside = { 'whitelist-source-range': '192.0.2.0/24' };
  const at = (report: Reported, path: string) =>
    decided(report.policy, { as: { network: '198.51.100.1' }, url: `https://app.example.com${path}` });

  test('a path that a longer expression matches first has no effect', async () => {
    const report = await run(regex(inside, '/admin(/|$)(.*)') + regex({}, '/admin/login') + regex({}, '/'));
    expect(at(report, '/admin/login')).toBe('network_refused');
    expect(at(report, '/x')).toBe('allowed');
    expect(lists(report, 'apps/i12 path', /matches first/)).toBe(true);
  });

  test.each(['/admin(/|$)(.*)', '/admin/.*', '/admin$', '/admin/(.*)'])(
    'the report marks that %s restricted other cases of letters, too',
    async (path) => {
      const wider = async (text: string) => (await run(text)).differs.filter((it) => it.wider).map(({ text }) => text);
      expect(await wider(regex(inside, path) + regex({}, '/'))).toEqual([expect.stringMatching(/any case of letters/)]);
      expect(await wider(regex(inside, path))).not.toContainEqual(expect.stringMatching(/any case of letters/));
      expect(await wider(regex(inside, '/(.*)') + regex({}, '/'))).toEqual([]);
    },
  );

  test('below the folder of an expression that restricts access, its rules count beside those of other paths', async () => {
    const report = await run(regex(inside, '/api/v[0-9]+/internal') + regex({}, '/api/v1') + regex({}, '/'));
    expect(at(report, '/api/v1/internal')).toBe('network_refused');
  });
});

describe('with oauth2-proxy', () => {
  const config = `provider = "oidc"
oidc_issuer_url = "https://login.example.com"
client_id = "a"
email_domains = ["example.com"]
trusted_ips = ["198.51.100.0/24"]
`;
  const asks = async (annotations: Readonly<Record<string, string>>, second = '') => {
    const files = {
      'i.yaml':
        ingress('app', { 'auth-url': 'https://$host/oauth2/auth', ...annotations }, [['app.example.com', '/', 'app']]) +
        second,
    };
    return migrate({ command: 'ingress-nginx', files, beside: { 'o.cfg': config }, args: ['--oauth2-proxy', 'o.cfg'] });
  };
  const of = (report: Reported, network: string, claims?: object) =>
    decided(report.policy, { as: { network, ...(claims && { claims }) }, url: 'https://app.example.com/' });
  const ann = { sub: '1', email: 'ann@example.com', email_verified: true };

  test('an address that oauth2-proxy trusts needs no session, but an allow list counts too', async () => {
    expect(of(await asks({}), '198.51.100.1')).toBe('allowed');
    expect(of(await asks({}), '203.0.113.1')).not.toBe('allowed');
    const listed = await asks({ 'whitelist-source-range': '198.51.100.7, 192.0.2.1' });
    expect(of(listed, '198.51.100.7')).toBe('allowed');
    expect(of(listed, '198.51.100.1')).not.toBe('allowed');
    expect(of(listed, '192.0.2.1')).not.toBe('allowed');
    expect(of(listed, '192.0.2.1', ann)).toBe('allowed');
  });

  test('a deny list does not satisfy nginx, so satisfy: any still needs a session', async () => {
    const report = await asks({ satisfy: 'any', 'denylist-source-range': '203.0.113.0/24' });
    expect(of(report, '192.0.2.1')).not.toBe('allowed');
    expect(of(report, '203.0.113.1', ann)).toBe('allowed');
  });

  test('several addresses of oauth2-proxy: a warning that the policy has the people of one', async () => {
    const other = ingress('b', { 'auth-url': 'http://other.auth.svc/oauth2/auth' }, [['b.example.com', '/', 'b']]);
    expect((await asks({})).differs.some(({ option, wider }) => option === 'auth-url' && wider)).toBe(false);
    expect((await asks({}, other)).differs.some(({ option, wider }) => option === 'auth-url' && wider)).toBe(true);
  });

  test('the report shows no password of an address', async () => {
    const other = ingress('b', { 'auth-url': 'http://ann:hunter2@other.auth.svc/oauth2/auth' }, [
      ['b.example.com', '/', 'b'],
    ]);
    expect(JSON.stringify(await asks({}, other))).not.toContain('hunter2');
  });

  test('a path that leads to oauth2-proxy in front of a service is closed, and says what to do', async () => {
    const other = ingress('b', {}, [
      ['b.example.com', '/admin', 'oauth2-proxy', 4180],
      ['b.example.com', '/', 'app', 80],
    ]);
    const report = await asks({}, other);
    const at = (path: string) => decided(report.policy, { as: 'nobody', url: `https://b.example.com${path}` });
    expect([at('/'), at('/admin'), at('/admin/x')]).toEqual(['allowed', 'credential_missing', 'credential_missing']);
    expect(lists(report, 'apps/b /admin', /migrate oauth2-proxy --host/)).toBe(true);
  });
});

describe('addresses behind proxies', () => {
  const forwarded = 'use-forwarded-headers: "true", proxy-real-ip-cidr: "10.0.0.0/8"';

  test('the ranges of proxies are trusted', async () => {
    const { gateway } = policyOf(await run(ingress('a', {}, [['a.example.com', '/', 'a']]) + controllerOf(forwarded)));
    expect(gateway.trustedProxies).toEqual(['10.0.0.0/8']);
  });

  test('a wide range is not trusted where networks decide, and nothing is then denied by address alone', async () => {
    const text = ingress('a', { 'denylist-source-range': '203.0.113.0/24' }, [['a.example.com', '/', 'a']]);
    const report = await run(text + controllerOf(forwarded));
    expect(policyOf(report).gateway.trustedProxies ?? []).toEqual([]);
    expect(routeOf(report).allow.map(({ who }) => who)).toEqual([{ kind: 'role', role: 'fill-in' }]);
  });

  test.each([
    ...[forwarded, 'use-forwarded-headers: "true"', 'use-proxy-protocol: "1"'],
    ...['enable-real-ip: "true"', 'use-forwarded-headers: "true", proxy-real-ip-cidr: "0.0.0.0/0"'],
  ])('an allow list admits no caller if each client would have the address of a proxy: %s', async (data) => {
    const text = ingress('a', { 'whitelist-source-range': '10.0.0.0/8' }, [['a.example.com', '/', 'a']]);
    const report = await run(text + controllerOf(data));
    expect(decided(report.policy, { as: { network: '10.0.0.7' }, url: 'https://a.example.com/' })).not.toBe('allowed');
    expect(lists(report, 'apps/a whitelist-source-range', /address of the proxy/)).toBe(true);
  });

  test('trusted addresses of oauth2-proxy need a credential if each client would have the address of a proxy', async () => {
    const config =
      'provider = "oidc"\noidc_issuer_url = "https://l.example.com"\nclient_id = "a"\nemail_domains = ["a.example"]\nreverse_proxy = true\ntrusted_ips = ["10.0.0.0/8"]\n';
    const of = (data: string) =>
      migrate({
        command: 'ingress-nginx',
        files: {
          'i.yaml':
            ingress('a', { 'auth-url': 'https://$host/oauth2/auth' }, [['a.example.com', '/', 'a']]) +
            controllerOf(data),
        },
        beside: { 'o.cfg': config },
        args: ['--oauth2-proxy', 'o.cfg'],
      });
    const from = async (data: string) =>
      decided((await of(data)).policy, { as: { network: '10.0.0.7' }, url: 'https://a.example.com/' });
    expect(await from('use-forwarded-headers: "true"')).toBe('credential_missing');
    expect(await from('hsts: "false"')).toBe('allowed');
  });

  test('a snippet of the ConfigMap that may decide about callers closes every path', async () => {
    const text = ingress('a', {}, [['a.example.com', '/', 'a']]) + controllerOf('location-snippet: "deny 1.2.3.4;"');
    const report = await run(text);
    expect(routeOf(report).allow.map(({ who }) => who)).toEqual([{ kind: 'role', role: 'fill-in' }]);
    expect(lists(report, 'ConfigMap location-snippet', /closed/)).toBe(true);
  });
});

const listed = (annotations: string) => `
kind: List
items:
  - kind: Ingress
    metadata: { name: a, annotations: &auth { nginx.ingress.kubernetes.io/auth-url: "https://login.example.com/oauth2/auth" } }
    spec: &spec
      rules: [{ host: a.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: a, port: { number: 80 } } } }] } }]
  - kind: Ingress
    metadata:
      name: b
      annotations:
${annotations}
    spec:
      rules: [{ host: b.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: b, port: { number: 80 } } } }] } }]
`;

test('an annotation that comes by a merge key closes the paths, as kubectl reads it', async () => {
  const report = await run(listed('        <<: *auth\n        nginx.ingress.kubernetes.io/proxy-body-size: 8m'));
  const hosts = policyOf(report).hosts.map(({ name, routes }) => [name, routes[0]!.allow.map(({ who }) => who.kind)]);
  expect(hosts).toEqual([
    ['a.example.com', ['role']],
    ['b.example.com', ['role']],
  ]);
});

test('a Kustomization beside Ingresses gives no policy, because it can add annotations to them', async () => {
  const files = { 'i.yaml': listed('        a: b'), 'kustomization.yaml': 'kind: Kustomization\n' };
  const ran = await meshgate(['migrate', 'ingress-nginx', 'i.yaml', 'kustomization.yaml'], { files });
  expect(ran).toMatchObject({ code: 1, out: '' });
  expect(ran.err).toContain('kubectl kustomize');
});

test('files without an Ingress, and text that is not YAML, give no policy', async () => {
  for (const text of ['kind: Service\n', 'a: [hunter2\n']) {
    const ran = await meshgate(['migrate', 'ingress-nginx', 'i.yaml'], { files: { 'i.yaml': text } });
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).not.toContain('hunter2');
  }
});
