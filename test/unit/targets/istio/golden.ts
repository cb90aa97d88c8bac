import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { istio } from '../../../../src/targets/istio/index.ts';
import type { Emitted, MeshOptions } from '../../../../src/targets/types.ts';

const FOLDER = join(import.meta.dirname, 'golden');

/** Names of the golden folders. */
export const cases: readonly string[] = readdirSync(FOLDER);

/** A path in a golden folder. */
export const golden = (name: string, ...path: readonly string[]): string => join(FOLDER, name, ...path);

/** A policy without mistakes. */
export function policyOf(text: string, file = 'meshgate.yaml'): Policy {
  const { policy, errors } = parsePolicy(text, file);
  if (policy === undefined) throw new Error(JSON.stringify(errors, null, 2));
  return policy;
}

/** The policy of a golden folder. */
export const goldenPolicy = (name: string): Policy => policyOf(readFileSync(golden(name, 'policy.yaml'), 'utf8'), name);

/** Renders a policy as the goldens are. */
export const render = (policy: Policy, options?: MeshOptions): Emitted => istio.emit(policy, compile(policy), options);
