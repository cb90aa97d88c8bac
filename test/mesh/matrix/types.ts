import type { McpHeaders } from '../../../src/rules/tools.ts';

/** The part of a request that is wrong, while all others are right. */
export type Part =
  | 'role'
  | 'agent'
  | 'method'
  | 'host'
  | 'path'
  | 'credential'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'expiry'
  | 'as'
  | 'certificate'
  | 'header';

/** The flaw of a credential: of a token at the gateway, of an assertion behind it. */
export type Flaw = 'garbage' | 'unsigned' | 'unknown key' | 'altered' | 'issuer' | 'audience' | 'expired';

/** The claimed identity of a caller, and its credential. */
export interface Credential {
  /** The roles from which the token at the gateway is made; `roles` of the assertion behind it. */
  readonly roles: readonly string[];
  readonly flaw?: Flaw;
  /** `aud` of the assertion: a service's name. */
  readonly service: string;
  /** `as` of the assertion; absent: it has none. */
  readonly as?: string;
  /** The agent that acts for the person; absent: the person sends the request. */
  readonly agent?: string;
  /** It acts alone, and there is no person. */
  readonly alone?: true;
}

/** The certificate of the connection into the mesh. */
export type Connects =
  /** At the ingress that of this identity; at a workload that of the ingress. */
  | { readonly kind: 'right'; readonly identity: string }
  /** That of this identity of the policy, also at a workload. */
  | { readonly kind: 'identity'; readonly identity: string }
  /** One of the mesh's CA with this SPIFFE id. */
  | { readonly kind: 'spiffe'; readonly spiffe: string }
  /** The right SPIFFE id, of another CA. */
  | { readonly kind: 'other CA'; readonly identity: string }
  | { readonly kind: 'no certificate' }
  /** No TLS at all. */
  | { readonly kind: 'plain' };

/** A request with its credentials. */
export interface Cell {
  /** One line: the rule, the wrong part, and how. */
  readonly name: string;
  /** Id of the rule that it was derived from. */
  readonly rule: string;
  /** The wrong part; absent: none, the rule allows it. */
  readonly part?: Part;
  /** The requested host: the policy's host at the gateway, the service's authority behind it. */
  readonly host: string;
  readonly authority: string;
  /** The service whose workload receives it. */
  readonly service: string;
  readonly method: string;
  /** Raw, as it is sent. */
  readonly path: string;
  /** Its MCP headers; absent: none. */
  readonly mcp?: McpHeaders;
  /** Absent: an anonymous caller. */
  readonly credential?: Credential;
  readonly connects: Connects;
}

/**
 * The result of a cell. Sides must agree on `allowed`; a side that reports where a request ended must agree on that as
 * well, because two refusals in a row would hide that one of them is gone.
 */
export type Answer =
  /** The right service answered. */
  | 'allowed'
  /** No connection: TLS ended it. */
  | 'refused: connection'
  /** The credential itself is invalid. */
  | 'refused: credential'
  /** The path could mean another one. */
  | 'refused: path'
  /** No rule allows it. */
  | 'refused: rules'
  /** The service answered, and received what it must not receive, or another service answered. */
  | `wrong: ${string}`
  /** This side cannot answer the cell. */
  | 'not askable';

/** A rendered object, or file, as plain JSON. */
export interface Rendered {
  /** `envoy.yaml`, or `AuthorizationPolicy wiki/wiki-editor`. */
  readonly name: string;
  readonly value: unknown;
}

/** Something that enforces rules, running or evaluated. */
export interface Side {
  /** `gateway`, `envoy`, `istio ingress`, `istio workload`, `linkerd`, `consul`. */
  readonly name: string;
  /** The expected answer, from {@link ./expect.ts}; undefined: the cell does not apply to it. */
  expected(cell: Cell): Answer | undefined;
  ask(cell: Cell): Answer | Promise<Answer>;
}

/** A side with changed objects, or with the original ones in their place. */
export type Trial =
  /** It rejected them, which counts as killed. */
  { readonly rejected: string } | { ask(cell: Cell): Answer | Promise<Answer> };

/** One of the versions, by its position in the list. */
export type VersionTrial = Trial & { readonly version: number };

/** The original, put back into the slot of these versions, after the last of them. */
export type OriginalTrial = Trial & { readonly originalOf: readonly number[] };

/** A side whose rendered objects can be changed. */
export interface Mutable extends Side {
  readonly objects: readonly Rendered[];
  /**
   * Tries versions of all its objects, in any order: each of them once, and later, in the same slot, what was rendered.
   * A trial holds until the next one is asked for. How many versions are loaded at once, and how many of them share the
   * trial of what was rendered, is the side's own matter.
   */
  trials(
    versions: readonly (readonly Rendered[])[],
  ): AsyncIterable<VersionTrial | OriginalTrial> | Iterable<VersionTrial | OriginalTrial>;
}
