import type { Identity } from '../../policy/types.ts';
import { type Arg, commented, type Directive, key, literal, map, template, variable } from './directive.ts';
import { ingressUpstream } from './names.ts';
import type { Scene, SceneRoute } from './scene.ts';

/** Where a route connects to, and with which certificate. */
export interface Connection {
  readonly pass: Arg;
  readonly cert: Arg;
  readonly key: Arg;
}

/** The connection of a route through the mesh's ingress: literal where its rules yield one identity only. */
export function ingressConnection({ identities }: SceneRoute): Connection {
  const [only] = identities;
  if (only === undefined || identities.length > 1) {
    return {
      pass: template('https://', variable('meshgate_upstream')),
      cert: variable('meshgate_identity_cert'),
      key: variable('meshgate_identity_key'),
    };
  }
  return {
    pass: literal(`https://${ingressUpstream(only.name)}`),
    cert: literal(only.certFile),
    key: literal(only.keyFile),
  };
}

/** From the identity that the check answered to upstream, certificate and key, where some route has a choice. */
export function identityMaps({ hosts, identities }: Scene): readonly Directive[] {
  const chosen = hosts.some(({ routes }) =>
    routes.some((route) => route.service.direct === undefined && route.identities.length !== 1),
  );
  if (!chosen) return [];
  // Any other name gives nothing, and nginx refuses to connect to nothing.
  const from = (name: string, value: (identity: Identity) => string) =>
    map(variable('meshgate_as'), name, [
      ['default', literal('')],
      ...identities.map((identity) => [key(identity.name), literal(value(identity))] as const),
    ]);
  return [
    commented(
      'One upstream per identity: nginx pools connections and TLS sessions by address, not by certificate.',
      from('meshgate_upstream', ({ name }) => ingressUpstream(name)),
    ),
    from('meshgate_identity_cert', ({ certFile }) => certFile),
    from('meshgate_identity_key', ({ keyFile }) => keyFile),
  ];
}
