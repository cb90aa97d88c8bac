import { HOST_NAME } from '../../forms/addresses.ts';
import { quote, ROUTES, routePath } from '../../forms/path.ts';
import { type DraftPolicy, entriesOf } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';

/** Checks that hosts and paths are canonical, and that they are not paths or hosts of the gateway itself. */
export function checkHosts(report: Report, draft: DraftPolicy): void {
  const hosts = entriesOf(draft.hosts);
  if (draft.hosts && Object.keys(draft.hosts).length === 0 && report.scope.isPart !== true) {
    report.key(['hosts'], 'no host; write wiki.example.com: { /*: { service: wiki, allow: [staff] } }');
  }
  const names = new Set<string>();
  for (const [name, host] of hosts) {
    const path = ['hosts', name];
    const fixed = plainHost(name);
    if (isAddress(name)) report.key(path, `${quote(name)} is an IP address, and ${NO_ADDRESS}`);
    else if (fixed !== '' && names.has(fixed)) report.key(path, `host ${quote(fixed)} is here already; keep one`);
    else if (!HOST_NAME.test(name)) report.key(path, hostMessage(name, fixed));
    names.add(fixed);
    const routes = host[ROUTES] ?? {};
    if (Object.keys(routes).length === 0 && !report.touches(path)) {
      report.key(path, 'this host has no routes; write /*: { service: wiki, allow: [staff] }');
    }
    checkPaths(report, name, Object.keys(routes));
  }
}

const NO_ADDRESS = 'clients tell nginx the name of a host, never an address; write a DNS name, as in wiki.example.com';

/** Whether the name of a host is an IP address, with or without a port. */
const isAddress = (name: string): boolean =>
  /^\d{1,3}(?:\.\d{1,3}){3}(?::\d*)?$/.test(name) || /^\[?[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:\]|$)/.test(name);

function plainHost(name: string): string {
  const lower = name.toLowerCase().replace(/^[a-z]+:\/\//, '');
  return lower.replace(/[/?#][\s\S]*$/, '').replace(/\.?(?::\d*)?$/, '');
}

function hostMessage(name: string, fixed: string): string {
  const instead = HOST_NAME.test(fixed)
    ? quote(fixed)
    : 'a DNS name in lower case, as in wiki.example.com or *.example.com';
  return `${quote(name)} is not the name of a host; write ${instead}`;
}

function checkPaths(report: Report, host: string, paths: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const path of paths) {
    const other = seen.get(path.toLowerCase());
    seen.set(path.toLowerCase(), path);
    const message =
      pathMistake(path) ??
      slashMistake(path, paths) ??
      (other === undefined ? undefined : `differs from ${quote(other)} in case only; keep one`);
    if (message !== undefined) report.key(routePath(host, path), message);
  }
}

/** What is wrong with a path that ends in a slash: only this path itself is the route, and paths below it belong to another
 * route of the host, which may allow more. Two routes, as in `/admin/` and `/admin/*`, leave no doubt. */
function slashMistake(path: string, paths: readonly string[]): string | undefined {
  if (path === '/' || !path.endsWith('/') || paths.includes(`${path}*`)) return undefined;
  const below = paths.filter((it) => it.endsWith('/*') && path.startsWith(it.slice(0, -1)));
  const [first, ...others] = below;
  if (first === undefined) return undefined;
  const longest = others.reduce((best, it) => (it.length > best.length ? it : best), first);
  return `only this path itself is this route, and ${quote(`${path}x`)} belongs to ${quote(longest)}; write ${quote(`${path}*`)} for all paths below it, or both`;
}

const RESERVED = ['/.meshgate', '/.well-known/oauth-protected-resource'];

/** What is wrong with a path, and what to write instead; undefined if the path is valid. */
export function pathMistake(path: string): string | undefined {
  const base = path.endsWith('/*') ? path.slice(0, -2) : path;
  const reserved = RESERVED.find((it) => `${base.toLowerCase()}/`.startsWith(`${it}/`));
  if (reserved !== undefined) return `the gateway answers ${reserved} itself; write another path`;
  if (base.includes('*')) {
    const fixed = `${base.replace(/\/?\.?\*[\s\S]*$/, '')}/*`;
    return `a star is allowed only at the end, as /*; write ${quote(fixed)}`;
  }
  const unexpected = /[^A-Za-z0-9._~!&()+,=:@/-]/.exec(base)?.[0];
  if (unexpected !== undefined) {
    const fixed = /[?#]/.test(unexpected) ? `; write ${quote(base.slice(0, base.indexOf(unexpected)) || '/')}` : '';
    return `${quote(unexpected)} cannot be in a path${fixed || '; write letters, digits and . _ ~ ! & ( ) + , = : @ - only, or a shorter prefix'}`;
  }
  if (/\/\/|\/\.{1,2}(\/|$)/.test(path)) return `not in its canonical spelling; write ${quote(canonical(path))}`;
  return base.length > 500 ? 'longer than 500 characters; write a shorter prefix' : undefined;
}

function canonical(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`;
}
