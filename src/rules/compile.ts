import type { Host, Policy, Route } from '../policy/checked/types.ts';
import type { Path, Rule } from './types.ts';

/** Whether a route is strictly inside a prefix, so that its paths do not belong to the prefix. */
function isInside(inner: Route, prefix: Route): boolean {
  if (inner === prefix || prefix.kind === 'exact') return false;
  // If a host has the routes `/x` and `/x/*`, the path `/x` belongs to the exact route.
  if (inner.path === prefix.path) return inner.kind === 'exact';
  return inner.path.startsWith(`${prefix.path}/`);
}

/** Returns the paths of a route as if its host had no other routes. */
export const plainPath = (route: Route): Path =>
  route.kind === 'exact' ? { exact: route.path } : { prefix: route.path, except: [] };

/** Returns the paths of a route without the paths of more specific routes, because rules of meshes have no order. */
export function pathOf(route: Route, host: Host): Path {
  if (route.kind === 'exact') return { exact: route.path };
  const inner = host.routes.filter((other) => isInside(other, route));
  return {
    prefix: route.path,
    except: inner.filter((one) => !inner.some((other) => isInside(one, other))).map(plainPath),
  };
}

const withHead = (methods: readonly string[]): readonly string[] =>
  methods.includes('GET') && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods;

/** Compiles a checked policy to one list of positive rules, in the order of hosts, routes and rules. */
export const compile = (policy: Policy): Rule[] =>
  policy.hosts.flatMap((host) =>
    host.routes.flatMap((route) => {
      const path = pathOf(route, host);
      return route.allow.map(
        (allow, index): Rule => ({
          id: `${route.name}#${index + 1}`,
          at: allow.at,
          route: route.name,
          host: host.name,
          path,
          ...(allow.methods !== undefined && { methods: withHead(allow.methods) }),
          who: allow.who,
          service: allow.service ?? route.service,
          as: allow.as,
        }),
      );
    }),
  );
