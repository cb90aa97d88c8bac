import type { At } from './at.ts';

/* The part of a policy about destinations: the mesh, its ingresses and identities, and the services. */

export const MESH_KINDS = ['envoy', 'istio', 'linkerd', 'consul'] as const;

export type MeshKind = (typeof MESH_KINDS)[number];

export interface Mesh {
  readonly kind: MeshKind;
  readonly trustDomain: string;
  /** Longest time in seconds that a replaced certificate is still used, on open connections too. */
  readonly rotation: number;
  /** The only ingress, or the first of several; in a policy {@link atIngress | seen by one}, that one. */
  readonly ingress: Ingress;
  /** All ingresses by name; the only one of `mesh.ingress` is `default`. */
  readonly ingresses: Readonly<Record<string, Ingress>>;
  readonly identities: Readonly<Record<string, Identity>>;
  /** CA with which Consul's proxies verify the gateway when they fetch its keys; the path is on their machine. */
  readonly assertionCaFile?: string;
  readonly at: At;
}

export interface Ingress {
  /** `default` if the policy names none. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** DNS name in the ingress's certificate (nginx cannot verify one that only has a SPIFFE id). */
  readonly serverName: string;
  /** CA for the ingress's certificate. */
  readonly caFile: string;
  /** The ingress's own files and address, in its container; `--target envoy` needs them. */
  readonly own?: {
    readonly certFile: string;
    readonly keyFile: string;
    readonly clientCaFile: string;
    readonly listen: number;
    /** The gateway's public keys, with which the ingress verifies assertions. */
    readonly assertionJwksFile?: string;
  };
  /** Kubernetes namespace of the ingress. */
  readonly namespace?: string;
  /** Labels of its pods. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Service account of its pods; workloads accept no other. */
  readonly serviceAccount?: string;
  /** Its name in Consul; workloads accept no other. */
  readonly consulService?: string;
  readonly at: At;
}

/** A workload certificate that nginx connects with. One PEM file with certificate and key is the form that rotates
 * safely. */
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
  /** Its host and port for the mesh ingress (`--target envoy`); default: the authority, port 80. */
  readonly endpoint: { readonly host: string; readonly port: number };
  /** Protocol of the service, and of the ingress for it; absent: HTTP/1.1. */
  readonly protocol?: 'http2' | 'grpc';
  /** Name of its ingress; absent: `default`. */
  readonly ingress?: string;
  /** Set if nginx connects to the service directly and not through the mesh ingress. */
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
  /** Port of the workload itself. */
  readonly port?: number;
  /** Request headers of clients that it receives, besides those that always pass; absent: all that are not erased. */
  readonly requestHeaders?: readonly string[];
  /** SPIFFE id of the service's own workload, with which it acts for a person. */
  readonly spiffe?: string;
  /** Its name in Consul; absent: its own name. */
  readonly consulService?: string;
  readonly at: At;
}
