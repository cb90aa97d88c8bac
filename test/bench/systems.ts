import { bareImage, envoyImage, gatewayImage, imageOf } from '../harness/images.ts';
import { type Part, partCommand, parts } from './ablation.ts';
import { envoyCommand, envoyConfiguration } from './envoy.ts';
import type { Mesh } from './mesh.ts';
import { configuration, Nginx, type NginxSpec, plainNginx } from './nginx.ts';
import { identityPaths, measuredPath, policy } from './policy.ts';
import type { Alg, Signer } from './tokens.ts';

/** The measured systems: keys of results.json, and their names in table and chart. */
export const systems = [
  { key: 'bare', label: 'nginx, bare proxy', runs: 'bare', alg: 'RS256', fresh: false, routes: 1 },
  { key: 'hop', label: 'auth_request hop alone', runs: 'hop', alg: 'RS256', fresh: false, routes: 1 },
  { key: 'known', label: 'known token', runs: 'gateway', alg: 'RS256', fresh: false, routes: 1 },
  {
    key: 'budget',
    label: 'known token, with a budget',
    runs: 'gateway',
    alg: 'RS256',
    fresh: false,
    routes: 1,
    limited: true,
  },
  { key: 'nolog', label: 'known token, no log', runs: 'gateway', alg: 'RS256', fresh: false, routes: 1, silent: true },
  {
    key: 'sealed',
    label: 'known token, the log sealed',
    runs: 'gateway',
    alg: 'RS256',
    fresh: false,
    routes: 1,
    sealed: true,
  },
  { key: 'routes200', label: 'known token, 200 routes', runs: 'gateway', alg: 'RS256', fresh: false, routes: 200 },
  {
    key: 'identities1',
    label: 'TLS to the mesh, one identity',
    runs: 'gateway',
    alg: 'RS256',
    fresh: false,
    routes: 101,
    identities: 1,
  },
  {
    key: 'identities100',
    label: 'TLS to the mesh, 100 identities',
    runs: 'gateway',
    alg: 'RS256',
    fresh: false,
    routes: 101,
    identities: 100,
  },
  { key: 'new_rs256', label: 'new token, RS256', runs: 'gateway', alg: 'RS256', fresh: true, routes: 1 },
  { key: 'new_es256', label: 'new token, ES256', runs: 'gateway', alg: 'ES256', fresh: true, routes: 1 },
  {
    key: 'introspect_known',
    label: 'known opaque token',
    runs: 'gateway',
    alg: 'RS256',
    fresh: false,
    routes: 1,
    opaque: true,
  },
  {
    key: 'dpop',
    label: 'known token, new DPoP proof',
    runs: 'gateway',
    alg: 'ES256',
    fresh: true,
    routes: 1,
    proofs: true,
  },
  { key: 'session', label: 'known session', runs: 'gateway', alg: 'RS256', fresh: false, routes: 1, sessions: true },
  {
    key: 'session_new',
    label: 'new session',
    runs: 'gateway',
    alg: 'RS256',
    fresh: true,
    routes: 1,
    sessions: true,
  },
  {
    key: 'cmodule_rs256',
    label: 'C module, new token, RS256',
    runs: 'cmodule',
    alg: 'RS256',
    fresh: true,
    routes: 1,
  },
  ...parts.map(({ part, label }) => ({
    key: `part_${part}` as const,
    label,
    runs: part === 'bare' || part === 'envoy' ? part : ('gateway' as const),
    alg: 'RS256' as const,
    fresh: false as const,
    routes: 1 as const,
    part,
  })),
] as const satisfies readonly {
  readonly key: string;
  readonly label: string;
  readonly runs: 'bare' | 'hop' | 'gateway' | 'cmodule' | 'envoy';
  readonly alg: Alg;
  /** Each request has a new token. */
  readonly fresh: boolean;
  readonly routes: number;
  /** Mesh identities of the requests, in turn; absent: the service is called directly, over plain HTTP. */
  readonly identities?: number;
  /** The credential is a session's cookie. */
  readonly sessions?: true;
  /** The credential is an opaque token, which the issuer introspects. */
  readonly opaque?: true;
  /** Callers have a limit that they do not reach. */
  readonly limited?: true;
  /** The credential is a bound token, the same each time, with a new proof each time. */
  readonly proofs?: true;
  /** It writes no log. */
  readonly silent?: true;
  /** The log is sealed, and the CPU of all processes of the container counts. */
  readonly sealed?: true;
  /** The part of the gateway that it has, with TLS from clients and mutual TLS to the service; see ablation.ts. */
  readonly part?: Part;
}[];

export type System = (typeof systems)[number];
/** Members that not every system has are absent there. */
type Wide = {
  readonly routes: number;
  readonly identities?: number;
  readonly sessions?: true;
  readonly opaque?: true;
  readonly limited?: true;
  readonly proofs?: true;
  readonly part?: Part;
  readonly silent?: true;
  readonly sealed?: true;
  /** A route for WebSockets, which may be idle for an hour. */
  readonly sockets?: true;
};
export type SystemKey = System['key'];

/** The parameters with which systems start. */
export interface Ground {
  /** On a tmpfs. */
  readonly folder: string;
  readonly signer: Signer;
  /** The port of the DNS server that knows the issuer's name. */
  readonly dns: number;
  /** CA of the issuer's certificate, PEM. */
  readonly ca: string;
  readonly mesh: Mesh;
  /** Certificate and key of the gateway, PEM. */
  readonly tls: string;
  /** Text of the file with the session keys. */
  readonly ring: string;
}

export { gatewayImage };

const images = {
  bare: bareImage,
  hop: bareImage,
  cmodule: imageOf('meshgate/test-cmodule'),
} as const;

/** The service that all systems but those of the memory measurement forward to. */
export function startBackend(ground: Ground, port: number, ingress: number): Promise<Nginx> {
  const files = { ...configuration('backend', { port, ingress }), ...ground.mesh.ingress };
  return Nginx.start({ name: 'backend', image: images.bare, port, files, command: plainNginx }, ground.folder);
}

/** Starts a fresh instance of a system in front of a backend. */
export function startSystem(
  ground: Ground,
  runs: System['runs'],
  at: {
    readonly name: string;
    readonly port: number;
    readonly backend: number;
    readonly ingress?: number;
  } & Partial<Wide>,
): Promise<Nginx> {
  const specOf = { gateway, envoy, bare: plain, hop: plain, cmodule: plain }[runs];
  return Nginx.start(specOf(ground, at, runs), ground.folder);
}

type Place = Parameters<typeof startSystem>[2];

function plain(ground: Ground, place: Place, runs: System['runs']): NginxSpec {
  const { name, port, backend, ingress = 0, part } = place;
  if (part !== undefined) {
    const files = { ...configuration('bare-tls', { port, ingress }), ...tlsFiles(ground) };
    return { name, image: images.bare, port, files, command: plainNginx, ca: ground.ca };
  }
  const key = runs === 'cmodule' ? { 'rs256.pem': ground.signer.rsaPem } : {};
  const files = { ...configuration(runs, { port, backend }), ...key };
  return { name, image: images[runs as keyof typeof images], port, files, command: plainNginx };
}

/** The common parts of systems that serve TLS and reach the service with one identity. */
const tlsFiles = ({ mesh, tls }: Ground) => ({ ...mesh.svids(1), 'server.pem': tls });

function envoy(ground: Ground, { name, port, ingress = 0 }: Place): NginxSpec {
  const files = { 'envoy.json': envoyConfiguration({ port, ingress }, ground.signer), ...tlsFiles(ground) };
  return { name, image: envoyImage, port, files, command: envoyCommand, ca: ground.ca, alone: true };
}

/** The image as it is; its log goes to a file as that of the others, unless the log on standard output is measured. */
function gateway(ground: Ground, place: Place): NginxSpec {
  const {
    name,
    port,
    backend,
    ingress = 0,
    routes,
    sessions,
    opaque,
    limited,
    proofs,
    part,
    sockets,
    silent,
    sealed,
  } = place;
  const identities = part === undefined ? place.identities : 1;
  const places = { port, backend, ingress, issuer: ground.signer.issuer, dns: ground.dns };
  return {
    name,
    image: gatewayImage,
    port,
    files: {
      'meshgate.yaml': policy(
        places,
        routes,
        identities,
        sessions,
        opaque,
        limited,
        proofs,
        part !== undefined,
        sockets,
        sealed,
      ),
      'ca.pem': ground.ca,
      ...(sessions && { 'session.jwks': ground.ring }),
      ...(opaque && { secret: 'bench' }),
      ...(identities === undefined ? {} : ground.mesh.svids(identities)),
      ...(part !== undefined && { 'server.pem': ground.tls }),
    },
    env: { MESHGATE_RENDERED: '1', MESHGATE_WORKERS: '1', MESHGATE_LOG_SIZE: '0' },
    command: partCommand(silent ? 'silent' : part === undefined || part === 'bare' || part === 'envoy' ? 'file' : part),
    ...(silent && { silent }),
    ...(sealed && { sealed }),
    ...(part !== undefined && { ca: ground.ca }),
    streams: part === 'stdout',
  };
}

/** The requested paths, in turn. */
export function pathsOf({ routes, identities }: Wide): readonly string[] {
  return identities === undefined ? [measuredPath(routes)] : identityPaths('page');
}
