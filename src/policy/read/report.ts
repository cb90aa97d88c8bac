import type { At, PolicyError } from '../checked/types.ts';
import { place } from '../forms/at.ts';
import type { Named } from '../forms/hints.ts';
import { formatPath, type Path } from '../forms/path.ts';
import type { Grant } from '../schema/team.ts';
import type { Concealed } from './concealed.ts';
import type { Files } from './offsets.ts';
import { find, type Tree, words } from './tree.ts';

/** The part of an entry that an error points at: the key, or the value if it is one word. */
export type Part = 'key' | 'value';

/** Whether two places are in different files, or one of them is in a profile. */
const isApart = (a: At, b: At): boolean => a.file !== b.file || a.profile?.file !== b.profile?.file;

/** Which part of a policy with teams is checked. */
export interface Scope {
  /** Whether the policy has teams. Their files may use definitions that nothing here uses. */
  readonly hasTeams?: boolean;
  /** Whether the files of some teams are not in the tree. */
  readonly isPart?: boolean;
  /** The teams whose files are in the tree, with their grants. */
  readonly granted?: readonly { readonly name: string; readonly grant: Grant }[];
  /** The team whose file is checked together with the policy, so that it causes every error. */
  readonly team?: string;
}

/** The sections with definitions that files of teams may use. */
const FOR_TEAMS = new Set<unknown>(['gateway', 'providers', 'roles', 'agents', 'mesh', 'meshes', 'services']);

/** Collects the errors of a policy, at most one per path. A name in a discarded part counts as used. */
export class Report {
  readonly #files: Files;
  readonly #concealed: Concealed;
  readonly #scope: Scope;
  readonly #errors: { readonly offset: number; readonly error: PolicyError }[] = [];
  readonly #paths = new Set<string>();
  readonly #places = new Set<string>();
  readonly #obscured = new Set<string>();
  readonly #mentioned = new Set<string>();
  readonly #lacking = new Map<Named, number>();
  /** The policy as far as it has been read and corrected. */
  readonly tree: Tree;
  /** Whether the tree has the parts of all profiles. */
  readonly complete: boolean;

  constructor(files: Files, tree: Tree, concealed: Concealed, complete = true, scope: Scope = {}) {
    this.#files = files;
    this.#concealed = concealed;
    this.#scope = scope;
    this.tree = tree;
    this.complete = complete;
  }

  get errors(): readonly PolicyError[] {
    return [...this.#errors].sort((a, b) => a.offset - b.offset).map(({ error }) => error);
  }

  /** Reports an error at a path, unless this path already has an error. */
  add(path: Path, message: string, part: Part = 'value'): void {
    const offset = this.#offset(path, part);
    const change = this.#overlaid(path);
    // The mistake may be in the overlay, although most of the mapping is in another file.
    const isElsewhere = change !== undefined && isApart(this.#place(change), this.#place(offset));
    this.addAt(offset, path, isElsewhere ? `${message} (${place(this.#place(change))} changes this part)` : message);
  }

  /** Like {@link add}, for an error that points at the key of an entry, not at its value. */
  key(path: Path, message: string): void {
    this.add(path, message, 'key');
  }

  /** Reports that a key is missing in the mapping at a path. */
  missing(path: Path, key: string, write: string): void {
    this.key([...path, key], `missing key "${key}"; write ${write}`);
  }

  addAt(offset: number, path: Path, message: string): void {
    if (this.#scope.hasTeams && message.startsWith('no effect') && FOR_TEAMS.has(path[0])) {
      if (this.#files.teamAt(offset) === undefined) return;
    }
    const key = formatPath(path);
    const place = `${offset} ${message}`;
    if ((path.length > 0 && this.#paths.has(key)) || this.#places.has(place)) return;
    this.mark(path);
    this.#places.add(place);
    const team = this.#scope.team ?? this.#files.teamAt(offset);
    const error = {
      at: this.#place(offset),
      ...(team !== undefined && { team }),
      path: this.#concealed.hide(key),
      message: this.#concealed.hide(message),
    };
    this.#errors.push({ offset: this.#files.inPolicy(offset), error });
  }

  get scope(): Scope {
    return this.#scope;
  }

  /** The team in whose file the value at a path is. */
  teamOf(path: Path): string | undefined {
    return this.#files.teamAt(this.#offset(path, 'key'));
  }

  /** Whether errors do not show this value, because it may be a secret. */
  conceals(value: unknown): boolean {
    return (typeof value === 'string' || typeof value === 'number') && this.#concealed.has(String(value));
  }

  mark(path: Path): void {
    this.#paths.add(formatPath(path));
  }

  has(path: Path): boolean {
    return this.#paths.has(formatPath(path));
  }

  /** Records that a part was removed here: it may be the part that seems to be missing. */
  obscure(path: Path): void {
    this.#obscured.add(formatPath(path));
  }

  /** Whether there is an error at this path, or a part was removed here. If so, the checks report no missing part. */
  touches(path: Path): boolean {
    return this.has(path) || this.#obscured.has(formatPath(path));
  }

  /** Records that a name of this kind is not defined. A definition that seems unused may be the one that was meant. */
  lack(kind: Named): void {
    this.#lacking.set(kind, this.lacking(kind) + 1);
  }

  lacking(kind: Named): number {
    return this.#lacking.get(kind) ?? 0;
  }

  /** Records the words of a discarded part, because names in it may be in use. */
  mention(discarded: Tree | string): void {
    const found = typeof discarded === 'string' ? (discarded.match(/[\w.-]+/g) ?? []) : words(discarded);
    for (const word of found) this.#mentioned.add(word);
  }

  mentions(name: string): boolean {
    return this.#mentioned.has(name);
  }

  /** The place of an entry's key, or of an element of a list. */
  locate(path: Path): At {
    return this.#place(this.#offset(path, 'key'));
  }

  #place(offset: number): At {
    return this.#files.place(offset);
  }

  /** The place of the overlay that has changed the mapping at a path, or around a value or a missing key. */
  #overlaid(path: Path): number | undefined {
    const own = find(this.tree, path);
    const isInside = own === undefined ? path.length > 1 : own.kind === 'scalar' && path.length > 2;
    const node = isInside ? find(this.tree, path.slice(0, -1)) : own;
    return node?.kind === 'map' && path.length > 0 ? node.overlaid : undefined;
  }

  #offset(path: Path, part: Part): number {
    for (let end = path.length; end > 0; end--) {
      const parent = find(this.tree, path.slice(0, end - 1));
      const step = path[end - 1];
      const item = parent?.kind === 'list' ? parent.items[Number(step)] : undefined;
      if (item) return item.at;
      const entry = parent?.kind === 'map' ? parent.entries.get(String(step)) : undefined;
      if (!entry) continue;
      // A value that comes before its own key in the file is from an alias. The error points at this value.
      const aliased = entry.node.at < entry.at;
      return aliased || (part === 'value' && entry.node.kind === 'scalar') ? entry.node.at : entry.at;
    }
    return 0;
  }
}
