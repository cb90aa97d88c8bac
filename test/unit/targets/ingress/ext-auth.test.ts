/** External authentication: the objects with which a controller asks a sidecar. */
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { ingressTargets } from '../../../../src/targets/ingress/index.ts';
import type { IngressOptions } from '../../../../src/targets/ingress/types.ts';

const TEXT = `version: 1
gateway: { insecure_http: true, listen: 8080, resolver: [10.96.0.10], session: { keys_file: /run/s.jwks } }
providers:
  idp: { issuer: https://login.example.com, audiences: [api://wiki], client: { id: g, secret_file: /run/secret } }
headers: { X-Forwarded-User: subject }
services:
  wiki: { insecure_url: "http://wiki.wiki.svc.cluster.local:8090" }
  files: { url: "https://files:8443" }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [authenticated] }
    /files/*: { service: files, allow: [authenticated] }
    /status: { service: wiki, allow: [anyone] }
  one.example.com:
    /*: { service: wiki, allow: [authenticated] }
    /x/*: { service: wiki, allow: [authenticated] }
`;

function render(target: 'nic' | 'ngf', form: string, text = TEXT, options: Partial<IngressOptions> = {}) {
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(JSON.stringify(errors));
  const emitted = ingressTargets[target].emit(policy, compile(policy), { bundles: {}, form, ...options });
  // biome-ignore lint/suspicious/noExplicitAny: objects of several kinds
  const objects = loadAll(emitted.files['hosts.yaml']!) as any[];
  return { ...emitted, objects };
}

const FORMS = [
  ['nic', 'external-auth'],
  ['nic', 'external-auth-ingress'],
  ['ngf', 'external-auth'],
] as const;

describe.each(FORMS)('%s %s', (target, form) => {
  const rendered = render(target, form);

  test('the objects are those of the golden folder, with all gaps, and nothing is mounted', async () => {
    expect(Object.keys(rendered.files)).toEqual(['hosts.yaml']);
    const text = rendered.files['hosts.yaml']!;
    for (const gap of rendered.gaps) expect(text).toContain(`# gap: ${gap.part}: ${gap.text}\n`);
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'golden', `${target}-${form}.yaml`));
  });

  test('a sidecar that listens with TLS, and a service that is not in the cluster, are gaps', () => {
    const gaps = (text: string) =>
      render(target, form, text)
        .gaps.map(({ text: it }) => it)
        .join('\n');
    expect(gaps(TEXT)).not.toContain('asks over plain HTTP');
    expect(gaps(TEXT.replace('insecure_http: true', 'tls: { cert_file: /a, key_file: /b }'))).toContain(
      'asks over plain HTTP',
    );
    expect(gaps(TEXT)).not.toContain('names no Service of Kubernetes');
    expect(gaps(TEXT.replace('wiki.wiki.svc.cluster.local', 'wiki.example.org'))).toContain(
      'the policy names no Service of Kubernetes, so hosts.yaml has the name wiki',
    );
  });

  test('the controller chooses a backend only by paths of other services', () => {
    const text = JSON.stringify(rendered.objects.filter((it) => JSON.stringify(it).includes('"one.example.com"')));
    expect(text).not.toContain('"/x');
    expect(text).toContain('8090');
  });
});

test('with another public port, NIC names what the sidecar rejects: unsafe requests with a session, and DPoP proofs', () => {
  const unsigned = TEXT.replace(', session: { keys_file: /run/s.jwks }', '').replace(
    ', client: { id: g, secret_file: /run/secret }',
    '',
  );
  const saying = (gateway: string, text = TEXT) =>
    render('nic', 'external-auth', text.replace('insecure_http: true', `insecure_http: true, ${gateway}`))
      .gaps.filter(({ part }) => part === 'gateway.public_port')
      .map((gap) => gap.text);
  const begins = 'NIC tells the sidecar the host without its port 8443: ';
  expect(saying('public_port: 8443')).toEqual([
    `${begins}unsafe requests with a session are rejected; use the port 443`,
  ]);
  expect(saying('public_port: 8443, proof: {}')).toEqual([
    `${begins}unsafe requests with a session and DPoP proofs are rejected; use the port 443`,
  ]);
  expect(saying('public_port: 8443, proof: {}', unsigned)).toEqual([
    `${begins}DPoP proofs are rejected; use the port 443`,
  ]);
  expect(saying('public_port: 8443', unsigned)).toEqual([]);
  expect(saying('proof: {}')).toEqual([]);
});

const MANY = TEXT.replace(
  '    /status: { service: wiki, allow: [anyone] }\n',
  `    /: { service: files, allow: [anyone] }
    /files: { service: wiki, allow: [anyone] }
${Array.from({ length: 20 }, (_, i) => `    /r${i}/*: { service: files, allow: [authenticated] }\n`).join('')}`,
);

test('NIC: the exact path / has its own service, and each path is there once', () => {
  const find = (form: string) =>
    render('nic', form, MANY).objects.find(
      ({ spec }) => spec.host === 'wiki.example.com' || spec.rules?.[0].host === 'wiki.example.com',
    ).spec;
  const server = find('external-auth').routes.map((it: { path: string; action: { pass: string } }) => [
    it.path,
    it.action.pass,
  ]);
  expect(Object.fromEntries(server)).toMatchObject({
    ...{ '/': 'wiki-8090', '=/': 'files-8443' },
    ...{ '=/files': 'wiki-8090', '/files/': 'files-8443' },
  });
  const ingress = find('external-auth-ingress').rules[0].http.paths.map(
    (it: { path: string; pathType: string; backend: { service: { name: string } } }) =>
      [it.pathType, it.path, it.backend.service.name].join(' '),
  );
  expect(ingress).toEqual(
    expect.arrayContaining(['Prefix / wiki', 'Exact / files', 'Exact /files wiki', 'Prefix /files/ files']),
  );
  for (const all of [server.map(([path]: [string]) => path), ingress]) expect(new Set(all).size).toBe(all.length);
});

test('NGF: a host with many paths has several routes, each with at most 16 rules', () => {
  const routes = render('ngf', 'external-auth', MANY).objects.filter(
    ({ spec }) => spec.hostnames[0] === 'wiki.example.com',
  );
  expect(routes.map(({ metadata, spec }) => [metadata.name, spec.rules.length])).toEqual([
    ['meshgate-wiki-example-com', 16],
    ['meshgate-wiki-example-com---2', 9],
  ]);
  const paths = routes.flatMap(({ spec }) => spec.rules.slice()).flatMap(({ matches }) => matches);
  expect(paths).toContainEqual({ path: { type: 'Exact', value: '/' } });
  for (const { filters, matches } of routes.flatMap(({ spec }) => spec.rules))
    expect([matches[0].path.value, filters?.[0].type]).toEqual([
      matches[0].path.value,
      matches[0].path.value === '/.meshgate' ? undefined : 'ExternalAuth',
    ]);
});

test('a prefix covers its own path in NIC, and is no redirect', () => {
  const virtualServer = render('nic', 'external-auth').objects.find(({ spec }) => spec.host === 'wiki.example.com');
  const paths = virtualServer.spec.routes.map((it: { path: string; action: object }) => [it.path, it.action]);
  expect(paths).toEqual([
    ['/', { pass: 'wiki-8090' }],
    ['=/files', { pass: 'files-8443' }],
    ['/files/', { pass: 'files-8443' }],
    ['=/status', { pass: 'wiki-8090' }],
  ]);
  expect(virtualServer.spec.upstreams).toContainEqual({
    ...{ name: 'files-8443', service: 'files', port: 8443 },
    tls: { enable: true },
  });
  expect(virtualServer.spec.tls.redirect).toEqual({ enable: true });
});

test('NGF gets at most 64 headers, with those of the policy first, and the others are a gap', () => {
  const { objects, gaps } = render('ngf', 'external-auth');
  const { http } = objects[0].spec.rules[1].filters[0].externalAuth;
  expect(http.allowedResponseHeaders.length).toBe(64);
  expect(http.allowedResponseHeaders.slice(0, 2)).toEqual(['X-Forwarded-User', 'X-Meshgate-Route']);
  expect(http.allowedResponseHeaders).toEqual(
    expect.arrayContaining(['Authorization', 'Cookie', 'X-Meshgate-Assertion', 'X-Meshgate-Erased', 'DPoP']),
  );
  expect(http.allowedHeaders).toEqual(expect.arrayContaining(['cookie', 'origin', 'sec-fetch-site', 'upgrade']));
  const listed = gaps.find(({ text }) => text.includes('allows 64 headers in allowedResponseHeaders'))!.text;
  for (const name of http.allowedResponseHeaders) expect(listed.split(/: |, /)).not.toContain(name);
  expect(listed).toContain('X-Client-IP');
});

test('the sidecar can have another name', () => {
  const { objects, notes } = render('nic', 'external-auth', TEXT, { sidecar: { name: 'asked', port: 9000 } });
  expect(objects[0]).toMatchObject({
    metadata: { name: 'asked' },
    spec: { externalAuth: { authURI: '/auth-request', authServiceName: 'asked', authServicePorts: [9000] } },
  });
  expect(objects[1].spec['server-snippets']).toContain('_vs_exauth_${resource_namespace}_asked";');
  expect(notes?.join()).toContain('the Service asked at port 9000');
});
