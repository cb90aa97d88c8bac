import { TO_HANDLER } from '../../internal-headers.ts';
import { answering, nameInCallback, type SigninHost, type SigninTable } from '../../session/signin-table.ts';

/** One request to a handler of the sign-in, as nginx hands it over. */
export interface Visit {
  readonly r: NginxHTTPRequest;
  /** The host that the browser asked. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
  /** The `Cookie` line. */
  readonly cookies: string;
  readonly requestId: string | undefined;
  /** Whether a browser shows the answer as a page, to somebody who is there. */
  readonly isPage: boolean;
  /** Seconds since the epoch. */
  readonly now: number;
}

export function visitOf(r: NginxHTTPRequest): Visit {
  const { headersIn } = r;
  return {
    r,
    host: headersIn[TO_HANDLER.host] ?? '',
    path: r.uri as string,
    query: headersIn[TO_HANDLER.query] ?? '',
    cookies: headersIn.Cookie ?? '',
    requestId: headersIn[TO_HANDLER.requestId],
    isPage: headersIn[TO_HANDLER.navigation] === 'get',
    now: Date.now() / 1000,
  };
}

/** A name of a host as it may stand in a URL: by a wildcard the client chooses it. */
const HOST_NAME = /^[a-z0-9.-]{1,253}$/;

/** The policy's host of a name: the exact one, or the longest wildcard. */
export function hostOf({ hosts }: Pick<SigninTable, 'hosts'>, name: string): SigninHost | undefined {
  if (!HOST_NAME.test(name)) return undefined;
  let best: SigninHost | undefined;
  for (const host of hosts) {
    if (host.name === name) return host;
    const covers = host.name.startsWith('*.') && name.endsWith(host.name.slice(1));
    if (covers && (best === undefined || host.name.length > best.name.length)) best = host;
  }
  return best;
}

/**
 * Whether the person in the browser is asked before a sign-in is begun for a host: unless the policy names it. Anyone who
 * controls one name below a wildcard receives what is signed in for it.
 */
export const isAskedFor = ({ hosts }: Pick<SigninTable, 'hosts'>, name: string): boolean =>
  !hosts.some((host) => host.name === name);

/** The name of a provider in its redirect URI at a host. */
export function callbackAt(signin: SigninTable, host: string, provider: string): string | undefined {
  const there = host === signin.signinHost ? undefined : hostOf(signin, host);
  return nameInCallback(answering(signin, there), provider);
}
