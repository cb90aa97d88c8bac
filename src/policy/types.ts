/** The checked policy: all names are looked up, all defaults are filled in, and each part has its place in the file. */

import type { Agent, Role } from './agent.ts';
import type { At } from './at.ts';
import type { Gateway } from './gateway.ts';
import type { Host } from './host.ts';
import type { Mesh } from './mesh.ts';
import type { PolicyTest } from './policy-test.ts';
import type { Provider } from './provider.ts';
import type { Service } from './service.ts';
import type { Team } from './team.ts';

export type { Agent, AgentMatch, Bound, Role } from './agent.ts';
export type { At } from './at.ts';
export type { Audit, Witness } from './audit.ts';
export type { BoundBy } from './facts/bound.ts';
export type { ClaimFact } from './facts/claim.ts';
export type { Fact } from './facts/index.ts';
export type { IngressChoice } from './failover.ts';
export type { Assertion, Gateway, Inner, ProofPolicy } from './gateway.ts';
export type { HeaderSource, Headers } from './headers.ts';
export type { AgentWho, Allow, CredentialKind, Host, PersonWho, Route, Who } from './host.ts';
export type { GatewayLimits, Limit } from './limits.ts';
export type { Identity, Ingress, Mesh, MeshKind } from './mesh.ts';
export type { Message } from './message.ts';
export type { AskedFrom, PolicyTest } from './policy-test.ts';
export type {
  Algorithm,
  Client,
  ClientAuth,
  GroupsEndpoint,
  IntrospectionPolicy,
  Provider,
  ProviderSignin,
} from './provider.ts';
export type { Service } from './service.ts';
export type { ServiceCredential } from './service-credential.ts';
export type { Etcd, SessionPolicy, SessionRoom } from './sessions.ts';
export type { Team } from './team.ts';
export type { Tls } from './tls.ts';
export type { Cors, Proxying } from './traffic.ts';

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
