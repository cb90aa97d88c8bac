import type { Refusal } from '../../base/reasons.ts';
import type { Host, Policy, Route } from '../../policy/checked/types.ts';
import { match } from '../../rules/decide/match.ts';

/** The route that a request reaches, or a refusal before any rule is evaluated. */
export type Reached = { readonly host: Host; readonly route: Route } | Refusal;

/** Splits a URL into host and target. The target keeps its spelling. Returns undefined if the URL has no host. */
export function splitUrl(url: string): { readonly host: string; readonly target: string } | undefined {
  const [, host, rest = ''] = /^(?:https?:\/\/)?([^/?#]+)(.*)$/is.exec(url) ?? [];
  if (host === undefined) return undefined;
  return { host, target: rest.startsWith('/') ? rest : `/${rest}` };
}

/** Finds the route of a request, as nginx does. */
export function reach(policy: Policy, method: string, url: string): Reached {
  const split = splitUrl(url);
  if (split === undefined || !/^[A-Z_-]+$/.test(method)) return { reason: 'request_malformed' };
  if (method === 'TRACE' || method === 'CONNECT') {
    return { reason: 'request_malformed', detail: `nginx itself refuses ${method} (405)` };
  }
  return match(policy.hosts, split.host, split.target);
}
