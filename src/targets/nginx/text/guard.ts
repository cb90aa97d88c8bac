import { meshesOf } from '../../../policy/checked/ingresses.ts';
import { requestFacts } from '../../../rules/table/table.ts';
import { allHosts, type Context } from '../render-context.ts';
import { UnprintableError } from './print.ts';

/** The form of each kind of text. nginx gives some characters a meaning: `~` in a name, `*` in a path, `data:` in a
 * file. */
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
    if (text !== undefined && !SHAPES[shape].test(text))
      throw new UnprintableError(`nginx: not a ${shape}: ${JSON.stringify(text)}`);
  }
}

/** Checks that every text of a policy has the form that its place requires, even if the policy did not come from the
 * parser. The parser makes the same checks and gives better messages.
 * @throws UnprintableError if a text has another form */
export function guard(context: Context): void {
  const { policy, options, resolver, hosts, identities, headerNames, cors } = context;
  const services = Object.values(policy.services);
  const providers = Object.values(policy.providers);
  const ingresses = context.ingresses.flatMap(({ ingresses }) => ingresses.all);
  const { inner, store } = policy.gateway;
  const served = allHosts(context).map(({ host }) => host);
  const tls = [policy.gateway.tls, inner?.tls, ...served.map((host) => host.tls)];
  const auths = providers.map(({ client }) => (client?.auth.kind === 'tls_client_auth' ? client.auth : undefined));
  const networks = requestFacts(policy)?.networks ?? [];
  const texts: Readonly<Record<keyof typeof SHAPES, readonly (string | undefined)[]>> = {
    name: [
      ...[...identities, ...ingresses, ...services, ...providers].map(({ name }) => name),
      ...meshesOf(policy).map(({ name }) => name),
    ],
    host: served.map(({ name }) => name),
    path: hosts.flatMap(({ routes }) => routes.map(({ route }) => route.path)),
    file: [
      ...[options.dir, options.runDir, options.stateDir, options.accessLog, options.systemCa],
      ...[...tls, ...identities, store, ...auths].flatMap((one) => [one?.certFile, one?.keyFile]),
      ...[inner, ...served].map((one) => one?.clientCaFile),
      ...[...ingresses, ...services.map(({ direct }) => direct), ...providers, store].map((one) => one?.caFile),
    ],
    endpoint: store?.endpoints ?? [],
    machine: [
      ...[...ingresses, ...services.map(({ direct }) => direct)].flatMap((one) => [one?.host, one?.serverName]),
      ...services.map(({ authority }) => authority || undefined),
    ],
    addresses: [...resolver, ...policy.gateway.trustedProxies, ...networks.flatMap((ranges) => ranges.split(' '))],
    header: [
      ...services.flatMap(({ requestHeaders = [] }) => requestHeaders),
      ...headerNames,
      policy.gateway.credentialHeader,
      ...cors.flatMap(({ headers, expose }) => [...headers, ...expose]),
    ],
    origin: cors.flatMap(({ origins }) => origins),
    method: cors.flatMap(({ methods }) => methods),
    listen: [policy.gateway.health],
  };
  for (const [shape, all] of Object.entries(texts)) hold(shape as keyof typeof SHAPES, all);
}
