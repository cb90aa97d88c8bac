import type { Host, Route } from '../../../policy/checked/types.ts';
import { CHECK_PATH, HOP_PATH } from '../text/names.ts';
import { allDirectives, type ConfTree, type Server } from './dump.ts';
import { type ConfNode, type Warning, warn } from './read.ts';

const ANSWERS_ELSEWHERE =
  /^((proxy|grpc|fastcgi|uwsgi|scgi|memcached)_pass|js_content|perl|content_by_lua(_file|_block)?)$/;

/** The path with which certificates are renewed. Anyone may request it, and it leads to no service of the policy. */
const ACME = '/.well-known/acme-challenge';

interface Match {
  readonly kind: 'prefix' | 'exact' | 'regex' | 'named';
  readonly path: string;
}

function matchOf({ args }: ConfNode): Match {
  const [first = '', second] = args;
  if (second === undefined) {
    const [, operator, rest] = /^(=|~\*?|\^~)([\s\S]+)$/.exec(first) ?? [];
    if (operator !== undefined && rest !== undefined) return matchOf({ args: [operator, rest] } as unknown as ConfNode);
    return { kind: first.startsWith('@') ? 'named' : 'prefix', path: first };
  }
  return { kind: first === '=' ? 'exact' : first.startsWith('~') ? 'regex' : 'prefix', path: second };
}

/** The directives of a location, and those of its `if` and `limit_except`. */
function itself(node: ConfNode): readonly ConfNode[] {
  return (node.block ?? []).flatMap((inner) =>
    inner.name === 'location' ? [] : /^(if|limit_except)$/.test(inner.name) ? itself(inner) : [inner],
  );
}

/** Why a location answers without the check: it has no check, or another one. Undefined if it runs the check. */
function opened(own: readonly ConfNode[], outer: string | undefined): string | undefined {
  const requested = own.find(({ name }) => name === 'auth_request')?.args[0];
  const any = own.some(({ name, args }) => name === 'satisfy' && args[0] === 'any');
  if (any) return 'satisfy any';
  if (requested === undefined) return outer;
  return [CHECK_PATH, HOP_PATH].some((path) => requested.startsWith(path)) ? undefined : `auth_request ${requested}`;
}

/** Whether a directive is the location for renewing certificates. */
export const isAcme = (node: ConfNode): boolean => node.name === 'location' && matchOf(node).path.startsWith(ACME);

/** Warns of an opened location that serves files at paths of a route. One exact path is left to the operator. */
function files(node: ConfNode, own: readonly ConfNode[], by: string, host: Host): readonly Warning[] {
  const match = matchOf(node);
  const file = own.find(({ name }) => /^(root|alias|try_files)$/.test(name));
  const answers = own.some(({ name }) => name === 'return');
  const route = match.kind === 'prefix' && host.routes.find((one) => takes(match, one));
  if (file === undefined || answers || !route) return [];
  return warn(
    node,
    `location ${node.args.join(' ')} serves files without the policy (${by}) at paths of the route ${route.name}`,
    'no such location; the files on a service behind a route, or at an exact path (location = …)',
  );
}

function openedBelow(node: ConfNode, outer: string | undefined, tree: ConfTree, host: Host): readonly Warning[] {
  const own = itself(node);
  const by = opened(own, outer);
  const { kind, path } = matchOf(node);
  const pass = own.find(({ name }) => ANSWERS_ELSEWHERE.test(name));
  const nested = (node.block ?? []).filter(({ name, file }) => name === 'location' && tree.kind(file) === 'other');
  const here =
    by === undefined || (kind !== 'regex' && path.startsWith(ACME))
      ? []
      : pass === undefined
        ? files(node, own, by, host)
        : warn(
            node,
            `location ${node.args.join(' ')} answers by ${pass.name} ${pass.args[0] ?? ''} without the policy (${by})`,
            'a route of the policy; for all callers, write allow: [anyone]',
          );
  return [...here, ...nested.flatMap((inner) => openedBelow(inner, by, tree, host))];
}

/** Whether a location receives requests of the route. */
function takes({ kind, path }: Match, route: Route): boolean {
  if (kind === 'exact') return route.kind === 'exact' ? path === route.path : `${path}/`.startsWith(`${route.path}/`);
  if (kind !== 'prefix') return false;
  if (route.kind === 'exact') return route.path.startsWith(path);
  return path.startsWith(`${route.path}/`) || `${route.path}/`.startsWith(path);
}

/** Warns of a location that receives requests of a route. All are denied: only a rendered location knows the route. */
function shadowing(node: ConfNode, host: Host): readonly Warning[] {
  const match = matchOf(node);
  const inside = allDirectives(node.block ?? []);
  const other = inside.some(({ name }) => ['auth_request', 'satisfy', 'return', 'rewrite', 'internal'].includes(name));
  const route = host.routes.find((one) => takes(match, one));
  if (other || route === undefined) return [];
  return warn(
    node,
    `location ${node.args.join(' ')} receives requests of the route ${route.name}, and refuses all of them, because only a rendered location knows the route`,
    'no such location; a route of the policy in its place',
  );
}

/** Warns of locations that were added to the server of a host. */
export function locations(tree: ConfTree, server: Server, host: Host): readonly Warning[] {
  return server.body
    .filter((node) => node.name === 'location' && tree.kind(node.file) === 'other')
    .flatMap((node) => {
      const { kind, path } = matchOf(node);
      if ((kind === 'prefix' || kind === 'exact') && path.startsWith('/.meshgate/')) {
        return warn(
          node,
          `location ${node.args.join(' ')} answers instead of the check`,
          'no location below /.meshgate/',
        );
      }
      const open = openedBelow(node, undefined, tree, host);
      return open.length > 0 ? open : shadowing(node, host);
    });
}

/** The directive with which a server sends requests elsewhere, except in the location for renewing certificates. */
export function passesOn(nodes: readonly ConfNode[]): ConfNode | undefined {
  for (const node of nodes) {
    if (ANSWERS_ELSEWHERE.test(node.name)) return node;
    if (isAcme(node)) continue;
    const inner = passesOn(node.block ?? []);
    if (inner !== undefined) return inner;
  }
  return undefined;
}
