import type { Policy } from '../../policy/checked/types.ts';
import { DEFAULTS } from '../../policy/forms/bounds.ts';
import { hash } from '../../rules/hash.ts';

/** The longest name of a label's value, and of an object whose name is one label of DNS. */
const LABEL_LENGTH = 63;

/** The owner of objects that name none. Earlier versions of meshgate rendered such objects. */
export const DEFAULT_OWNER = DEFAULTS.gatewayName;

/** What goes between the parts of an owner. A gateway's name has no two dashes in a row, and a mesh in an owner neither. */
const MESH = '---';
const REST = '--';

/** The owner of rendered objects, by which two policies on one cluster tell their objects apart: the name of the
 * gateway, and the name of the mesh, unless it is `default`. Two owners are equal only if both names are. */
export function ownerOf({ gateway, mesh }: Pick<Policy, 'gateway' | 'mesh'>): string {
  const { name } = gateway;
  if (mesh === undefined || mesh.name === 'default') return name;
  const owner = `${name}${MESH}${mesh.name}`;
  const isPlain = owner.length <= LABEL_LENGTH && !/--|-$/.test(mesh.name);
  // The name of a mesh begins with a letter, so it is never such a text.
  return isPlain ? owner : `${name}${MESH}0${hash(mesh.name)}`;
}

/** How the names of an owner's objects begin. No name of one owner begins like those of another, because no gateway's name
 * begins with `meshgate-`. */
export const prefixOf = (owner: string): string => (owner === DEFAULT_OWNER ? `${owner}-` : owner + REST);

/** The end of a name that was shortened, or that would not be a name of DNS. */
const MARKED = /-$|-[0-9a-f]{16}$/;

/** The name of an owner's object, one label of DNS. It ends with a hash of the whole if it would be too long. Two names
 * are equal only if their owners and their parts are. */
export function objectName(owner: string, ...parts: readonly string[]): string {
  const name = prefixOf(owner) + parts.join('-');
  if (name.length <= LABEL_LENGTH && !MARKED.test(name)) return name;
  return `${name.slice(0, LABEL_LENGTH - 17).replace(/(?<!-)-+$/, '')}-${hash(name)}`;
}

/** Labels in the order of their keys. */
export const sorted = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));

/** The characters of labels that are in a name. */
const READABLE = 40;

/** The values of labels as a part of a name of DNS, with a dot at its end. It is empty if they have no letter or digit. */
export function readable(labels: Readonly<Record<string, string>>): string {
  const text = sorted(labels)
    .map(([, value]) => value)
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, READABLE)
    .replace(/^-|-$/g, '');
  return text === '' ? '' : `${text}.`;
}
