import type { CallerTable, Sends } from '../../../src/caller/types.ts';
import type { Fact } from '../../../src/policy/checked/types.ts';
import type { Claims, Verified } from '../../../src/token/types.ts';
import { usualProvider } from '../token/specs/spec.ts';

/** Seconds since the epoch, ten minutes before the tokens end. */
export const NOW = 1_800_000_000;

/** A fact without its place, as in a rendered table. */
export type PlainFact =
  | { op: 'group' | 'scope' | 'acr'; value: string; provider?: string }
  | { op: 'like'; claim: string; value: string; provider?: string }
  | { op: 'is' | 'has'; claim: string; value: string | number | boolean; provider?: string }
  | { op: 'provider' | 'role'; value: string }
  | { op: 'max_age'; value: number; provider?: string }
  | { op: 'network'; value: string[] }
  | { op: 'certificate'; value: string }
  | { op: 'any' | 'all' | 'none'; facts: PlainFact[] };

/** A table of two providers, okta (its subjects with a prefix) and keycloak, and the given roles. */
export function tableOf(
  roles: Record<string, PlainFact> = {},
  claims: string[] = [],
  sends: Sends = { email: true, name: true, groups: true },
): CallerTable {
  const okta = { ...usualProvider, name: 'okta', subject: { claim: 'uid', prefix: 'okta-' } };
  const keycloak = { ...usualProvider, name: 'keycloak' };
  return { providers: { okta, keycloak }, roles: Object.entries(roles) as [string, Fact][], claims, sends };
}

export function verifiedBy(provider: 'okta' | 'keycloak', claims: Claims): Verified {
  return { provider, claims: { sub: 's', uid: 'u', ...claims }, expires: NOW + 600, key: 'k' };
}
