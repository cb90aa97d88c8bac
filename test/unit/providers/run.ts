import type { Result } from '../../../src/base/reasons.ts';
import { toCaller } from '../../../src/caller/caller.ts';
import { type ProviderKindName, providerKind } from '../../../src/providers/index.ts';
import type { Table } from '../../../src/rules/types.ts';
import { readKeySet } from '../../../src/token/keys/jwks.ts';
import type { ProviderKey, TokenProvider, Verified } from '../../../src/token/types.ts';
import { verifyToken } from '../../../src/token/verify.ts';
import type { KindCase } from './build.ts';

/** Everything that a run needs, as JSON, so that any engine can run it. */
export interface KindRun {
  readonly table: Table;
  readonly cases: readonly KindCase[];
  /** JWKS documents. */
  readonly keys: Readonly<Record<string, string>>;
  readonly now: number;
}

/** The result of a case: the first reason that applies, or `allowed`. */
export interface KindOutcome {
  readonly outcome: string;
  readonly detail: string;
}

/** Runs cases as a worker would: with the table that is rendered from the policy. No Node in here. */
export async function kindRunner({ table, keys, now }: Omit<KindRun, 'cases'>) {
  const sets = new Map<string, readonly ProviderKey[]>();
  for (const kind of Object.keys(keys)) {
    const set = await readKeySet(keys[kind] as string, providerKind(kind));
    if (set.ok) sets.set(kind, set.keys);
  }
  const imported = new Map();
  const context = { keysOf: ({ name }: TokenProvider) => sets.get(name), skew: table.clockSkew, imported };
  const verdictOf = (verified: Result<Verified>, kind: ProviderKindName): KindOutcome => {
    const caller = verified.ok ? toCaller(verified.value, table, now) : verified;
    if (!caller.ok) return { outcome: caller.reason, detail: caller.detail ?? '' };
    return { outcome: caller.value.roles.includes(kind) ? 'allowed' : 'role_missing', detail: '' };
  };
  return async ({ kind, token }: KindCase): Promise<KindOutcome> =>
    verifyToken(token, [table.providers[kind] as TokenProvider], now, context, verdictOf, kind);
}

/** The mistake in a result; undefined if there is none. */
export function kindMismatch({ kind, name, expected, says = '' }: KindCase, { outcome, detail }: KindOutcome) {
  if (outcome === expected && detail.includes(says)) return undefined;
  return `a token of ${kind} ${name}: got ${outcome} (${detail}), expected ${expected} (${says})`;
}

/** Runs every case forwards and backwards, and returns the mistakes. */
export async function runKinds(run: KindRun): Promise<readonly string[]> {
  const ask = await kindRunner(run);
  const wrong: string[] = [];
  for (const one of [...run.cases, ...[...run.cases].reverse()]) {
    const problem = kindMismatch(one, await ask(one));
    if (problem !== undefined) wrong.push(problem);
  }
  return wrong;
}
