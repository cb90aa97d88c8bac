import type { Policy } from '../policy/types.ts';
import type { Gap } from './types.ts';

/** Where a policy says limits, as it writes them. */
function written({ gateway, agents, hosts }: Policy): readonly string[] {
  const { callers, agents: acting, anonymous } = gateway.limits ?? {};
  return [
    ...(callers || acting || anonymous ? ['gateway.limits'] : []),
    ...Object.values(agents).flatMap(({ name, limit }) => (limit ? [`agents.${name}.limit`] : [])),
    ...hosts.flatMap(({ name, limit, routes }) => [
      ...(limit ? [`hosts.${JSON.stringify(name)}.limit`] : []),
      ...routes.flatMap((route) => (route.limit ? [`${route.name} limit`] : [])),
    ]),
  ];
}

/**
 * Limits are no part of the rules, and no mesh is rendered one.
 *
 * @param mesh its name, for the text
 */
export function uncounted(policy: Policy, mesh: string): readonly Gap[] {
  const [first, ...rest] = written(policy);
  if (first === undefined) return [];
  const more =
    rest.length === 0
      ? 'this limit is'
      : `this and ${rest.length === 1 ? 'another limit' : `${rest.length} other limits`} are`;
  const text = `${more} held at the gateway alone, each replica for itself: ${mesh} counts nothing, so whatever reaches it past the gateway needs a limit of the mesh's own`;
  return [{ part: first, text }];
}
