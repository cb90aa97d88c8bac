import type { Policy } from '../policy/checked/types.ts';
import { sha256 } from '../session/flow/random.ts';
import type { Rule } from './types.ts';

/** The number of hexadecimal digits in a digest. */
const DIGITS = 32;

const PLACES = ['column,file,line', 'column,file,line,profile'];

/** Whether a value is a place in the policy file. A role or a service can also be named `at`. */
const isPlace = (key: string, value: unknown): boolean =>
  key === 'at' && typeof value === 'object' && value !== null && PLACES.includes(Object.keys(value).sort().join());

/** Replaces an object by one with sorted keys and without places. Arrays keep their order. */
function canonical(key: string, value: unknown): unknown {
  if (isPlace(key, value)) return undefined;
  // The longer paths that a prefix leaves to other routes, in the order of these routes.
  if (key === 'except' && Array.isArray(value)) return value.map((path) => JSON.stringify(path)).sort();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const byName = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] =>
  [...all].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Returns a compiled policy as text, from which its digest is made. Everything that is rendered from the policy counts.
 * Comments, places, tests, and the order of hosts, routes, services and identities do not. The order of providers, roles
 * and agents counts, because people see it, or the first match decides. The rules of a route keep their order. The name
 * of the instance does not count, so that replicas have the same digest. */
export function policyText(policy: Policy, rules: readonly Rule[]): string {
  const { tests: _, hosts, providers, roles, agents, gateway, ...others } = policy;
  const { audit, ...itself } = gateway;
  const { instance: __, ...shared } = audit ?? {};
  const content = {
    ...others,
    gateway: { ...itself, ...(audit && { audit: shared }) },
    providers: Object.entries(providers),
    roles: Object.entries(roles),
    agents: Object.entries(agents),
    hosts: byName(hosts.map((host) => ({ ...host, routes: byName(host.routes) }))),
    rules: [...rules].sort((a, b) => (a.route < b.route ? -1 : a.route > b.route ? 1 : 0)),
  };
  return JSON.stringify(content, canonical);
}

/** Returns the digest of a policy's text: the first 32 hexadecimal digits of its SHA-256. */
export const digestOf = (text: string): string =>
  Buffer.from(sha256(text), 'base64url').toString('hex').slice(0, DIGITS);

/** Returns the digest of a compiled policy. See {@link policyText}. */
export const policyDigest = (policy: Policy, rules: readonly Rule[]): string => digestOf(policyText(policy, rules));
