import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { testStage } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { installLinkerdCrds, type Kube, lacksLinkerdCrds, lacksMesh, readObjects, startLab } from './lab/index.ts';

/** Objects of every golden folder of a target, by folder. */
function goldens(target: string): [string, string][] {
  const root = fileURLToPath(new URL(`../unit/targets/${target}/golden`, import.meta.url));
  return readdirSync(root).map((folder) => {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    const rendered = files.filter((file) => /\.yaml$/.test(file) && !/^(policy|kustomization)\.yaml$/.test(file));
    return [folder, rendered.map((file) => readFileSync(join(root, folder, file), 'utf8')).join('---\n')];
  });
}

describeWith(lacksMesh(), 'a strict API server, and istiod, accept every rendered object', async () => {
  const stage = await testStage('strict');
  let kube: Kube;
  beforeAll(async () => {
    ({ kube } = await startLab(stage));
  });

  test.each(goldens('istio'))('Istio: %s', async (_, text) => {
    expect(readObjects(text).length).toBeGreaterThan(0);
    expect(await kube.refusals(text)).toEqual([]);
  });

  describeWith(lacksLinkerdCrds(), 'with its definitions', () => {
    beforeAll(() => installLinkerdCrds(kube));

    test.each(goldens('linkerd'))('Linkerd: %s', async (_, text) => {
      expect(readObjects(text).length).toBeGreaterThan(0);
      expect(await kube.refusals(text)).toEqual([]);
    });

    test('and refuses an unknown field and an invalid value', async () => {
      const [, text] = goldens('linkerd')[0]!;
      const words = (changed: string) => kube.refusals(changed).then((all) => all.join());
      expect(await words(text.replace('accessPolicy:', 'accessPolicies:'))).toContain('accessPolicies');
      expect(await words(text.replace('"PathPrefix"', '"Prefix"'))).toContain('Prefix');
    });
  });
});
