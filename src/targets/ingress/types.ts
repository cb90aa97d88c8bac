import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { NginxOptions } from '../nginx/options.ts';
import type { Emitted, Gap } from '../types.ts';
import type { ProbeOptions } from './probe-job.ts';

/** The ingress controllers with nginx in them: NGINX Ingress Controller and NGINX Gateway Fabric. */
export type Controller = 'nic' | 'ngf';

/** The options for rendering for a controller. They are not a part of the policy. */
export interface IngressOptions
  extends Partial<Pick<NginxOptions, 'dir' | 'runDir' | 'stateDir' | 'accessLog' | 'resolver'>> {
  /** How the controller gets the gateway; absent: the first form of the controller. */
  readonly form?: string | undefined;
  /** The Gateway of NGF: `[NAMESPACE/]NAME[/LISTENER]`. */
  readonly gateway?: string | undefined;
  /** The Service of the sidecar, for forms that ask one; absent: `meshgate`, at the port of the policy. */
  readonly sidecar?: { readonly name: string; readonly port: number } | undefined;
  /** The probe of the routes; absent: no route needs a credential. */
  readonly probe?: ProbeOptions | undefined;
  /** The JavaScript bundles by name. */
  readonly bundles: Readonly<Record<string, string>>;
}

/** What a form adds to the files that are mounted into the controller's pods. */
export interface FormOutput {
  /** Objects and fragments by the name of their file. Each file is a list of documents. */
  readonly documents: Readonly<Record<string, readonly unknown[]>>;
  readonly gaps: readonly Gap[];
  readonly notes: readonly string[];
}

/** A way to bring the gateway into a controller. */
export interface IngressForm {
  /** Whether the controller renders the servers of the hosts, so that snippets include the gateway in them. */
  readonly ownServers: boolean;
  write(input: FormInput): FormOutput;
}

/** What a form knows about the policy. */
export interface FormInput {
  readonly policy: Policy;
  /** The hosts, with the sign-in host. */
  readonly hosts: readonly string[];
  readonly options: NginxOptions;
  /** The owner of the rendered objects. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The volume with the files, as a pod lists it. */
  readonly volume: object;
  /** The places at which a container mounts the volume. */
  readonly mounts: readonly object[];
  /** The size of the buckets that maps need. */
  readonly mapBucket: number;
  /** Whether clients use gRPC, which needs HTTP/2. */
  readonly grpc: boolean;
  readonly gateway: string | undefined;
}

export interface IngressTarget {
  readonly name: Controller;
  /** The names of the forms; the first one is the default. */
  readonly forms: readonly string[];
  /** The names of the forms that ask a sidecar. */
  readonly extAuth: readonly string[];
  emit(policy: Policy, rules: readonly Rule[], options: IngressOptions): Emitted;
}
