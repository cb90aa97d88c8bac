import { identity, WIKI_POD } from './policy.ts';

/** Authorities of the lab's services. */
export const WIKI = 'wiki.wiki.svc.cluster.local';
export const CANARY_WIKI = 'wiki-canary.wiki.svc.cluster.local';
export const DASHBOARD = 'dashboard.ops.svc.cluster.local:3000';

/** SPIFFE id of the ingress. */
export const INGRESS = 'spiffe://example.org/ns/edge/sa/meshgate-ingress';
export const DASHBOARD_POD = 'spiffe://example.org/ns/ops/sa/dashboard';

type Claims = Readonly<Record<string, unknown>>;

/** A request directly to an Envoy of the mesh. */
export interface Requested {
  /** The ingress, or the service whose workload receives the request. */
  readonly at: 'ingress' | 'wiki' | 'wiki-canary' | 'dashboard';
  /** SPIFFE id of the connection. */
  readonly peer: string;
  /** Default the wiki's. */
  readonly authority?: string;
  /** Default `GET`. */
  readonly method?: string;
  /** Default `/rest/x`. */
  readonly path?: string;
  /** The claims of the assertion, `age` seconds ago; null: there is none. */
  readonly says: Claims | null;
}

/** The status, and the mesh's own reason: `response_code_details`. */
export type Outcome = readonly [status: number, words: string];

export const passes: Outcome = [200, 'via_upstream'];
export const byRules: Outcome = [403, 'rbac_access_denied_matched_policy[none]'];
export const isForAnother: Outcome = [403, 'jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}'];
const isExpired: Outcome = [401, 'jwt_authn_access_denied{Jwt_is_expired}'];

/** A refused request, the refusal, and the corrected part. */
export interface Refusal {
  readonly name: string;
  readonly requested: Requested;
  readonly right: Partial<Requested>;
  /** By default the rules refuse. */
  readonly refused?: Outcome;
}

export const reader: Claims = { aud: 'wiki', as: 'reader', roles: ['reader'] };
export const editor: Claims = { aud: 'wiki', as: 'editor', roles: ['editor', 'reader'] };

const fromReader: Requested = { at: 'ingress', peer: identity('reader'), says: reader };
const fromIngress: Requested = { at: 'wiki', peer: INGRESS, says: reader };
/** Envoy accepts expired tokens for one more minute. */
const expired: Claims = { ...reader, age: 130 };

/** Requests that the mesh itself refuses under the demo's rules, at the layer that sees them. */
export const REFUSALS: readonly Refusal[] = [
  { name: 'no assertion, at the ingress', requested: { ...fromReader, says: null }, right: { says: reader } },
  { name: 'no assertion, at the workload', requested: { ...fromIngress, says: null }, right: { says: reader } },
  {
    name: 'an expired assertion, at the ingress',
    requested: { ...fromReader, says: expired },
    right: { says: reader },
    refused: isExpired,
  },
  {
    name: 'an expired assertion, at the workload',
    requested: { ...fromIngress, says: expired },
    right: { says: reader },
    refused: isExpired,
  },
  {
    name: "another service's assertion, at the ingress",
    requested: { ...fromReader, says: { ...reader, aud: 'dashboard' } },
    right: { says: reader },
  },
  {
    name: "another service's assertion, at the workload",
    requested: { ...fromIngress, says: { ...reader, aud: 'dashboard' } },
    right: { says: reader },
    refused: isForAnother,
  },
  {
    name: "an editor's assertion over a reader's connection",
    requested: { ...fromReader, says: editor },
    right: { peer: identity('editor') },
  },
  {
    name: "a reader's assertion over an editor's connection",
    requested: { ...fromReader, peer: identity('editor') },
    right: { peer: identity('reader') },
  },
  {
    name: 'an assertion whose roles are not those of its identity, at the workload',
    requested: { ...fromIngress, says: { ...reader, as: 'editor' } },
    right: { says: editor },
  },
  {
    name: 'another pod that calls the workload directly',
    requested: { ...fromIngress, peer: DASHBOARD_POD },
    right: { peer: INGRESS },
  },
  {
    name: "nginx's own identity that calls the workload directly",
    requested: { ...fromIngress, peer: identity('reader') },
    right: { peer: INGRESS },
  },
  {
    name: "the wiki's assertion sent to the dashboard, at the ingress",
    requested: { ...fromReader, authority: DASHBOARD },
    right: { says: { ...reader, aud: 'dashboard' } },
  },
  {
    name: "the wiki's assertion sent to the dashboard, at the workload",
    requested: { ...fromIngress, at: 'dashboard', authority: DASHBOARD },
    right: { says: { ...reader, aud: 'dashboard' } },
    refused: isForAnother,
  },
  {
    name: "the dashboard's assertion sent to it by the wiki and not by the ingress",
    requested: {
      ...fromIngress,
      at: 'dashboard',
      authority: DASHBOARD,
      peer: WIKI_POD,
      says: { ...reader, aud: 'dashboard' },
    },
    right: { peer: INGRESS },
  },
  {
    name: 'a method that no rule gives, at the ingress',
    requested: { ...fromReader, method: 'POST' },
    right: { method: 'HEAD' },
  },
  {
    name: 'a method that no rule gives, at the workload',
    requested: { ...fromIngress, method: 'POST' },
    right: { method: 'HEAD' },
  },
  {
    name: 'a path that no rule names, at the ingress',
    requested: { ...fromReader, path: '/pages' },
    right: { path: '/rest' },
  },
  {
    name: 'a path that no rule names, at the workload',
    requested: { ...fromIngress, path: '/pages' },
    right: { path: '/rest' },
  },
  {
    name: "a narrower route's path, at the ingress",
    requested: { ...fromReader, path: '/rest/admin/x' },
    right: { path: '/rest/administer' },
  },
  {
    name: "a narrower route's path, at the workload",
    requested: { ...fromIngress, path: '/rest/admin/x' },
    right: { path: '/rest/administer' },
  },
  {
    name: 'an open path as an identity that has no rule for it',
    requested: { ...fromReader, path: '/status', says: null },
    right: { peer: identity('gateway') },
  },
  {
    name: 'a host that no rule names',
    requested: { ...fromReader, authority: 'other.wiki.svc.cluster.local' },
    right: { authority: WIKI },
  },
];
