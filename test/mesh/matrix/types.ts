import type { McpHeaders } from '../../../src/rules/tools.ts';

/** What of a request is wrong, and nothing else is. */
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

/** How a credential is bad: a token at the gateway, an assertion behind it. */
export type Flaw = 'garbage' | 'unsigned' | 'unknown key' | 'altered' | 'issuer' | 'audience' | 'expired';

/** The claimed identity of a caller, and its credential. */
export interface Credential {
  /** What the token's roles are made of at the gateway; `roles` of the assertion behind it, as they are. */
  readonly roles: readonly string[];
  readonly flaw?: Flaw;
  /** `aud` of the assertion: a service's name. */
  readonly service: string;
  /** `as` of the assertion; absent: it has none. */
  readonly as?: string;
  /** The agent that acts for the person; absent: the person asks. */
  readonly agent?: string;
  /** It asks for itself, and there is no person. */
  readonly alone?: true;
}

/** Which certificate the connection into the mesh has. */
export type Connects =
  /** At the ingress that of this identity; at a workload that of the ingress. */
  | { readonly kind: 'right'; readonly identity: string }
  /** That of this identity of the policy, at a workload too. */
  | { readonly kind: 'identity'; readonly identity: string }
  /** One of the mesh's CA with this SPIFFE id. */
  | { readonly kind: 'spiffe'; readonly spiffe: string }
  /** The right SPIFFE id, of another CA. */
  | { readonly kind: 'other CA'; readonly identity: string }
  | { readonly kind: 'no certificate' }
  /** No TLS at all. */
  | { readonly kind: 'plain' };

/** A request with all that speaks for it. */
export interface Cell {
  /** One line: the rule, what is wrong, how. */
  readonly name: string;
  /** Id of the rule that it was derived from. */
  readonly rule: string;
  /** What of it is wrong; absent: nothing, the rule lets it pass. */
  readonly part?: Part;
  /** What is asked: the policy's host at the gateway, the service's authority behind it. */
  readonly host: string;
  readonly authority: string;
  /** The service whose workload is asked. */
  readonly service: string;
  readonly method: string;
  /** Raw, as it is sent. */
  readonly path: string;
  /** What it says of itself as a message of MCP; absent: nothing. */
  readonly mcp?: McpHeaders;
  /** Absent: an anonymous caller. */
  readonly credential?: Credential;
  readonly connects: Connects;
}

/**
 * What came of a cell. Agreement is about `allowed` and the rest; where a side says where a request ended, that
 * has to agree as well, since two refusals in a row would hide that one of them is gone.
 */
export type Answer =
  /** The right service answered. */
  | 'allowed'
  /** No connection: TLS ended it. */
  | 'refused: connection'
  /** The credential itself is bad. */
  | 'refused: credential'
  /** The path could mean another one. */
  | 'refused: path'
  /** No rule allows it. */
  | 'refused: rules'
  /** The service answered, and saw what it must not see, or another one did. */
  | `wrong: ${string}`
  /** This side cannot be asked this. */
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
  /** What it must answer, from {@link ./expect.ts}; undefined: it has nothing to say to this cell. */
  expected(cell: Cell): Answer | undefined;
  ask(cell: Cell): Answer | Promise<Answer>;
}

/** A side with other objects than were rendered, or what was rendered in the place of such. */
export type Trial =
  /** It did not take them: as good as killed. */
  { readonly rejected: string } | { ask(cell: Cell): Answer | Promise<Answer> };

/** One of the versions, by its position in the list. */
export type VersionTrial = Trial & { readonly version: number };

/** What was rendered, put back into the slot that these versions had, after the last of them. */
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
