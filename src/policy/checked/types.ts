/** The checked policy: all names are looked up, all defaults are filled in, and each part has its place in the file. */

import type { At } from '../forms/at.ts';
import type { Agent, Role } from '../schema/agent.ts';
import type { Gateway } from '../schema/gateway.ts';
import type { Host } from '../schema/host.ts';
import type { Mesh } from '../schema/mesh.ts';
import type { PolicyTest } from '../schema/policy-test.ts';
import type { Provider } from '../schema/provider.ts';
import type { Service } from '../schema/service.ts';
import type { Team } from '../schema/team.ts';

export type { BoundBy } from '../facts/bound.ts';
export type { ClaimFact } from '../facts/claim.ts';
export type { Fact } from '../facts/index.ts';
export type { At } from '../forms/at.ts';
export type { MeshKind } from '../forms/mapping.ts';
export type { Message } from '../forms/mcp-message.ts';
export type { Agent, AgentMatch, Bound, Role } from '../schema/agent.ts';
export type { Audit, Witness } from '../schema/audit.ts';
export type { IngressChoice } from '../schema/failover.ts';
export type { Assertion, Gateway, Inner, ProofPolicy } from '../schema/gateway.ts';
export type { HeaderSource, Headers } from '../schema/headers.ts';
export type { AgentWho, Allow, CredentialKind, Host, PersonWho, Route, Who } from '../schema/host.ts';
export type { GatewayLimits, Limit } from '../schema/limits.ts';
export type { Identity, Ingress, Mesh } from '../schema/mesh.ts';
export type { PolicyTest, RequestOrigin } from '../schema/policy-test.ts';
export type {
  Algorithm,
  Client,
  ClientAuth,
  GroupsEndpoint,
  IntrospectionPolicy,
  Provider,
  ProviderSignin,
} from '../schema/provider.ts';
export type { Service } from '../schema/service.ts';
export type { ServiceCredential } from '../schema/service-credential.ts';
export type { Etcd, SessionPolicy, SessionRoom } from '../schema/sessions.ts';
export type { Team } from '../schema/team.ts';
export type { Tls } from '../schema/tls.ts';
export type { Cors, Proxying } from '../schema/traffic.ts';

export interface Policy {
  readonly version: 1;
  readonly gateway: Gateway;
  readonly providers: Readonly<Record<string, Provider>>;
  readonly roles: Readonly<Record<string, Role>>;
  readonly agents: Readonly<Record<string, Agent>>;
  /** The only mesh, or the mesh that {@link atMesh} chose; absent if there are several, or none. */
  readonly mesh?: Mesh;
  /** The meshes by name; absent if there are not several. */
  readonly meshes?: Readonly<Record<string, Mesh>>;
  readonly services: Readonly<Record<string, Service>>;
  readonly hosts: readonly Host[];
  readonly tests: readonly PolicyTest[];
  /** The teams by name; absent: the policy has none. */
  readonly teams?: Readonly<Record<string, Team>>;
}

/** An error in a policy. Its message says what to write instead. */
export interface PolicyError {
  readonly at: At;
  /** The team whose file causes the error; absent: the policy itself does. */
  readonly team?: string;
  /** The path in the file, e.g. `hosts."wiki.example.com"."/*".allow[1].role`. */
  readonly path: string;
  readonly message: string;
}
