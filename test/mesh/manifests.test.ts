/** The manifests for kustomize are what the chart renders, and `kubectl apply -k` takes them with a policy. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { testStage } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { chartHash } from '../unit/chart/chart-hash.ts';
import { lacksHelm, renderChart } from './chart/helm.ts';
import { TOKENS } from './chart/values.ts';
import { lacksMesh, readObjects, startKube } from './lab/index.ts';

const FOLDER = 'nginx/manifests';

/** Templates that plain manifests have no use for: the policy is the user's, and a hook is Helm's. */
const OTHERS = /templates\/policy/;

describeWith(lacksHelm(), 'nginx/manifests', () => {
  test('is what the chart renders', async () => {
    const values = parse(readFileSync(`${FOLDER}/values.yaml`, 'utf8'));
    const objects = renderChart({ values }, 'meshgate')
      .split(/^---\n/m)
      .filter((text) => text.trim() !== '' && !OTHERS.test(text))
      .map((text) => text.replace(/^# Source: .*\n/, '').trimEnd())
      // Helm manages none of them.
      .map((text) => text.replace(/^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, ''));
    const head = `# Rendered from nginx/chart ${chartHash()}: change the chart, and run "make manifests".`;
    const text = `${[head, ...objects].join('\n---\n').replace('\n---\n', '\n')}\n`;
    await expect(text).toMatchFileSnapshot(`../../${FOLDER}/gateway.yaml`);
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
    const base = names.map((name) => [`/tmp/k/nginx/manifests/${name}`, readFileSync(`${FOLDER}/${name}`, 'utf8')]);
    await kube.box.write({
      ...Object.fromEntries(base),
      '/tmp/k/edge/kustomization.yaml': blockOf('edge/kustomization.yaml'),
      '/tmp/k/edge/meshgate.yaml': TOKENS,
    });
    await kube.namespace('edge');
    const built = await kube.box.exec('kubectl', 'kustomize', '/tmp/k/edge');
    expect(built.stderr).toBe('');
    const applied = await kube.box.exec('kubectl', 'apply', '-k', '/tmp/k/edge');
    expect([applied.exitCode, applied.stderr]).toEqual([0, '']);
    const objects = readObjects(built.stdout);
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    const policy = objects.find(({ kind }) => kind === 'ConfigMap');
    expect(policy).toMatchObject({ metadata: { name: 'meshgate-policy' }, data: { 'meshgate.yaml': TOKENS } });
    expect(JSON.stringify(deployment?.spec)).toContain('"configMap":{"name":"meshgate-policy"');
    expect(JSON.stringify(deployment?.spec)).toContain('"image":"registry.example.com/meshgate:0.1.0"');
  });
});
