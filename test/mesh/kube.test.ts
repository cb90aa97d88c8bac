import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { parsePolicy } from '../../src/policy/index.ts';
import { compile } from '../../src/rules/compile.ts';
import { renderSidecar } from '../../src/targets/ext-authz/render-sidecar.ts';
import { nginxOptions } from '../../src/targets/nginx/options.ts';
import { renderFor } from '../gateway/ingress/controllers.ts';
import { testStage } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import {
  installLinkerdCrds,
  type Kube,
  type KubeObject,
  lacksLinkerdCrds,
  lacksMesh,
  readObjects,
  startKube,
} from './lab/index.ts';

describeWith(lacksMesh(), 'a real API server', async () => {
  const stage = await testStage('kube');
  let kube: Kube;
  beforeAll(async () => {
    kube = await startKube(stage);
  });

  const policy: KubeObject = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'one', namespace: 'wiki' },
    spec: { action: 'ALLOW', rules: [{ to: [{ operation: { methods: ['GET'] } }] }] },
  };

  test('accepts a valid object and stores nothing', async () => {
    expect(await kube.verdict(policy)).toEqual({ accepted: true });
    expect(await kube.read(policy)).toBeUndefined();
  });

  test.each([
    ['a field that is not there', { action: 'ALLOW', rule: [] }, /\.spec\.rule: field not declared in schema/],
    ['a wrong value', { action: 'PERMIT' }, /spec\.action: Unsupported value: "PERMIT"/],
    ['a wrong type', { rules: 'all' }, /\.spec\.rules: expected list/],
  ])('refuses %s with its own error', async (_, spec, words) => {
    const verdict = await kube.verdict({ ...policy, spec });
    expect(verdict).toEqual({ accepted: false, words: expect.stringMatching(words) });
  });

  test('refuses a kind that is not defined', async () => {
    expect(await kube.refusals({ ...policy, kind: 'AuthorisationPolicy' })).toEqual([
      'the API server knows no AuthorisationPolicy in security.istio.io/v1',
    ]);
  });

  test('applies, changes and deletes objects, and removes a field', async () => {
    await kube.apply(policy);
    await kube.apply({ ...policy, spec: { rules: [] } });
    expect((await kube.read(policy))?.spec).toEqual({ rules: [] });
    await kube.delete(policy);
    expect(await kube.read(policy)).toBeUndefined();
  });

  test('accepts the objects with which an ingress of Istio asks a sidecar', async () => {
    const { policy } = parsePolicy(readFileSync('test/demo/meshgate.yaml', 'utf8'), 'meshgate.yaml');
    const { files } = renderSidecar(policy!, compile(policy!), nginxOptions({ dir: '/etc/nginx/meshgate' }));
    const objects = readObjects(files['ingress/istio.yaml'] as string);
    expect(objects.map(({ kind }) => kind)).toEqual(['AuthorizationPolicy', 'VirtualService']);
    for (const object of objects) expect(await kube.verdict(object)).toEqual({ accepted: true });
  });

  test('accepts the witness of the guide', async () => {
    const section = readFileSync('docs/kubernetes.md', 'utf8').split('\n### A witness\n')[1]!;
    const objects = readObjects(section.match(/```yaml\n([\s\S]*?)```/)![1]!);
    expect(objects.map(({ kind }) => kind)).toEqual(['Service', 'StatefulSet']);
    for (const object of objects) expect(await kube.verdict(object)).toEqual({ accepted: true });
  });

  test('accepts what is rendered for ingress controllers, with the real JavaScript', async () => {
    const text = readFileSync('test/demo/meshgate.yaml', 'utf8');
    for (const form of ['configmap', 'ingress', 'mergeable']) {
      const { files } = renderFor('nic', text, '--form', form);
      const objects = [...files['files.yaml']!, ...(files['hosts.yaml'] ?? [])];
      const { volumes, volumeMounts } = files['values.yaml']![0].controller;
      const container = { name: 'nginx', image: 'nginx', volumeMounts };
      objects.push({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'controller' },
        spec: { containers: [container], volumes },
      });
      expect(objects.map(({ kind }) => kind)).toContain('ConfigMap');
      for (const object of objects) {
        const metadata = { ...object.metadata, namespace: 'wiki' };
        expect([object.kind, await kube.verdict({ ...object, metadata })]).toEqual([object.kind, { accepted: true }]);
      }
    }
  });

  test("knows Linkerd's objects", async ({ skip }) => {
    const lacks = lacksLinkerdCrds();
    if (lacks !== undefined) skip(lacks);
    await installLinkerdCrds(kube);
    const server = {
      apiVersion: 'policy.linkerd.io/v1beta3',
      kind: 'Server',
      metadata: { name: 'wiki', namespace: 'wiki' },
      spec: { podSelector: { matchLabels: { app: 'wiki' } }, port: 8080, proxyProtocol: 'HTTP/1' },
    };
    expect(await kube.verdict(server)).toEqual({ accepted: true });
    expect(await kube.refusals({ ...server, spec: { ...server.spec, ports: 1 } })).toEqual([
      expect.stringMatching(/\.spec\.ports: field not declared in schema/),
    ]);
  });
});
