/** The manifests for kustomize are what the chart renders, and `kubectl apply -k` takes them with a policy. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { testStage } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { chartHash, MANIFESTS } from '../unit/chart/chart-hash.ts';
import { lacksHelm, renderChart } from './chart/helm.ts';
import { sealed, TOKENS } from './chart/values.ts';
import { lacksMesh, readObjects, startKube } from './lab/index.ts';

/** Templates that plain manifests have no use for: the policy is the user's, and a hook is Helm's. */
const OTHERS = /templates\/policy/;

describeWith(lacksHelm(), 'the manifests', () => {
  test.each(MANIFESTS)('%s is what the chart renders', async (folder) => {
    const values = parse(readFileSync(`${folder}/values.yaml`, 'utf8'));
    const objects = renderChart({ values }, 'meshgate')
      .split(/^---\n/m)
      .filter((text) => text.trim() !== '' && !OTHERS.test(text))
      .map((text) => text.replace(/^# Source: .*\n/, '').trimEnd())
      // Helm manages none of them.
      .map((text) => text.replace(/^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, ''));
    const head = `# Rendered from nginx/chart ${chartHash(folder)}: change the chart, and run "make manifests".`;
    const text = `${[head, ...objects].join('\n---\n').replace('\n---\n', '\n')}\n`;
    await expect(text).toMatchFileSnapshot(`../../${folder}/gateway.yaml`);
  });
});

/** The file of a block in docs/kubernetes.md. */
function blockOf(name: string): string {
  const page = readFileSync('docs/kubernetes.md', 'utf8');
  const [, text = ''] = new RegExp(`^\`\`\`yaml ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page) ?? [];
  return text;
}

describeWith(lacksMesh(), 'a real API server', async () => {
  const stage = await testStage('manifests');

  test('takes the manifests and the kustomization of the docs', async () => {
    const kube = await startKube(stage);
    const names = ['gateway.yaml', 'kustomization.yaml'];
    const base = MANIFESTS.flatMap((folder) =>
      names.map((name) => [`/tmp/k/${folder}/${name}`, readFileSync(`${folder}/${name}`, 'utf8')]),
    );
    const own = blockOf('edge/kustomization.yaml');
    await kube.box.write({
      ...Object.fromEntries(base),
      '/tmp/k/edge/kustomization.yaml': own,
      '/tmp/k/edge/meshgate.yaml': TOKENS,
      '/tmp/k/sealed/kustomization.yaml': own
        .replace('../nginx/manifests', '../nginx/manifests/sealed')
        .replace('namespace: edge', 'namespace: sealed'),
      '/tmp/k/sealed/meshgate.yaml': sealed(),
    });
    await kube.namespace('sealed');
    const applied = await kube.box.exec('kubectl', 'apply', '-k', '/tmp/k/sealed');
    expect([applied.exitCode, applied.stderr]).toEqual([0, '']);
    expect(applied.stdout).toContain('statefulset.apps/meshgate created');
    expect(applied.stdout).not.toContain('deployment.apps');
    await kube.namespace('edge');
    const built = await kube.box.exec('kubectl', 'kustomize', '/tmp/k/edge');
    expect(built.stderr).toBe('');
    const edge = await kube.box.exec('kubectl', 'apply', '-k', '/tmp/k/edge');
    expect([edge.exitCode, edge.stderr]).toEqual([0, '']);
    const objects = readObjects(built.stdout);
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    const policy = objects.find(({ kind }) => kind === 'ConfigMap');
    expect(policy).toMatchObject({ metadata: { name: 'meshgate-policy' }, data: { 'meshgate.yaml': TOKENS } });
    expect(JSON.stringify(deployment?.spec)).toContain('"configMap":{"name":"meshgate-policy"');
    expect(JSON.stringify(deployment?.spec)).toContain('"image":"registry.example.com/meshgate:0.1.0"');
  });
});
