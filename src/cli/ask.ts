import type { Host, Policy, Route } from '../policy/types.ts';
import { type Refusal, refuse } from '../reasons.ts';
import { match } from '../rules/match.ts';

/** What a request reaches: a route, or the refusal that comes before any rule. */
export type Reached = { readonly host: Host; readonly route: Route } | Refusal;

/** Of a token on a route that takes sessions alone. */
export const noTokens = refuse('credential_unsupported', 'this route takes no tokens: sign in with a browser');

/**
 * Takes a URL apart without touching it: what stands behind the host goes to nginx as it is, so that odd spellings can
 * be asked about.
 *
 * @returns `undefined` if there is no host in it
 */
export function splitUrl(url: string): { readonly host: string; readonly target: string } | undefined {
  const [, host, rest = ''] = /^(?:https?:\/\/)?([^/?#]+)(.*)$/is.exec(url) ?? [];
  if (host === undefined) return undefined;
  return { host, target: rest.startsWith('/') ? rest : `/${rest}` };
}

/**
 * The route that nginx finds for a request.
 *
 * @param url with host and path; see {@link splitUrl}
 */
export function reach(policy: Policy, method: string, url: string): Reached {
  const split = splitUrl(url);
  if (split === undefined || !/^[A-Z_-]+$/.test(method)) return { reason: 'request_malformed' };
  if (method === 'TRACE' || method === 'CONNECT') {
    return { reason: 'request_malformed', detail: `nginx itself refuses ${method} (405)` };
  }
  return match(policy.hosts, split.host, split.target);
}
