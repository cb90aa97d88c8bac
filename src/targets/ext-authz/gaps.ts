import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { readsAddresses } from '../nginx/check/address-budgets.ts';
import type { Context } from '../nginx/render-context.ts';
import { hasSessions } from '../nginx/signin/sessions.ts';
import type { Gap } from '../types.ts';

/** What no ingress does for the policy, whichever form of check it uses. */
export function gaps(policy: Policy, rules: readonly Rule[], context: Context): readonly Gap[] {
  const { gateway, hosts, services } = policy;
  const routes = hosts.flatMap((host) => host.routes);
  const named = new Map(routes.map((route) => [route.name, route]));
  const used = new Set(rules.map(({ service }) => service));
  const some = Object.values(services).filter(({ name }) => used.has(name));
  const row = (part: string, text: string, when = true): readonly Gap[] => (when ? [{ part, text }] : []);
  return [
    ...some.flatMap(({ name }) =>
      row(
        `services.${name}`,
        'the ingress sends the requests, to the address and with the TLS of its own configuration; close the service to all other clients, for example by a network policy or the mesh',
      ),
    ),
    ...rules.flatMap(({ id, service, route }) => {
      const own = named.get(route)?.service;
      const text = `requests that only this rule allows are rejected, because the ingress sends all requests of the route to ${own}`;
      return row(id, text, own !== service);
    }),
    ...identityGap(rules),
    ...routes.flatMap(({ name, proxy, cors }) => [
      ...row(name, 'proxy: time-outs, sizes and rates are those of the ingress', proxy !== undefined),
      ...row(
        name,
        'cors: the ingress answers preflights, if its own configuration says so; otherwise they are rejected',
        cors !== undefined,
      ),
    ]),
    ...hosts.flatMap(({ name, clientCaFile }) =>
      row(
        `hosts.${JSON.stringify(name)}`,
        'client_ca_file: the ingress ends the connection of the client, so certificates are not accepted, and neither are tokens that are bound to one',
        clientCaFile !== undefined,
      ),
    ),
    ...some.flatMap(({ name, requestHeaders, protocol }) => [
      ...row(
        `services.${name}`,
        'request_headers: the ingress passes all other headers of clients on',
        requestHeaders !== undefined,
      ),
      ...row(
        `services.${name}`,
        'protocol: grpc: rejected calls get an HTTP status, which clients of gRPC translate, and no grpc-status',
        protocol === 'grpc',
      ),
    ]),
    ...some.flatMap(({ name, sessionCookies = ['*'] }) =>
      row(
        `services.${name}`,
        'session_cookies: answers of services pass the ingress unchanged, so a session cookie that the service set for one person reaches it for the next person in the same browser; sign-outs and sign-ins delete only cookies with the path /',
        sessionCookies.length > 0 && hasSessions(context),
      ),
    ),
    ...row('gateway.inner', 'a sidecar has no inner listener', gateway.inner !== undefined),
    ...row(
      'gateway.hsts',
      'Strict-Transport-Security is only in answers of the gateway itself; set it at the ingress too',
      gateway.hsts !== undefined,
    ),
    ...row(
      'gateway.trusted_proxies',
      'the addresses of the ingress are missing, so no check knows the address of its client: no role depends on a network, and all clients share the limits of one address',
      readsAddresses(context) && gateway.trustedProxies.length === 0,
    ),
    ...row(
      'gateway.session',
      "answers of services pass unchanged: a service can set the gateway's cookies, clear them, widen the scope of a service worker, and let caches store pages of a person",
      hasSessions(context),
    ),
    ...row(
      'gateway.session',
      'an unsafe request with a session needs Origin or Sec-Fetch-Site, because the ingress may have dropped them; the gateway itself lets old browsers and scripts pass without them',
      hasSessions(context),
    ),
  ];
}

function identityGap(rules: readonly Rule[]): readonly Gap[] {
  const names = [...new Set(rules.map(({ as }) => as))].filter((as) => as !== '' && as !== 'default').join(', ');
  const text = `the ingress connects with its own identity, not with ${names}; X-Meshgate-Identity names the chosen one`;
  return names === '' ? [] : [{ part: 'mesh.identities', text }];
}
