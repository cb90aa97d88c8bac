import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { Emitted } from '../types.ts';

export function renderEnvoy(_policy: Policy, _rules: readonly Rule[]): Emitted {
  throw new Error('not yet');
}
