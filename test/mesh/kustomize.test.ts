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
/** Without the kinds that this cluster does not have. */
const LINKERD_KINDS = (
  /^ +(servers\.policy[\w.,]+linkerd\.io)[\w.,]* > live\.yaml$/m.exec(readFileSync('docs/linkerd.md', 'utf8'))?.[1] ??
  ''
)
  .split(',')
  .filter((kind) => kind.endsWith('.policy.linkerd.io'))
  .join(',');

/** Where a live object differs from the rendered one. Fields that only the live one has are the server's. */
function drift(rendered: unknown, live: unknown, path: string): readonly string[] {
  const text = (value: unknown) => JSON.stringify(value) ?? 'nothing';
  if (typeof rendered !== 'object' || rendered === null || typeof live !== 'object' || live === null) {
    return text(rendered) === text(live) ? [] : [`${path}: ${text(rendered)} became ${text(live)}`];
  }
  if (Array.isArray(rendered) && Array.isArray(live) && rendered.length !== live.length) {
    return [`${path}: ${rendered.length} entries became ${live.length}`];
  }
  return Object.entries(rendered).flatMap(([key, value]) =>
    drift(value, (live as Record<string, unknown>)[key], `${path}.${key}`),
  );
}

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

  /** Makes the namespaces of a golden folder's objects: kubectl creates none that is missing. */
  async function namespacesOf(target: string, name: string): Promise<void> {
    const all = objectsOf(rendered(target, name)).map(({ metadata: { namespace = '' } }) => namespace);
    await Promise.all([...new Set(all)].map((namespace) => kube.namespace(namespace)));
  }

  const targets = ['istio', 'linkerd'] as const;
  const goldens = targets.flatMap((target) =>
    readdirSync(join(ROOT, target, 'golden')).map((name) => [target, name] as const),
  );

  const folder = (target: string, name: string): string => `/tmp/${target}-${name}`;
  // At once: each write starts a process in the container.
  beforeAll(async () => {
    const files = goldens.flatMap(([target, name]) =>
      Object.entries(rendered(target, name)).map(([file, text]) => [`${folder(target, name)}/${file}`, text] as const),
    );
    await kube.box.write(Object.fromEntries(files));
  });

  test.each(goldens)('builds the folder for %s, %s: all of its objects, and no others', async (target, name) => {
    const built = readObjects(await kubectl('kustomize', folder(target, name)));
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
      await namespacesOf(target, name);
      await kubectl('apply', '-k', folder(target, name));
      const requested = target === 'istio' ? [KINDS, '-A'] : ['-A', LINKERD_KINDS];
      const live = accepted(await kubectl('get', '-o', 'yaml', ...requested));
      expect(live).toContain('resourceVersion: "');
      const files = { 'meshgate.yaml': readFileSync(join(golden(target, name), 'policy.yaml'), 'utf8'), '-': live };
      expect(await meshgate(['prove', '--target', target, 'meshgate.yaml', '-'], { files })).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^yes: meshgate\.yaml and stdin allow the same requests/),
        err: '',
      });
    },
  );

  test.for(targets)('of two policies, the labels of one delete its objects only: %s', async (target, { skip }) => {
    if (lacks[target] !== undefined) skip(lacks[target]);
    const kinds = target === 'istio' ? KINDS : LINKERD_KINDS;
    const policy = readFileSync(join(golden(target, 'confluence'), 'policy.yaml'), 'utf8');
    const other = readFileSync(join(golden(target, 'named'), 'policy.yaml'), 'utf8');
    const labels = ['app.kubernetes.io/managed-by=meshgate', 'meshgate/gateway='];
    const prove = async (text: string) => {
      const live = accepted(await kubectl('get', '-A', '-o', 'yaml', kinds));
      const files = { 'meshgate.yaml': text, '-': live };
      return (await meshgate(['prove', '--target', target, 'meshgate.yaml', '-'], { files })).code;
    };
    await kubectl('delete', kinds, '-A', '-l', labels[0]!);
    for (const name of ['confluence', 'named']) {
      await namespacesOf(target, name);
      await kubectl('apply', '-k', folder(target, name));
    }
    expect([await prove(policy), await prove(other)]).toEqual([0, 0]);
    await kubectl('delete', kinds, '-A', '-l', `${labels[0]},${labels[1]}team-a---east`);
    expect(await prove(policy)).toBe(0);
    expect(await prove(other)).not.toBe(0);
    const left = readObjects(await kubectl('get', '-A', '-o', 'yaml', kinds, '-l', labels[0]!));
    expect(left.map(titleOf).sort()).toEqual(objectsOf(rendered(target, 'confluence')).map(titleOf).sort());
  });

  /** The commands under a heading of docs/linkerd.md. */
  function commandsOf(heading: string): readonly string[] {
    const text = readFileSync('docs/linkerd.md', 'utf8').split(`\n### ${heading}\n`)[1] ?? '';
    const [, block = ''] = /^```sh\n([\s\S]*?)^```$/m.exec(text) ?? [];
    const lines = block.replace(/\\\n +/g, '').split('\n');
    return lines.filter((line) => !/^(#|meshgate |sleep |$)/.test(line));
  }

  test('the steps of the docs replace all objects of Linkerd and leave no copy', async ({ skip }) => {
    if (lacks.linkerd !== undefined) skip(lacks.linkerd);
    const policy = readFileSync(join(golden('linkerd', 'identities'), 'policy.yaml'), 'utf8');
    const less = policy.replace(/^ {4}\/a\/b\/c:.*\n/m, '').replace('/x/*', '/y/*');
    const render = async (text: string, into: string, ...flags: string[]) => {
      const { written } = await meshgate(['render', '--target', 'linkerd', '--out', into, ...flags, 'x'], {
        files: { x: text },
      });
      await kube.box.write(written);
    };
    const live = async () =>
      readObjects(
        await kubectl('get', '-A', '-o', 'yaml', LINKERD_KINDS, '-l', 'app.kubernetes.io/managed-by=meshgate'),
      );
    const run = async (commands: readonly string[]) => {
      const settings = commands.filter((line) => /^\w+=/.test(line)).join('\n');
      for (const command of commands.filter((line) => !/^\w+=/.test(line))) {
        // No controller of Linkerd runs here.
        if (command.startsWith('kubectl wait')) {
          for (const route of (await live()).filter(({ kind }) => kind === 'HTTPRoute')) await accept(route);
        }
        const { exitCode, stderr } = await kube.box.exec('sh', '-c', `cd /tmp/steps\n${settings}\n${command}`);
        expect([exitCode, command, stderr]).toEqual([0, command, expect.any(String)]);
      }
    };
    const accept = ({ apiVersion, kind, metadata: { name, namespace }, spec }: KubeObject) => {
      const { parentRefs } = spec as { readonly parentRefs: readonly unknown[] };
      const conditions = [
        {
          type: 'Accepted',
          status: 'True',
          reason: 'Accepted',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ];
      const parents = parentRefs.map((parentRef) => ({
        controllerName: 'linkerd.io/policy-controller',
        parentRef,
        conditions,
      }));
      return kube.applyStatus({
        apiVersion,
        kind,
        metadata: { name, ...(namespace !== undefined && { namespace }) },
        status: { parents },
      });
    };
    const contents = (objects: readonly KubeObject[]) =>
      new Map(objects.map((it) => [titleOf(it), JSON.stringify([it.metadata.labels, it.spec])]));

    await kube.namespace('apps');
    await kubectl('delete', LINKERD_KINDS, '-A', '-l', 'app.kubernetes.io/managed-by=meshgate');
    await render(policy, '/tmp/steps/linkerd');
    await run(commandsOf('Apply it in steps'));
    expect((await live()).map(titleOf).sort()).toEqual(
      objectsOf(rendered('linkerd', 'identities')).map(titleOf).sort(),
    );

    const old = (await live()).find(({ kind }) => kind === 'Server');
    await render(less, '/tmp/steps/linkerd');
    await render(less, '/tmp/steps/linkerd-update', '--for-update');
    await run(commandsOf('Update it without an outage'));
    const { written } = await meshgate(['render', '--target', 'linkerd', '--out', '/o', 'x'], { files: { x: less } });
    const wanted = readObjects(String(written['/o/linkerd.yaml']));
    const after = await live();
    expect(after.map(titleOf).filter((it) => /[/]update\./.test(it))).toEqual([]);
    expect([...contents(after).keys()]).toEqual(expect.arrayContaining([...contents(wanted).keys()]));
    expect(after.find(({ kind }) => kind === 'Server')?.metadata.uid).not.toBe(old?.metadata.uid);
    const answer = await meshgate(['prove', '--target', 'linkerd', 'meshgate.yaml', '-'], {
      files: { 'meshgate.yaml': less, '-': await kubectl('get', '-A', '-o', 'yaml', LINKERD_KINDS) },
    });
    expect(answer).toMatchObject({ code: 0, out: expect.stringMatching(/^yes: /) });
  });

  // The forty hosts have many objects, and no other fields.
  test.for(goldens.filter(([, name]) => name !== 'forty-hosts'))(
    'the API server keeps every field as it is rendered, so that a comparison finds no drift: %s, %s',
    async ([target, name], { skip }) => {
      if (lacks[target] !== undefined) skip(lacks[target]);
      const objects = objectsOf(rendered(target, name));
      const kept = await kube.apply(objects);
      expect(objects.flatMap((object, at) => drift(object, kept[at], titleOf(object)))).toEqual([]);
      const again = await kube.apply(objects);
      const versions = (all: readonly KubeObject[]) => all.map(({ metadata }) => metadata.resourceVersion);
      expect(versions(again)).toEqual(versions(kept));
      await kube.delete(objects);
    },
  );

  test('the comparison for drift finds a changed, a missing and an added value', () => {
    const one = { a: [{ b: 1 }, { c: [] }] };
    expect(drift(one, one, '')).toEqual([]);
    expect(drift(one, { a: [{ b: 2 }, {}], d: 1 }, '')).toEqual(['.a.0.b: 1 became 2', '.a.1.c: [] became nothing']);
    expect(drift(one, { a: [{ b: 1 }, { c: [] }, {}] }, '')).toEqual(['.a: 2 entries became 3']);
  });
});
