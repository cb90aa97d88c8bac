import type { Identity } from '../../policy/types.ts';
import { type Arg, commented, type Directive, key, literal, map, template, variable } from './directive.ts';
import { ingressUpstream, text } from './names.ts';
import type { Scene, SceneRoute } from './scene.ts';

/** Where a route connects to, and with which certificate. */
export interface Connection {
  /** `https://…`: a literal where the route's rules yield one identity only. */
  readonly pass: Arg;
  /** Always a variable, so that nginx reads the file at each handshake and a rotation needs no reload. */
  readonly cert: Arg;
  readonly key: Arg;
}

/** The connection of a route through the mesh's ingress. */
export function ingressConnection(scene: Scene, { identities }: SceneRoute): Connection {
  const [only] = identities;
  if (only === undefined || identities.length > 1) {
    return {
      pass: template('https://', variable('meshgate_upstream')),
      cert: variable('meshgate_cert'),
      key: variable('meshgate_key'),
    };
  }
  const index = scene.identities.indexOf(only);
  return {
    pass: literal(`https://${ingressUpstream(only.name)}`),
    cert: variable(`meshgate_cert_${index}`),
    key: variable(`meshgate_key_${index}`),
  };
}

/** A map from the identity that the check answered; any other name gives nothing, and then nothing is sent. */
function byIdentity(name: string, entries: readonly (readonly [Identity, Arg])[]): Directive {
  return map(variable('meshgate_as'), name, [
    ['default', literal('')],
    ...entries.map(([identity, value]) => [key(identity.name), value] as const),
  ]);
}

/** From the identity that the check answered to upstream, certificate and key: only what some route uses. */
export function identityMaps(scene: Scene): readonly Directive[] {
  const routes = scene.hosts.flatMap((host) => host.routes).filter((route) => route.service.direct === undefined);
  const alone = scene.identities.filter((identity) =>
    routes.some((route) => route.identities.length === 1 && route.identities[0] === identity),
  );
  const chosen = routes.some((route) => route.identities.length !== 1);
  const all = <T>(value: (identity: Identity) => T) => scene.identities.map((one) => [one, value(one)] as const);
  return [
    ...alone.flatMap((identity) => {
      const index = scene.identities.indexOf(identity);
      return [
        commented(
          `The files of ${identity.spiffe}.`,
          byIdentity(`meshgate_cert_${index}`, [[identity, text(identity.certFile)]]),
        ),
        byIdentity(`meshgate_key_${index}`, [[identity, text(identity.keyFile)]]),
      ];
    }),
    ...(chosen
      ? [
          commented(
            'One upstream per identity: nginx pools connections and TLS sessions by address, not by certificate.',
            byIdentity(
              'meshgate_upstream',
              all(({ name }) => literal(ingressUpstream(name))),
            ),
          ),
          byIdentity(
            'meshgate_cert',
            all(({ certFile }) => text(certFile)),
          ),
          byIdentity(
            'meshgate_key',
            all(({ keyFile }) => text(keyFile)),
          ),
        ]
      : []),
  ];
}
