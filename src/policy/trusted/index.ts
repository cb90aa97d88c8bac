import { CERTIFICATES } from './certificates.ts';
import { COMPOSED_CERTIFICATES, COMPOSED_IDENTITY, type Composed, namesWith } from './composed.ts';
import { IDENTITY } from './identity.ts';
import { REQUESTS } from './requests.ts';

/* Request headers that applications, meshes and frameworks trust because a proxy sets them. nginx erases every such
 * header that a client sends. The list of erased headers and docs/headers.md are made from the lists of this folder. A
 * list has two lines for each software: its name and the documentation that names the headers, and below it the names.
 * If an administrator can choose names, their pattern, such as `X-WEBAUTH-*`, follows the names from the
 * documentation. */

export interface Trusted {
  readonly by: string;
  /** The documentation that names the headers. */
  readonly source: string;
  readonly names: readonly string[];
  /** The pattern of names that an administrator chooses. nginx erases only `names`. */
  readonly family?: string;
  /** What `names` consist of, if they are combinations. */
  readonly composed?: Composed;
}

function read(list: string): readonly Trusted[] {
  const rows = [...list.matchAll(/^(\S.*): (https:\S+)\n((?: .+\n)+)/gm)];
  // nginx would not erase the headers in a line that is no part of a row.
  if (`\n${rows.map(([row]) => row).join('')}` !== list) throw new Error('trusted: a line is no part of a row');
  return rows.map(([, by = '', source = '', lines = '']) => {
    const all = lines.trim().split(/\s+/);
    const [family] = all.filter((name) => name.endsWith('*'));
    const names = Object.freeze(all.filter((name) => name !== family));
    return Object.freeze({ by, source, names, ...(family !== undefined && { family }) });
  });
}

const composed = (all: readonly Composed[]): readonly Trusted[] =>
  all.map((it) => {
    const names = Object.freeze([...new Set(it.heads.flatMap((head) => namesWith(head, it)))]);
    return Object.freeze({ by: it.by, source: it.source, names, composed: it });
  });

/** The headers by meaning. The headers in `identity` and `certificates` say who the caller is. nginx also erases these
 * headers in CGI's spelling, with `_` instead of `-`. */
export const TRUSTED: Readonly<Record<'identity' | 'certificates' | 'requests', readonly Trusted[]>> = Object.freeze({
  identity: [...read(IDENTITY), ...composed(COMPOSED_IDENTITY)],
  certificates: [...read(CERTIFICATES), ...composed(COMPOSED_CERTIFICATES)],
  requests: read(REQUESTS),
});
