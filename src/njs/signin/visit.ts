import { hostNamed } from '../../base/host-name.ts';
import { TO_HANDLER } from '../../base/internal-headers.ts';
import { answering, nameInCallback, type SigninHost, type SigninTable } from '../../session/signin-table.ts';

/** One request to a handler of the sign-in, as nginx passes it on. */
export type Visit = Readonly<ReturnType<typeof visitOf>>;

export function visitOf(r: NginxHTTPRequest) {
  const { headersIn } = r;
  return {
    r,
    host: headersIn[TO_HANDLER.host] ?? '',
    path: r.uri as string,
    query: headersIn[TO_HANDLER.query] ?? '',
    cookies: headersIn.Cookie ?? '',
    /** The cookies of services, as a `Cookie` line. */
    serviceCookies: headersIn[TO_HANDLER.serviceCookies] ?? '',
    requestId: headersIn[TO_HANDLER.requestId],
    /** Whether the browser shows the response to a person as a page. */
    isPage: headersIn[TO_HANDLER.navigation] === 'get',
    now: Date.now() / 1000,
  };
}

const MAX_NAME_LENGTH = 253;

export const visitedHost = ({ hosts }: Pick<SigninTable, 'hosts'>, name: string): SigninHost | undefined =>
  name.length > MAX_NAME_LENGTH ? undefined : hostNamed(hosts, name);

/** Whether the gateway asks the person before a sign-in to a host. It asks for each host that only a wildcard covers,
 * because anyone who controls one name below the wildcard receives the session for that name. */
export const isRequestedFor = ({ hosts }: Pick<SigninTable, 'hosts'>, name: string): boolean =>
  !hosts.some((host) => host.name === name);

/** Returns the name of a provider in its redirect URI at a host. */
export function callbackAt(signin: SigninTable, host: string, provider: string): string | undefined {
  const there = host === signin.signinHost ? undefined : visitedHost(signin, host);
  return nameInCallback(answering(signin, there), provider);
}
