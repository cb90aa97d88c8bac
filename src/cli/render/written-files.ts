import { sha256 } from '../../session/flow/random.ts';
import { POLICY_FILE } from '../../targets/nginx/server/audit-log.ts';
import { WrongUse } from '../common/context.ts';
import { utf8 } from '../common/load.ts';
import type { Runtime } from '../machine/runtime.ts';

/** The list in a folder of the files that `render` wrote into it. Tools that read folders ignore hidden files. */
export const LIST = '.meshgate-files';

/** For each file of a target, the digest of what was written. */
type Digests = Readonly<Record<string, string>>;

/** The files of each target in a folder. Several targets, or several ingresses, can share a folder. */
type Listed = Readonly<Record<string, Digests>>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a name stays within the folder. */
const isWithin = (name: string): boolean =>
  name.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));

function isListed(value: unknown): value is Listed {
  if (!isRecord(value)) return false;
  const all = Object.values(value);
  return all.every(
    (it) => isRecord(it) && Object.entries(it).every(([name, is]) => isWithin(name) && typeof is === 'string'),
  );
}

/** Reads the list of a folder. A folder without one has no files of meshgate.
 * @throws WrongUse for anything else, because then it is not known which files may be removed */
export function listedIn(runtime: Runtime, folder: string): Listed {
  const bytes = runtime.readBelow(folder, LIST);
  if (bytes === undefined) return {};
  try {
    const { files } = JSON.parse(utf8(bytes) ?? '') as { readonly files?: unknown };
    if (isListed(files)) return files;
  } catch {
    // Reported below.
  }
  throw new WrongUse(
    `${folder}/${LIST}: this is not a list of files that meshgate wrote: remove it, and files that are no longer needed`,
  );
}

/** How many compiled policies of earlier renders stay in the folder: the sealer must have read each of them. */
const EARLIER_POLICIES = 16;

/** Files that were written earlier and are no longer rendered. */
export interface Leftover {
  readonly removed: readonly string[];
  /** Files that have changed since. They stay, and stay in the list. */
  readonly kept: readonly string[];
}

/** Removes the files that a target wrote earlier and no longer writes, and writes the list again. A file that has
 * changed since stays. The last compiled policies of earlier renders stay, too: their names contain their digests.
 * @param target the target, and the part of the policy that was rendered
 * @param written the files that were written now, with their content */
export function replaceListed(
  runtime: Runtime,
  folder: string,
  listed: Listed,
  target: string,
  written: Readonly<Record<string, string | Uint8Array>>,
): Leftover {
  const { [target]: before = {}, ...others } = listed;
  const needed = new Set([...Object.keys(written), ...Object.values(others).flatMap((it) => Object.keys(it))]);
  const old = Object.entries(before).filter(([name]) => !needed.has(name));
  const there = old.flatMap(([name, digest]) => {
    const content = runtime.readBelow(folder, name);
    return content === undefined ? [] : [{ name, digest, isSame: sha256(content) === digest }];
  });
  const policies = there.filter(({ name, isSame }) => isSame && POLICY_FILE.test(name)).slice(0, EARLIER_POLICIES);
  const removed = there.filter((it) => it.isSame && !policies.includes(it)).map(({ name }) => name);
  for (const name of removed) runtime.remove(folder, name);
  const kept = there.filter(({ isSame }) => !isSame);
  const own = [
    ...Object.entries(written).map(([name, content]) => [name, sha256(content)] as const),
    ...[...policies, ...kept].map(({ name, digest }) => [name, digest] as const),
  ];
  const files: Listed = { ...others, [target]: Object.fromEntries(own) };
  runtime.write(folder, LIST, `${JSON.stringify({ files }, null, 2)}\n`);
  return { removed, kept: kept.map(({ name }) => name) };
}
