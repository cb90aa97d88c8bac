import { allDirectives, globbed, isPattern } from './dump.ts';
import { type ConfNode, type ReadFile, readConf } from './read.ts';

/** Reads the machine that has the folder. */
interface Disk {
  /** Reads a file; an error has the cause. */
  read(path: string): string;
  /** Lists the names in a folder, sorted by their bytes; empty if there is no such folder. An error has the cause. */
  names(folder: string): readonly string[];
  /** Says in words why a file or a folder could not be read. */
  reason(error: unknown): string;
}

/** The folder cannot be read in the way that nginx reads it. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
}

/** The maximum number of files that are read. */
const MAX_FILES = 10_000;

/** Removes slashes from the end of a path. */
const trimmed = (path: string): string => path.replace(/(?<=[^/])\/+$/, '');

/** Reads a folder such as /etc/nginx as nginx does: nginx.conf, and the files that each `include` names, in nginx's
 * order.
 * @param folder the absolute path of the folder
 * @param prefix the path at which nginx has this folder; a copy has another one
 * @returns the files by the names that nginx has for them
 * @throws FolderError */
export function readFolder(folder: string, prefix: string, disk: Disk): ReadonlyMap<string, ReadFile> {
  const [here, there] = [trimmed(folder), trimmed(prefix)];
  const files = new Map<string, ReadFile>();
  /** The path at which a file of nginx is on this machine. */
  const real = (path: string): string =>
    `${path}/`.startsWith(`${there}/`) ? `${here}${path.slice(there.length)}` : path;

  const attempt = <T>(path: string, from: ConfNode | undefined, act: () => T): T => {
    try {
      return act();
    } catch (error) {
      const by = from === undefined ? '' : `, which ${from.file}:${from.line} includes`;
      throw new FolderError(`cannot read ${real(path)}${by}: ${disk.reason(error)}`);
    }
  };

  /** The existing paths that a pattern matches, as glob(3) sorts them. */
  const expanded = (pattern: string, from: ConfNode): readonly string[] => {
    const parts = pattern.split('/').slice(1);
    const fixed = parts.findIndex(isPattern);
    return parts.slice(fixed).reduce(
      (folders: readonly string[], part) =>
        folders.flatMap((path) => {
          const names = attempt(path, from, () => disk.names(real(path) || '/'));
          return names.filter((name) => globbed(part).test(name)).map((name) => `${path}/${name}`);
        }),
      [
        parts
          .slice(0, fixed)
          .map((part) => `/${part}`)
          .join(''),
      ],
    );
  };

  const visit = (path: string, from: ConfNode | undefined, active: readonly string[]): void => {
    if (active.includes(path)) {
      throw new FolderError(
        `${from?.file}:${from?.line} includes ${path}, which includes this file again: ${[...active, path].join(' → ')}`,
      );
    }
    if (files.has(path)) return;
    if (files.size === MAX_FILES) throw new FolderError(`more than ${MAX_FILES} files are included`);
    const conf = readConf(
      path,
      attempt(path, from, () => disk.read(real(path))),
    );
    files.set(path, conf);
    for (const node of allDirectives(conf.nodes)) {
      const [name] = node.args;
      if (node.name !== 'include' || node.block !== undefined || name === undefined) continue;
      const target = name.startsWith('/') ? name : `${there}/${name}`;
      if (here !== '/etc/nginx' && there === here && target.startsWith('/etc/nginx/')) {
        throw new FolderError(
          `${node.file}:${node.line} includes ${target}, which is outside ${here}: if this folder is a copy of /etc/nginx, add --nginx-prefix /etc/nginx`,
        );
      }
      for (const one of isPattern(target) ? expanded(target, node) : [target]) visit(one, node, [...active, path]);
    }
  };
  visit(`${there}/nginx.conf`, undefined, []);
  return files;
}
