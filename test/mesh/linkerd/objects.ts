/** Linkerd's policy objects as the policy controller reads them, with defaults filled in; see {@link ./admission.ts}. */

interface Placed {
  readonly namespace: string;
  readonly name: string;
  /** When the API server created the object; '' for all: names decide instead of their age. */
  readonly created: string;
}

/** What labels must be: equal, or as an expression says. */
export interface Selector {
  readonly labels: Readonly<Record<string, string>>;
  readonly expressions: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values: readonly string[];
  }[];
}

export interface Server extends Placed {
  readonly kind: 'Server';
  readonly pods: Selector;
  /** A number, or the name of a port of a container. */
  readonly port: number | string;
  readonly accessPolicy: string;
  readonly protocol: string;
}

/** A condition on a header or on a query parameter. */
export interface Condition {
  readonly name: string;
  readonly value: string;
  readonly isExpression: boolean;
}

export interface Match {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly value: string;
  readonly method?: string;
  readonly headers: readonly Condition[];
  readonly query: readonly Condition[];
}

export interface HttpRoute extends Placed {
  readonly kind: 'HTTPRoute';
  /** `namespace/name` of servers. */
  readonly servers: readonly string[];
  readonly hostnames: readonly string[];
  /** Each with matches of which one is enough; a rule without matches needs none. */
  readonly rules: readonly (readonly Match[])[];
}

export interface AuthorizationPolicy extends Placed {
  readonly kind: 'AuthorizationPolicy';
  /** The kind in lower case. */
  readonly target: { readonly kind: string; readonly name: string };
  /** What clients must have: all of them. */
  readonly required: readonly { readonly kind: string; readonly namespace: string; readonly name: string }[];
}

export interface MeshTlsAuthentication extends Placed {
  readonly kind: 'MeshTLSAuthentication';
  readonly identities: readonly string[];
  /** Service accounts, or all accounts of a namespace. */
  readonly accounts: readonly { readonly namespace: string; readonly name?: string }[];
}

export interface NetworkAuthentication extends Placed {
  readonly kind: 'NetworkAuthentication';
  readonly networks: readonly { readonly cidr: string; readonly except: readonly string[] }[];
}

export type LinkerdObject = Server | HttpRoute | AuthorizationPolicy | MeshTlsAuthentication | NetworkAuthentication;
