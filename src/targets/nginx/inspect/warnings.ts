import type { Policy } from '../../../policy/checked/types.ts';
import type { Rule } from '../../../rules/types.ts';
import { bypasses } from './bypass.ts';
import { joinDump } from './dump.ts';
import { inHttp } from './error-logs.ts';
import { inheritedWarnings } from './inherited.ts';
import { type ReadFile, type ReadText, readDump, type Warning, warn } from './read.ts';
import { type Inspection, rendered } from './rendered.ts';
import { hosts } from './server-names.ts';

export type { Inspection };

/** Finds settings in the configuration around the rendered files that make these files unsafe or break them. It does
 * not guess what it cannot know, such as the permissions of the sockets' folder, or scripts on other machines.
 * @param files the configuration, by name, beginning with nginx.conf
 * @param read reads files that are not part of the configuration: policy.js and other scripts */
export function inspectFiles(
  files: ReadonlyMap<string, ReadFile>,
  policy: Policy,
  rules: readonly Rule[],
  read: ReadText,
): Inspection {
  const tree = joinDump(files);
  const ours = tree.servers.filter(({ hostFiles }) => hostFiles.length > 0);
  const { warnings, unread } = rendered(tree, policy, rules, read);
  const unreadable = [...files].flatMap(([file, { unreadable }]) =>
    unreadable === undefined
      ? []
      : warn({ file, line: unreadable }, 'meshgate cannot read the file from here on', 'what nginx -t accepts'),
  );
  const all = [
    ...unreadable,
    ...inHttp(tree, ours, policy, read),
    ...inheritedWarnings(tree, ours),
    ...hosts(tree, policy),
    ...bypasses(tree, policy),
    ...warnings,
  ];
  const order = [...files.keys()];
  const place = ({ file }: Warning) => (order.includes(file) ? order.indexOf(file) : order.length);
  // If a file is included twice, each of its findings is reported once.
  const once = new Map(all.map((one) => [`${one.file}:${one.line} ${one.text}`, one]));
  return {
    warnings: [...once.values()].sort((a, b) => place(a) - place(b) || a.line - b.line),
    ...(unread !== undefined && { unread }),
  };
}

/** The same for output of `nginx -T`.
 * @returns undefined if `dump` is not output of `nginx -T` */
export function inspectNginx(
  dump: string,
  policy: Policy,
  rules: readonly Rule[],
  read: ReadText,
): Inspection | undefined {
  const files = readDump(dump);
  return files.size === 0 ? undefined : inspectFiles(files, policy, rules, read);
}
