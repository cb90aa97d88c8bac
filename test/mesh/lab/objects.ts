import { parseAllDocuments } from 'yaml';

/** A Kubernetes object as it is written. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Meta;
  readonly [field: string]: unknown;
}

export interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly resourceVersion?: string;
  readonly uid?: string;
}

/** The forms in which an object can be given. */
export type Objects = string | KubeObject | readonly KubeObject[];

/** Objects of one or several YAML documents; a YAML mistake is an error, an empty document yields nothing. */
export function readObjects(given: Objects): readonly KubeObject[] {
  if (typeof given !== 'string') return Array.isArray(given) ? given : [given as KubeObject];
  return parseAllDocuments(given, { strict: true, uniqueKeys: true }).flatMap((document): KubeObject[] => {
    const [mistake] = document.errors;
    if (mistake !== undefined) throw mistake;
    const value = document.toJS() as KubeObject | null;
    if (value === null) return [];
    return value.kind === 'List' ? (value.items as KubeObject[]) : [value];
  });
}

/** `KIND NAMESPACE/NAME`, for messages. */
export function titleOf({ kind, metadata: { namespace, name } }: KubeObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
