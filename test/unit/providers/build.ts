import type { ReasonCode } from '../../../src/base/reasons.ts';
import type { ProviderKindName } from '../../../src/providers/index.ts';
import { jwks, type KeyName, makeToken, publicJwk } from '../token/maker.ts';
import { tables } from './tables/index.ts';
import type { KindTable, Line } from './tables/table.ts';

/** A line of a table as a token, and its expected result. */
export interface KindCase {
  readonly kind: ProviderKindName;
  readonly name: string;
  readonly token: string;
  readonly expected: 'allowed' | ReasonCode;
  /** A part of the expected detail. */
  readonly says?: string;
}

const kinds = Object.entries(tables) as [ProviderKindName, KindTable][];

/** Host of a kind. */
export const hostOf = (kind: ProviderKindName): string => `${kind}.test`;

/**
 * One policy for all kinds: a provider, a role and a host for each.
 *
 * @param keys what says where a kind's keys are, as keys of the provider
 * @param gateway the gateway's section
 */
export function kindsPolicy(keys: (kind: ProviderKindName) => Record<string, unknown>, gateway: object): string {
  const of = <T>(make: (kind: ProviderKindName, table: KindTable) => T) =>
    Object.fromEntries(kinds.map(([kind, table]) => [kind, make(kind, table)]));
  const route = (kind: ProviderKindName) => ({ '/*': { service: 'wiki', allow: [kind] } });
  return JSON.stringify({
    version: 1,
    gateway,
    providers: of((kind, { provider }) => ({ kind, ...provider, ...keys(kind) })),
    roles: of((kind, { role }) => ({ all: [{ provider: kind }, role] })),
    services: { wiki: { insecure_url: 'http://wiki:8080' } },
    hosts: Object.fromEntries(kinds.map(([kind]) => [hostOf(kind), { providers: [kind], ...route(kind) }])),
  });
}

/** The key set of a kind. */
export function keysOf(kind: ProviderKindName): string {
  const { key = 'rsa', keys = { [key]: {} } } = tables[kind];
  return jwks(...Object.entries(keys).map(([name, more]) => publicJwk(name as KeyName, more)));
}

function tokenOf(table: KindTable, line: Partial<Line>, now: number): string {
  const changed = typeof line.claims === 'function' ? line.claims(now) : line.claims;
  const token = makeToken({
    alg: line.alg ?? table.alg ?? 'RS256',
    key: line.key ?? table.key ?? 'rsa',
    header: { ...table.header, ...line.header },
    claims: { ...(line.instead ? {} : table.claims(now)), ...changed },
    ...(line.signAs !== undefined && { signAs: line.signAs }),
  });
  return line.text?.(token) ?? token;
}

/** Every line of every table at a time, seconds since the epoch. */
export function kindCases(now: number): readonly KindCase[] {
  return kinds.flatMap(([kind, table]) => [
    { kind, name: 'as it is', token: tokenOf(table, {}, now), expected: 'allowed' as const },
    ...table.passes.map((line) => ({
      kind,
      name: line.name,
      token: tokenOf(table, line, now),
      expected: 'allowed' as const,
    })),
    ...table.misses.map((line) => ({
      kind,
      name: line.name,
      token: tokenOf(table, line, now),
      expected: line.reason,
      ...(line.says !== undefined && { says: line.says }),
    })),
  ]);
}
