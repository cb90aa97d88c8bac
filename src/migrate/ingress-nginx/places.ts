import { pathMistake } from '../../policy/check/routes/hosts.ts';
import { type Cover, coverOf, folderOf, type Paths, pathsOfExpression } from '../expressions.ts';
import type { Findings } from '../findings.ts';
import type { IngressPath } from './read.ts';

/** The paths of a policy for a path of an Ingress. */
export interface Place {
  readonly paths: readonly Paths[];
  /** Those of them of which the Ingress covers each path below. */
  readonly sure: readonly Paths[];
  /** Set if the Ingress covers paths that are not among these. */
  readonly narrower?: true;
}

/** Returns the paths for a path of an Ingress.
 * @param isRegex whether ingress-nginx treats all paths of the host as regular expressions without case
 * @param restricts whether some callers may not pass: then no path that the Ingress covers may be left to a wider route
 *   without a word */
export function placeOf(
  { path, type }: IngressPath,
  label: string,
  isRegex: boolean,
  restricts: boolean,
  findings: Findings,
): Place {
  const declared = JSON.stringify(path.slice(0, 120));
  const why = `${declared}: a policy has paths and prefixes (/x, /x/*), and no expressions`;
  const plain = isRegex ? undefined : plainPlace(path, type, restricts);
  if (plain !== undefined) return plain;
  const found = isRegex ? pathsOfExpression(`^${path}`) : undefined;
  if (!restricts) {
    if (found !== undefined && found.unanchored === undefined)
      return { paths: found.paths, sure: found.paths, ...(found.narrower && { narrower: true }) };
    findings.lose(label, `${why}: write a route for these paths`);
    return { paths: [], sure: [] };
  }
  const cover: Cover = isRegex ? coverOf(path) : { paths: [folderOf(path)], folder: true };
  if (cover.folder) {
    const folders = cover.paths.map((it) => `${it.path}/`).join(', ');
    findings.lose(label, `${why}: all paths below ${folders} have the rules of this path now`);
  }
  return { paths: cover.paths, sure: found?.paths ?? [], ...(cover.continues && { narrower: true }) };
}

/** A path that is no expression. nginx compares one of the type ImplementationSpecific as a text. */
function plainPlace(path: string, type: string, restricts: boolean): Place | undefined {
  const of = (paths: Paths, isText = false) => ({
    paths: [paths],
    sure: [paths],
    ...(isText && { narrower: true as const }),
  });
  if (path === '' || path === '/')
    return of(type === 'Exact' ? { kind: 'exact', path: '/' } : { kind: 'prefix', path: '' });
  const plain = path.replace(/\/$/, '');
  if (!path.startsWith('/') || pathMistake(plain) !== undefined) return undefined;
  const isFolder = path.endsWith('/');
  if (type === 'Exact') return isFolder ? undefined : of({ kind: 'exact', path });
  // nginx redirects a path to the same one with a slash, so nothing reached the service without it.
  if (isFolder && !restricts) return of({ kind: 'below', path: plain });
  return of({ kind: 'prefix', path: plain }, type === 'ImplementationSpecific' && !isFolder);
}
