import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Kube, KubeObject } from '../lab/index.ts';

interface Source {
  readonly name?: string;
  readonly secretName?: string;
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly defaultMode?: number;
}

export interface Volume {
  readonly name: string;
  readonly configMap?: Source;
  readonly secret?: Source;
  readonly projected?: { readonly defaultMode?: number; readonly sources: readonly Partial<Volume>[] };
  readonly emptyDir?: { readonly medium?: string };
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

/** Whether the files of a volume come from objects. */
export const hasObjects = (volume: Volume): boolean =>
  (volume.configMap ?? volume.secret ?? volume.projected) !== undefined;

/** The files of a volume: path → content, as the API server has its objects. */
async function filesOf(kube: Kube, namespace: string, volume: Partial<Volume>): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const source of volume.projected?.sources ?? []) {
    for (const [path, content] of await filesOf(kube, namespace, source)) files.set(path, content);
  }
  const given = volume.secret ?? volume.configMap;
  if (given === undefined) return files;
  const name = given.secretName ?? given.name ?? '';
  const kind = volume.secret === undefined ? 'ConfigMap' : 'Secret';
  const object = (await kube.read({ apiVersion: 'v1', kind, metadata: { name, namespace } })) as
    | (KubeObject & { readonly data?: Readonly<Record<string, string>> })
    | undefined;
  if (object === undefined) throw new Error(`no ${kind} ${namespace}/${name} to mount`);
  const content = (key: string) => Buffer.from(object.data?.[key] ?? '', kind === 'Secret' ? 'base64' : 'utf8');
  const items = given.items ?? Object.keys(object.data ?? {}).map((key) => ({ key, path: key }));
  for (const { key, path } of items) files.set(path, content(key));
  return files;
}

/**
 * Writes a volume as the kubelet does: the files are in a folder of their own, and the names in the volume lead there over
 * the link `..data`, which the next write replaces at once.
 */
export async function writeVolume(kube: Kube, at: Place, volume: Volume): Promise<void> {
  const files = await filesOf(kube, at.namespace, volume);
  const mode = volume.projected?.defaultMode ?? volume.secret?.defaultMode ?? volume.configMap?.defaultMode ?? 0o644;
  const inner = `..${process.hrtime.bigint()}`;
  mkdirSync(join(at.folder, inner), { recursive: true });
  for (const [path, content] of files) {
    const file = join(at.folder, inner, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chownSync(file, 0, at.group);
    chmodSync(file, mode);
  }
  symlinkSync(inner, join(at.folder, '..new'));
  renameSync(join(at.folder, '..new'), join(at.folder, '..data'));
  const names = new Set([...files.keys()].map((path) => path.split('/')[0]!));
  const before = readdirSync(at.folder);
  for (const name of names) if (!before.includes(name)) symlinkSync(join('..data', name), join(at.folder, name));
  for (const name of before) {
    const isOld = name.startsWith('..') ? name !== '..data' && name !== inner : !names.has(name);
    if (isOld) rmSync(join(at.folder, name), { recursive: true });
  }
}

/** Where a volume is, and which group reads it. */
export interface Place {
  readonly namespace: string;
  readonly folder: string;
  /** The pod's fsGroup. */
  readonly group: number;
}
