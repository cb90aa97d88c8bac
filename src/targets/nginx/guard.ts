import { requestFacts } from '../../rules/table.ts';
import { UnprintableError } from './print.ts';
import type { Scene } from './scene.ts';

/** The form that texts must have where nginx gives some characters a meaning: `~` in a name, `*` in a path, `data:` in
 * a file. */
const SHAPES = {
  name: /^[a-z][a-z0-9-]*$/,
  host: /^(\*\.)?[a-z0-9][a-z0-9.-]*$/,
  path: /^(\/[^*]*)?$/,
  file: /^\/[^*?[\]]*$/,
  machine: /^[A-Za-z0-9_.:[\]-]+$/,
  addresses: /^[0-9A-Fa-f.:/[\]]+$/,
  endpoint: /^https:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]+)?\/?$/,
  origin: /^(\*|https?:\/\/[a-z0-9.:[\]-]+)$/,
  method: /^[A-Z]+$/,
  listen: /^([0-9.]+:|\[[0-9A-Fa-f:.]+\]:)?[0-9]+$/,
  header: /^[A-Za-z][A-Za-z0-9-]*$/,
} as const;

function hold(shape: keyof typeof SHAPES, texts: readonly (string | undefined)[]): void {
  for (const text of texts) {
    if (text !== undefined && !SHAPES[shape].test(text)) {
      throw new UnprintableError(`nginx: not a ${shape}: ${JSON.stringify(text)}`);
    }
  }
}

/** Checks that every text of a policy has the form of its place, wherever the policy came from. The parser checks the
 * same, with better messages.
 *
 * @throws UnprintableError
 */
export function guard({
  policy,
  options,
  resolver,
  hosts,
  signinHost,
  identities,
  headerNames,
  cors,
  ingresses: asked,
}: Scene): void {
  const services = Object.values(policy.services);
  const providers = Object.values(policy.providers);
  const ingresses = asked.map(({ ingress }) => ingress);
  const { inner, store } = policy.gateway;
  const served = [...hosts, ...(signinHost ? [signinHost] : [])].map(({ host }) => host);
  const tls = [policy.gateway.tls, inner?.tls, ...served.map((host) => host.tls)];
  hold(
    'name',
    [...identities, ...ingresses, ...services, ...providers].map(({ name }) => name),
  );
  hold(
    'host',
    served.map(({ name }) => name),
  );
  hold(
    'path',
    hosts.flatMap(({ routes }) => routes.map(({ route }) => route.path)),
  );
  hold('file', [options.dir, options.runDir, options.stateDir, options.accessLog, options.systemCa]);
  hold(
    'file',
    tls.flatMap((one) => [one?.certFile, one?.keyFile]),
  );
  hold(
    'file',
    identities.flatMap(({ certFile, keyFile }) => [certFile, keyFile]),
  );
  hold('file', [
    inner?.clientCaFile,
    ...served.map(({ clientCaFile }) => clientCaFile),
    ...ingresses.map(({ caFile }) => caFile),
    ...services.map(({ direct }) => direct?.caFile),
    ...providers.map((it) => it.caFile),
    ...providers.flatMap(({ client }) =>
      client?.auth.kind === 'tls_client_auth' ? [client.auth.certFile, client.auth.keyFile] : [],
    ),
    store?.caFile,
    store?.certFile,
    store?.keyFile,
  ]);
  hold('endpoint', store?.endpoints ?? []);
  hold('machine', [
    ...ingresses.flatMap(({ host, serverName }) => [host, serverName]),
    ...services.map(({ authority }) => authority),
  ]);
  hold(
    'machine',
    services.flatMap(({ direct }) => [direct?.host, direct?.serverName]),
  );
  hold('addresses', [...resolver, ...policy.gateway.trustedProxies]);
  hold('addresses', requestFacts(policy)?.networks.flatMap((ranges) => ranges.split(' ')) ?? []);
  hold(
    'header',
    services.flatMap(({ requestHeaders = [] }) => requestHeaders),
  );
  hold('header', [...headerNames, ...cors.flatMap(({ headers, expose }) => [...headers, ...expose])]);
  hold(
    'origin',
    cors.flatMap(({ origins }) => origins),
  );
  hold(
    'method',
    cors.flatMap(({ methods }) => methods),
  );
  hold('listen', [policy.gateway.health]);
}
