import { hash } from '../../rules/hash.ts';
import { objectName } from '../kit/owner.ts';
import type { Files, Gap } from '../types.ts';

/** The maximum size of the data of a ConfigMap, with room for its other members: Kubernetes accepts 1 MiB. */
const MAX_BYTES = 1_000_000;

const sizeOf = (name: string, text: string): number => Buffer.byteLength(name) + Buffer.byteLength(text);

/** Puts files into as few groups as their order allows, none of which is too large for a ConfigMap. */
function groups(files: Files): readonly Files[] {
  const all: Record<string, string>[] = [];
  let left = 0;
  for (const [name, text] of Object.entries(files)) {
    const size = sizeOf(name, text);
    if (size > left) {
      all.push({});
      left = MAX_BYTES;
    }
    left -= size;
    (all.at(-1) as Record<string, string>)[name] = text;
  }
  return all;
}

/** A key of a ConfigMap has no slash. */
const keyOf = (path: string): string => path.replaceAll('/', '.');

/** The volume with the gateway's files, and the ConfigMaps behind it. The names of the ConfigMaps contain a digest of
 * their content, so each change of the policy is a change of the pods: new pods start with it, and if nginx rejects it,
 * the old pods stay. A ConfigMap whose content changed would reach nginx only with its next reload. */
export function mounted(owner: string, labels: Readonly<Record<string, string>>, files: Files) {
  const tooLarge = Object.entries(files).filter(([name, text]) => sizeOf(name, text) > MAX_BYTES);
  const gaps = tooLarge.map(([name, text]): Gap => {
    const bytes = Buffer.byteLength(text);
    return { part: name, text: `the file has ${bytes} bytes and a ConfigMap holds 1 MiB, so nginx will not start` };
  });
  const kept = Object.fromEntries(Object.entries(files).filter(([name]) => !tooLarge.some(([it]) => it === name)));
  const maps = groups(kept).map((group, i) => {
    const data = Object.fromEntries(Object.entries(group).map(([path, text]) => [keyOf(path), text]));
    const digest = hash(JSON.stringify(data)).slice(0, 10);
    const items = Object.keys(group).map((path) => ({ key: keyOf(path), path }));
    return {
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: objectName(owner, 'files', String(i + 1), digest), labels },
        immutable: true,
        data,
      },
      items,
    };
  });
  const sources = maps.map(({ object, items }) => ({ configMap: { name: object.metadata.name, items } }));
  return {
    objects: maps.map(({ object }) => object),
    volume: { name: VOLUME, projected: { sources } },
    gaps,
  };
}

/** The name of the volume with the gateway's files. */
export const VOLUME = 'meshgate';
