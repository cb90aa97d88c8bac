import type { Enforced } from '../../rules/enforced.ts';
import type { KubeObject, ObjectMetadata } from '../kit/kubernetes-objects.ts';
import { encodableOf, nonCanonicalPatterns } from '../kit/non-canonical-paths.ts';
import { objectName } from '../kit/owner.ts';
import { grouped, spiffeOf } from '../kit/rules.ts';
import { probeRules } from './guards.ts';
import { istioObject, metadata, requestAuthentication, telemetry } from './objects.ts';
import { authorizationPolicy, principalOf, type View } from './rule.ts';
import type { IstioContext, MeshService } from './services.ts';

/** The name of the Gateway, and of the Secret that contains the ingress's certificate and key, and the CA of nginx's
 * certificates. */
export const gatewayName = (owner: string): string => objectName(owner, 'ingress');

const named = ({ owner, ingress }: IstioContext, ...parts: string[]): ObjectMetadata =>
  metadata(owner, 'ingress', objectName(owner, 'ingress', ...parts), ingress.namespace);

/** The Gateway: mutual TLS with a client certificate of one of the identities. Istio accepts only the Gateway's hosts as
 * SNI. So the name in the ingress's certificate must be one of these hosts. */
function gateway(context: IstioContext): KubeObject {
  const { policy, ingress, services } = context;
  const spiffeIds = new Set(services.flatMap(({ rules }) => rules.map((rule) => spiffeOf(policy, rule))));
  return istioObject('Gateway', named(context), {
    selector: ingress.labels,
    servers: [
      {
        port: { number: ingress.port, name: 'https-meshgate', protocol: 'HTTPS' },
        hosts: [...new Set([ingress.serverName, ...services.map(({ name }) => name)])],
        tls: { mode: 'MUTUAL', credentialName: gatewayName(context.owner), subjectAltNames: [...spiffeIds] },
      },
    ],
  });
}

/** The VirtualService for services with the same name. Their ports distinguish them. It denies paths that Istio
 * would read as other paths, because it matches without decoding. */
function virtualService(context: IstioContext, services: readonly [MeshService, ...MeshService[]]): KubeObject {
  const [first] = services;
  const patterns = nonCanonicalPatterns(encodableOf(context.services.flatMap(({ rules }) => rules)));
  const match = patterns.map((regex) => ({ uri: { regex } }));
  return istioObject('VirtualService', named(context, first.service.name), {
    hosts: [first.name],
    gateways: [gatewayName(context.owner)],
    http: [
      { name: 'path-not-canonical', match, directResponse: { status: 400 } },
      ...services.map(({ service, hosts }) => ({
        name: service.name,
        ...(services.length > 1 && { match: hosts.map((exact) => ({ authority: { exact } })) }),
        route: [
          { destination: { host: service.endpoint.host.toLowerCase(), port: { number: service.endpoint.port } } },
        ],
      })),
    ],
  });
}

/** What the ingress sees of requests for a service. */
export const ingressView = (
  { policy, assertion }: Pick<IstioContext, 'policy' | 'assertion'>,
  { hosts }: MeshService,
): View => ({
  assertion,
  principal: (rule) => principalOf(spiffeOf(policy, rule)),
  hosts,
});

/** The rules of a service at the ingress, with the one for the gateway's own probe. */
export const rulesAtIngress = (context: IstioContext, meshService: MeshService): readonly Enforced[] => [
  ...meshService.rules,
  ...probeRules(context, meshService),
];

/** All objects for the ingress. */
export function ingressObjects(context: IstioContext): readonly KubeObject[] {
  const { ingress, services, assertion } = context;
  const audiences = services.map(({ service }) => service.name);
  return [
    gateway(context),
    ...(assertion
      ? [requestAuthentication(named(context), ingress.labels, { jwks: context.jwks, assertion, audiences })]
      : []),
    ...[...grouped(services, ({ name }) => name).values()].map((own) => virtualService(context, own)),
    ...services.map((it) =>
      authorizationPolicy(named(context, it.service.name), ingress.labels, rulesAtIngress(context, it), [
        ingressView(context, it),
      ]),
    ),
    telemetry(named(context), ingress.labels),
  ];
}
