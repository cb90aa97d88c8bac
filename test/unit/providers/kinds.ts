import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { providerKindNames } from '../../../src/providers/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { toTable } from '../../../src/rules/table/table.ts';
import { now } from '../token/specs/spec.ts';
import { keysOf, kindCases, kindsPolicy } from './build.ts';
import type { KindRun } from './run.ts';

/** Everything of the tables, ready to run at the specs' time. */
export function kindRun(): KindRun {
  const text = kindsPolicy((kind) => ({ jwks_uri: `https://keys.example.com/${kind}` }), { insecure_http: true });
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map(formatError).join('\n'));
  return {
    table: toTable(policy, compile(policy), { egress: '' }),
    cases: kindCases(now),
    keys: Object.fromEntries(providerKindNames.map((kind) => [kind, keysOf(kind)])),
    now,
  };
}
