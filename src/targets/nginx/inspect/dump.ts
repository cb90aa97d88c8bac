import type { ConfNode, ReadFile } from './read.ts';

/** The kind of a rendered file, according to its first line. Files that the files of hosts include are `shared`. */
type Kind = 'http' | 'servers' | 'host' | 'shared' | 'other';

/** A whole configuration, in which each `include` is replaced. */
export type ConfTree = ReturnType<typeof joinDump>;
export type Server = ReturnType<typeof server>;

/** The maximum number of directives that are read. Files that include each other would exceed it. */
const MAX_DIRECTIVES = 200_000;

const HEADS: readonly (readonly [Kind, RegExp])[] = [
  ['http', /^# For http \{\}\. Rendered by meshgate/],
  ['servers', /^# The servers of the image\. Rendered by meshgate/],
  ['host', /^# For the server \{\} of [^\s,]+(?: at the inner listener)?\. Rendered by meshgate/],
  ['shared', /^# .*\. Rendered by meshgate/],
];

function included(files: ReadonlyMap<string, ReadFile>, prefix: string, pattern: string): readonly string[] {
  const path = pattern.startsWith('/') ? pattern : `${prefix}/${pattern}`;
  if (files.has(path)) return [path];
  const regex = globbed(path);
  return [...files.keys()].filter((name) => regex.test(name)).sort();
}

/** Returns a function that replaces each `include` by the directives of its files. */
function expander(files: ReadonlyMap<string, ReadFile>) {
  const [first = ''] = files.keys();
  const prefix = first.slice(0, first.lastIndexOf('/'));
  let left = MAX_DIRECTIVES;
  const expand = (nodes: readonly ConfNode[], active: readonly string[]): readonly ConfNode[] =>
    nodes.flatMap((node): readonly ConfNode[] => {
      if (--left < 0) return [];
      if (node.name === 'include' && node.block === undefined) {
        return included(files, prefix, node.args[0] ?? '')
          .filter((name) => !active.includes(name))
          .flatMap((name) => expand(files.get(name)?.nodes ?? [], [...active, name]));
      }
      return [node.block === undefined ? node : { ...node, block: expand(node.block, active) }];
    });
  return expand(files.get(first)?.nodes ?? [], [first]);
}

/** A socket in one spelling. `443` becomes `*:443`; a name or address without a port gets port 80. */
function socket({ args: [address = '', ...more] }: ConfNode): string {
  const spelled = /^\d+$/.test(address)
    ? `*:${address}`
    : address.startsWith('unix:') || /:\d+$/.test(address)
      ? address
      : `${address}:80`;
  return more.includes('quic') ? `quic ${spelled}` : spelled;
}

function server(node: ConfNode, kind: (file: string) => Kind) {
  const body = node.block ?? [];
  const listens = body.filter(({ name }) => name === 'listen');
  return {
    node,
    body,
    // The sockets on which the server listens, in one spelling, and those for which it is marked as the default.
    sockets: listens.length === 0 ? ['*:80'] : listens.map(socket),
    claimed: listens.filter(({ args }) => args.includes('default_server') || args.includes('default')).map(socket),
    names: body.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args.map((it) => it.toLowerCase())),
    hostFiles: [...new Set(body.filter(({ file }) => kind(file) === 'host').map(({ file }) => file))],
    // Whether this is the check's server or the egress server.
    inner: kind(node.file) === 'http',
  };
}

/** Joins the files of a dump to one configuration. */
export function joinDump(files: ReadonlyMap<string, ReadFile>) {
  const kinds = new Map(
    [...files].map(([name, { text }]) => [name, HEADS.find(([, head]) => head.test(text))?.[0] ?? 'other'] as const),
  );
  const kind = (file: string): Kind => kinds.get(file) ?? 'other';
  const main = expander(files);
  const http = main.filter(({ name }) => name === 'http').flatMap(({ block = [] }) => block);
  const servers = http.filter(({ name }) => name === 'server').map((node) => server(node, kind));
  return { files, main, http, servers, kind };
}

/** The default server of a socket. nginx uses it until the request has named a host. */
export function defaultServer({ servers }: ConfTree, socket: string): Server | undefined {
  return (
    servers.find(({ claimed }) => claimed.includes(socket)) ?? servers.find(({ sockets }) => sockets.includes(socket))
  );
}

/** All directives at any depth. A block comes before its content. */
export const allDirectives = (nodes: readonly ConfNode[]): readonly ConfNode[] =>
  nodes.flatMap((node) => [node, ...allDirectives(node.block ?? [])]);

/** The directives of a name that are in effect: those on the innermost level that has any. */
export function effective(name: string, ...levels: readonly (readonly ConfNode[])[]): readonly ConfNode[] {
  for (const level of levels) {
    const found = level.filter((node) => node.name === name);
    if (found.length > 0) return found;
  }
  return [];
}

/** The pattern of an `include` as a regular expression, as glob(3) matches. A star matches only within one folder, and
 * not the dot at the beginning of a name. */
export function globbed(pattern: string): RegExp {
  const source = pattern.replace(/\\[\s\S]|\[[^\]]{1,255}\]|[\s\S]/g, (c, at: number) => {
    const first = at === 0 || pattern[at - 1] === '/' ? '(?!\\.)' : '';
    if (c === '*') return `${first}[^/]*`;
    if (c === '?') return `${first}[^/]`;
    if (c[0] === '\\' && c.length === 2) return c.slice(1).replace(/\W/, '\\$&');
    if (c.length > 2) return `${first}[${c.slice(1, -1).replace(/^!/, '^').replace(/[\\[]/g, '\\$&')}]`;
    return c.replace(/[.+^${}()|[\]\\/]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return /(?!)/;
  }
}

/** Whether nginx expands the path of an `include`. Any other path must exist. */
export const isPattern = (path: string): boolean => /[*?[]/.test(path);
