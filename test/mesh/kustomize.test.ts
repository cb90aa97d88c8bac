/** `kubectl apply -k` accepts the rendered folders, and the live objects are then those that the policy renders to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { testStage } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { meshgate } from '../unit/cli/fake.ts';
import {
  installLinkerdCrds,
  type Kube,
  type KubeObject,
  lacksLinkerdCrds,
  lacksMesh,
  readObjects,
  startKube,
  titleOf,
} from './lab/index.ts';

const ROOT = fileURLToPath(new URL('../unit/targets', import.meta.url));
const golden = (target: string, name: string) => join(ROOT, target, 'golden', name);

/** The rendered files of a golden folder: path → text. */
function rendered(target: string, name: string): Readonly<Record<string, string>> {
  const files = readdirSync(golden(target, name), { recursive: true, encoding: 'utf8' });
  const yaml = files.filter((file) => file.endsWith('.yaml') && file !== 'policy.yaml');
  return Object.fromEntries(yaml.map((file) => [file, readFileSync(join(golden(target, name), file), 'utf8')]));
}

function objectsOf(files: Readonly<Record<string, string>>): readonly KubeObject[] {
  return Object.entries(files).flatMap(([file, text]) => (file === 'kustomization.yaml' ? [] : readObjects(text)));
}

/** Sorted by name: kustomize has its own order. */
const named = (objects: readonly KubeObject[]) => new Map(objects.map((it) => [titleOf(it), it]));

const KINDS = /kubectl get ([\w.,]+)/.exec(readFileSync('docs/istio.md', 'utf8'))?.[1] ?? '';
const LINKERD_KINDS =
  /^ +([\w.,]+policy\.linkerd\.io) > live\.yaml$/m.exec(readFileSync('docs/linkerd.md', 'utf8'))?.[1] ?? '';

/** No controller of Linkerd runs here: adds the status that it writes once it has accepted a route. */
function accepted(live: string): string {
  const list = parse(live) as {
    readonly items: readonly { kind: string; spec: { parentRefs: unknown[] }; status?: unknown }[];
  };
  for (const route of list.items.filter(({ kind }) => kind === 'HTTPRoute')) {
    const conditions = [{ type: 'Accepted', status: 'True' }];
    const controllerName = 'linkerd.io/policy-controller';
    route.status = { parents: route.spec.parentRefs.map((parentRef) => ({ controllerName, parentRef, conditions })) };
  }
  // kubectl writes YAML 1.1.
  return stringify(list, { aliasDuplicateObjects: false, version: '1.1' });
}

describeWith(lacksMesh(), 'kubectl', async () => {
  const stage = await testStage('kustomize');
  const namespaces = new Set<string>();
  let kube: Kube;
  const lacks = { istio: undefined, linkerd: lacksLinkerdCrds() };
  beforeAll(async () => {
    kube = await startKube(stage);
    if (lacks.linkerd === undefined) await installLinkerdCrds(kube);
  });

  async function kubectl(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await kube.box.exec('kubectl', ...args);
    expect(exitCode, stderr).toBe(0);
    return stdout;
  }

  /** Puts a golden folder into the container. */
  async function folder(target: string, name: string): Promise<string> {
    const into = `/tmp/${target}-${name}`;
    const files = Object.entries(rendered(target, name));
    await kube.box.write(Object.fromEntries(files.map(([file, text]) => [`${into}/${file}`, text])));
    return into;
  }

  const targets = ['istio', 'linkerd'] as const;
  const goldens = targets.flatMap((target) =>
    readdirSync(join(ROOT, target, 'golden')).map((name) => [target, name] as const),
  );

  test.each(goldens)('builds the folder for %s, %s: all of its objects, and no others', async (target, name) => {
    const built = readObjects(await kubectl('kustomize', await folder(target, name)));
    const objects = objectsOf(rendered(target, name));
    expect(objects.length).toBeGreaterThan(0);
    expect(built).toHaveLength(objects.length);
    expect(named(built)).toEqual(named(objects));
  });

  test.for(targets)(
    'the live objects after `apply -k` are those that the policy renders to: %s',
    async (target, { skip }) => {
      if (lacks[target] !== undefined) skip(lacks[target]);
      const name = 'confluence';
      const into = await folder(target, name);
      for (const { metadata } of objectsOf(rendered(target, name))) {
        const { namespace = '' } = metadata;
        if (!namespaces.has(namespace)) await kubectl('create', 'namespace', namespace);
        namespaces.add(namespace);
      }
      await kubectl('apply', '-k', into);
      const asked = target === 'istio' ? [KINDS, '-A'] : ['-A', LINKERD_KINDS];
      const live = accepted(await kubectl('get', '-o', 'yaml', ...asked));
      expect(live).toContain('resourceVersion: "');
      const files = { 'meshgate.yaml': readFileSync(join(golden(target, name), 'policy.yaml'), 'utf8'), '-': live };
      expect(await meshgate(['prove', '--target', target, 'meshgate.yaml', '-'], { files })).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^yes: meshgate\.yaml and stdin allow the same requests/),
        err: '',
      });
    },
  );
});
