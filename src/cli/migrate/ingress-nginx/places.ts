import { pathMistake } from '../../../policy/check-hosts.ts';
import { withoutSlashes } from '../../../slashes.ts';
import { type Paths, pathsOfExpression } from '../expressions.ts';
import type { Findings } from '../findings.ts';
import type { IngressPath } from './read.ts';

/** The paths of a policy for a path of an Ingress. */
export interface Place {
  readonly paths: readonly Paths[];
  /** Set if the Ingress covers other paths, too. */
  readonly narrower?: true;
  /** Set if the place is a folder around an expression that a policy cannot name. */
  readonly folder?: true;
}

/** The folder in which all paths that an expression matches must be, without the slash at its end. */
function folderOf(expression: string): string {
  const literal = /^\/[A-Za-z0-9._~/-]*/.exec(expression)?.[0] ?? '/';
  const folder = withoutSlashes(literal.slice(0, literal.lastIndexOf('/')));
  return pathMistake(folder === '' ? '/' : folder) === undefined ? folder : '';
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
  const plain = plainPlace(path, type);
  const found = isRegex ? pathsOfExpression(`^${path}`) : plain;
  const said = JSON.stringify(path.slice(0, 120));
  if (found === undefined || found.paths.length === 0) {
    const why = `${said}: a policy has paths and prefixes (/x, /x/*), and no expressions`;
    if (!restricts) {
      findings.lose(label, `${why}: write a route for these paths`);
      return { paths: [] };
    }
    const folder = folderOf(path);
    findings.lose(label, `${why}: all paths below ${folder}/ have the rules of this path now`);
    return { paths: [{ kind: 'prefix', path: folder }], folder: true };
  }
  return found.narrower ? { paths: found.paths, narrower: true } : { paths: found.paths };
}

/** A path that is no expression. nginx compares one of the type ImplementationSpecific as a text. */
function plainPlace(path: string, type: string): Place | undefined {
  if (path === '' || path === '/') {
    return { paths: [type === 'Exact' ? { kind: 'exact', path: '/' } : { kind: 'prefix', path: '' }] };
  }
  const plain = path.replace(/\/$/, '');
  if (!path.startsWith('/') || pathMistake(plain) !== undefined) return undefined;
  if (type === 'Exact') return path.endsWith('/') ? undefined : { paths: [{ kind: 'exact', path }] };
  const isText = type === 'ImplementationSpecific' && !path.endsWith('/');
  return { paths: [{ kind: 'prefix', path: plain }], ...(isText && { narrower: true }) };
}
