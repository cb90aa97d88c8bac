import type { At } from './at.ts';

/*
 * What a policy says of where requests go: the mesh, its ingresses and identities, and the services.
 */

export const MESH_KINDS = ['envoy', 'istio', 'linkerd', 'consul'] as const;

export type MeshKind = (typeof MESH_KINDS)[number];

export interface Mesh {
  readonly kind: MeshKind;
  readonly trustDomain: string;
  /** Longest time in seconds that a certificate is shown after it was replaced, on kept connections too. */
  readonly rotation: number;
  /** The only door, or the first of several: of a policy {@link atIngress | seen by one}, that one. */
  readonly ingress: Ingress;
  /** All doors by name; the only one of `mesh.ingress` is `default`. */
  readonly ingresses: Readonly<Record<string, Ingress>>;
  readonly identities: Readonly<Record<string, Identity>>;
  /** CA that Consul's proxies verify the gateway with when they fetch its keys, as they see the file. */
  readonly assertionCaFile?: string;
  readonly at: At;
}

export interface Ingress {
  /** `default` where the policy names none. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** DNS name in the ingress's certificate (nginx cannot verify a SPIFFE-only one). */
  readonly serverName: string;
  /** CA that the ingress's certificate is verified with. */
  readonly caFile: string;
  /** The ingress's own side, as its container sees it; what `--target envoy` needs. */
  readonly own?: {
    readonly certFile: string;
    readonly keyFile: string;
    readonly clientCaFile: string;
    readonly listen: number;
    /** The gateway's public keys; with them the ingress verifies the assertion. */
    readonly assertionJwksFile?: string;
  };
  /** Kubernetes namespace of the ingress. */
  readonly namespace?: string;
  /** Labels of its pods. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What its pods run as; workloads let nobody else in. */
  readonly serviceAccount?: string;
  /** What it is registered as in Consul; workloads let nobody else in. */
  readonly consulService?: string;
  readonly at: At;
}

/** A workload certificate that nginx connects with. One PEM holding both is the form that rotates safely. */
export interface Identity {
  readonly name: string;
  readonly spiffe: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly at: At;
}

export interface Service {
  readonly name: string;
  /** `Host` that the service receives. */
  readonly authority: string;
  /** Where the mesh ingress finds it (`--target envoy`): host and port; default the authority, port 80. */
  readonly endpoint: { readonly host: string; readonly port: number };
  /** What it speaks, and the ingress for it; absent: HTTP/1.1. */
  readonly protocol?: 'http2' | 'grpc';
  /** Name of the ingress that it is reached through; absent: `default`. */
  readonly ingress?: string;
  /** Set when the service is reached directly and not through the mesh ingress. */
  readonly direct?: {
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    readonly caFile?: string;
    readonly serverName: string;
  };
  /** Kubernetes namespace of the workload. */
  readonly namespace?: string;
  /** Labels of its pods. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Port that the workload itself listens on. */
  readonly port?: number;
  /** Request headers of clients that it receives beside those that always pass; absent: all that are not erased. */
  readonly requestHeaders?: readonly string[];
  /** SPIFFE id of the service's own workload: what it shows where it acts for a person. */
  readonly spiffe?: string;
  /** What it is registered as in Consul; absent: its name. */
  readonly consulService?: string;
  readonly at: At;
}
