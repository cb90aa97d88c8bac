import { assertionClaims } from '../../../src/assertion/claims.ts';
import type { Policy } from '../../../src/policy/checked/types.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { consul } from '../../../src/targets/consul/index.ts';
import { type Store, storeOf, type Token } from './evaluate.ts';
import { takenIn } from './objects.ts';

/** The gateway's public keys, and those of a stranger. */
export const KEYS = '{"keys":[{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"gateway"}]}';
export const OTHER_KEYS = '{"keys":[{"kty":"EC","crv":"P-256","x":"z","y":"y","kid":"other"}]}';

/** The output of `meshgate render`, as plain objects in the order of the files' names. */
export function renderedEntries(policy: Policy, rules: readonly Rule[], keys = KEYS): readonly unknown[] {
  const files = Object.entries(consul.emit(policy, rules, { assertionJwks: keys }).files);
  return files.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => JSON.parse(text));
}

/**
 * A store with these entries.
 *
 * @throws Error where one of them is not taken
 */
export const storeWith = (entries: readonly unknown[]): Store => storeOf(entries.map(takenIn));

/** The caller, as the gateway's assertion names them. */
export interface Bearer {
  readonly roles: readonly string[];
  readonly agent?: string;
  readonly alone?: true;
  readonly service: string;
  readonly as?: string;
}

/** The gateway's assertion as a request brings it; undefined where it signs none. */
export function tokenOf({ gateway }: Policy, bearer: Bearer, now: number): Token | undefined {
  const { assertion } = gateway;
  if (assertion === undefined) return undefined;
  const { service, as = '', roles, agent, alone } = bearer;
  const acting = agent !== undefined && { agent, ...(alone && { alone }) };
  const caller = { provider: 'acme', subject: 'ada', roles, ...acting };
  const claims = assertionClaims(assertion, { service, as }, caller, now);
  return { header: 'x-meshgate-assertion', keys: KEYS, claims };
}
