import type { Policy } from '../../policy/checked/types.ts';
import { decide } from '../../rules/decide/decide.ts';
import type { Loaded } from '../common/load.ts';

/** A request without a credential, which nothing but the gateway may answer. */
export interface Requested {
  readonly url: string;
  readonly method: 'GET';
}

/** A route that is not asked, because the policy lets anyone use it. */
export interface Skipped {
  readonly url: string;
  readonly skipped: string;
}

/** The first segment of a path, or the name below a wildcard, that no route names. */
const NOWHERE = 'meshgate-status';

/** Returns one URL for each route: a path that belongs to this route and not to a longer one. */
function urlOf(
  { gateway }: Policy,
  host: string,
  { path, kind }: { readonly path: string; readonly kind: string },
): string {
  const { publicPort = 443 } = gateway;
  const port = publicPort === 443 ? '' : `:${publicPort}`;
  return `https://${host.replace('*', NOWHERE)}${port}${path}${kind === 'prefix' ? `/${NOWHERE}` : ''}`;
}

/** Returns what to ask about each route of a policy. */
export function routesToAsk({ policy, rules }: Loaded): readonly (Requested | Skipped)[] {
  return policy.hosts.flatMap((host) =>
    host.routes.map((route) => {
      const url = urlOf(policy, host.name, route);
      const own = rules.filter((rule) => rule.route === route.name);
      const { allow } = decide(own, null, { route: route.name, method: 'GET' });
      return allow ? { url, skipped: 'the policy lets anyone in' } : { url, method: 'GET' as const };
    }),
  );
}
