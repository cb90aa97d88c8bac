import type { LiveObject } from './kube-object.ts';
import { isKustomization } from './kustomization.ts';
import { Foreign } from './types.ts';
import { documentsIn } from './yaml.ts';

/** What some files have of Kubernetes. */
export interface KubeFiles {
  readonly objects: readonly LiveObject[];
  readonly kustomizations: readonly unknown[];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** An object, or those of a list, as `kubectl get` prints them. */
function flat(file: string, value: unknown, ask: string): readonly LiveObject[] {
  if (!isRecord(value) || !isText(value.kind)) throw new Foreign(`no objects of Kubernetes; ${ask}`, file);
  const { kind, items, apiVersion, metadata } = value;
  if (String(kind).endsWith('List') && Array.isArray(items)) return items.flatMap((it) => flat(file, it, ask));
  // kubectl takes whatever has items for a list, whatever its kind.
  if (items !== undefined || String(kind).endsWith('List'))
    throw new Error(`${file}: ${kind}: items and no list of them`);
  const isWhole =
    isText(apiVersion) &&
    isRecord(metadata) &&
    isText(metadata.name) &&
    (metadata.namespace === undefined || isText(metadata.namespace));
  if (!isWhole) throw new Error(`${file}: ${kind}: apiVersion, metadata.name and metadata.namespace are no text`);
  return [value as unknown as LiveObject];
}

/**
 * Every object of some files: several documents, lists, or one object each.
 *
 * @param ask how to get what is understood
 * @throws Foreign for what is nothing of Kubernetes, Error for what kubectl could take for something else
 */
export function kubeFiles(files: Readonly<Record<string, string>>, ask: string): KubeFiles {
  const all = Object.entries(files).flatMap(([file, text]) =>
    documentsIn(file, text).map((value) => ({ file, value, isOurs: isKustomization(file, value) })),
  );
  return {
    objects: all.flatMap(({ file, value, isOurs }) => (isOurs ? [] : flat(file, value, ask))),
    kustomizations: all.flatMap(({ value, isOurs }) => (isOurs ? [value] : [])),
  };
}
