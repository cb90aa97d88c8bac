import { INTERNAL_NAMES, TO_SERVICE } from '../../base/internal-headers.ts';
import { answerNames, responseNames } from '../ext-authz/check-answer.ts';
import { forms } from '../ext-authz/forms.ts';
import { erasedBy, GATEWAY_PATH, METADATA_PATH } from '../ext-authz/ingress/kit.ts';
import { objectName } from '../kit/owner.ts';
import { readsAddresses } from '../nginx/check/address-budgets.ts';
import { hasSessions } from '../nginx/signin/sessions.ts';
import type { Gap } from '../types.ts';
import type { ExtAuthForm, ExtAuthInput } from './ext-auth.ts';
import { parent } from './ngf.ts';
import { hostLabel } from './objects.ts';

/** The longest list of headers that the Gateway API accepts. */
const MAX_HEADERS = 64;

/** The headers that NGF sends with each check by itself. */
const SENT = ['authorization', 'host', 'content-length'];

/** The headers of a check, besides those that NGF sends by itself. */
const checkHeaders = ({ checkInput }: ExtAuthInput): readonly string[] =>
  checkInput.read.filter((name) => !SENT.includes(name));

/** The headers that NGF sets for the service from the answer, over the client's. If the answer does not have one, the
 * service does not get it either. nginx drops names with an underscore anyway. The most important ones come first. */
function answerHeaders({ checkInput }: ExtAuthInput): readonly string[] {
  const toService = new Set<string>(Object.values(TO_SERVICE));
  const internal = new Set<string>(INTERNAL_NAMES.filter((name) => !toService.has(name)));
  const erased = erasedBy(checkInput.context);
  const all = [
    ...answerNames(checkInput.context),
    ...erased.filter((name) => toService.has(name)),
    ...erased.filter((name) => !internal.has(name)),
    ...erased.filter((name) => internal.has(name)),
  ];
  return [...new Map(all.filter((name) => !name.includes('_')).map((name) => [name.toLowerCase(), name])).values()];
}

const filter = (input: ExtAuthInput): object => ({
  type: 'ExternalAuth',
  externalAuth: {
    protocol: 'HTTP',
    backendRef: input.sidecar,
    http: {
      path: forms.find(({ name }) => name === 'gateway-fabric')?.path,
      allowedHeaders: checkHeaders(input).slice(0, MAX_HEADERS),
      allowedResponseHeaders: answerHeaders(input).slice(0, MAX_HEADERS),
    },
  },
});

const prefix = (value: string) => ({ path: { type: 'PathPrefix', value } });

/** How many rules the Gateway API accepts in a route. */
const MAX_RULES = 16;

/** The routes of a host: as many as its rules need. */
function routes(input: ExtAuthInput, { name: host, paths }: ExtAuthInput['hosts'][number]): readonly object[] {
  const rules = [
    {
      matches: [prefix(GATEWAY_PATH.slice(0, -1)), prefix(METADATA_PATH)],
      backendRefs: [input.sidecar],
    },
    ...paths.map(({ path, kind, backend: { name, port } }) => ({
      matches: [kind === 'prefix' ? prefix(path || '/') : { path: { type: 'Exact', value: path } }],
      filters: [filter(input)],
      backendRefs: [{ name, port }],
    })),
  ];
  return Array.from({ length: Math.ceil(rules.length / MAX_RULES) }, (_, i) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: {
      name: objectName(input.owner, hostLabel(host) + (i === 0 ? '' : `---${i + 1}`)),
      labels: input.labels,
    },
    spec: {
      parentRefs: [parent(input.gateway)],
      hostnames: [host],
      rules: rules.slice(i * MAX_RULES, (i + 1) * MAX_RULES),
    },
  }));
}

function gaps(input: ExtAuthInput): readonly Gap[] {
  const { checkInput, hosts } = input;
  const part = 'ingress';
  const left = answerHeaders(input).slice(MAX_HEADERS);
  const unread = checkHeaders(input).slice(MAX_HEADERS);
  const row = (text: string, when = true, of = part): readonly Gap[] => (when ? [{ part: of, text }] : []);
  const beside = responseNames(checkInput.context);
  return [
    ...hosts.flatMap(({ name }) => [
      ...row(
        'only rules with the filter are checked: a rule that loses it, or another HTTPRoute of this host, is open; run meshgate status with the policy as a probe, and let allowedRoutes admit only trusted namespaces',
        true,
        `hosts.${name}`,
      ),
    ]),
    ...row(
      'NGF admits a request if any service answers its check with 200: if backendRef does not lead to the sidecar, the host is open, without identity headers; services should verify the signed assertion (gateway.assertion)',
    ),
    ...row(
      'a rejected request gets the page of nginx, with 401 or 403: the reason, the body, Retry-After and the status 303, 400, 404, 421, 429 or 503 do not reach the client',
    ),
    ...row(
      'browsers are not sent to the sign-in: NGF answers 401 instead of the redirect, so people must open /.meshgate/signin themselves',
      hasSessions(checkInput.context),
      'gateway.session',
    ),
    ...beside.flatMap((name) =>
      row(
        `${name} of an answer to a check does not reach the client${name === 'Set-Cookie' ? ': a renewed session is not stored, so people sign in more often' : ''}`,
        true,
        name === 'Set-Cookie' ? 'gateway.session' : 'gateway.proof',
      ),
    ),
    ...row(
      'the check does not know the address of the client: no role depends on a network, and all clients share the limits of one address',
      readsAddresses(checkInput.context),
    ),
    ...row(
      'the answer to a check must fit into one page of memory (4 or 8 KiB), or the request is rejected with 500: large cookies, tokens and assertions do not pass',
    ),
    ...row(
      `the Gateway API allows ${MAX_HEADERS} headers in allowedResponseHeaders, so these pass from clients to services: ${left.join(', ')}`,
      left.length > 0,
    ),
    ...row(
      `the Gateway API allows ${MAX_HEADERS} headers in allowedHeaders, so the check does not see: ${unread.join(', ')}`,
      unread.length > 0,
    ),
    ...hosts
      .flatMap(({ paths }) => paths)
      .filter(({ backend: { tls } }) => tls)
      .flatMap(({ backend: { name } }) =>
        row('NGF connects over plain HTTP unless a BackendTLSPolicy names the Service', true, `services.${name}`),
      ),
  ];
}

/** The forms in which NGF asks a sidecar. */
export const ngfExtAuthForms = {
  'external-auth': {
    write: (input) => ({
      documents: { 'hosts.yaml': input.hosts.flatMap((host) => routes(input, host)) },
      gaps: gaps(input),
      notes: [
        'NGF reads ExternalAuth only with the experimental CRDs and the flag --gateway-api-experimental-features (Helm: nginxGateway.gwAPIExperimentalFeatures.enable), in versions after 2.6.7',
      ],
    }),
  },
} as const satisfies Readonly<Record<string, ExtAuthForm>>;
