import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import type { Emitted, MeshOptions, MeshTarget } from '../types.ts';
import { covers } from './covers.ts';
import { driftOf, unguardedHosts } from './drift.ts';
import { type Entry, entriesOf, keySetOf, planOf } from './entries.ts';
import { gapsOf, NO_KEYS, unguarded } from './gaps.ts';
import { projection } from './project.ts';
import { readConsul } from './read.ts';
import { missing } from './scene.ts';

const fileOf = ({ Kind, Name }: Entry): string => `${Kind}.${Name}.json`;

/**
 * Renders the rules as configuration entries of Consul, a file each, for `consul config write` in the order of their
 * names: who verifies assertions, each service's protocol, each service's intentions.
 *
 * @returns no file where the policy says too little, and a gap that says what
 */
export function renderConsul(policy: Policy, rules: readonly Rule[], options: MeshOptions = {}): Emitted {
  const lack = missing(policy, rules);
  if (lack !== undefined) return { files: {}, gaps: [{ part: 'mesh', text: lack }, ...unguarded(policy, rules)] };
  const plan = planOf(policy, rules);
  const { assertion } = plan;
  const keys = assertion && keySetOf(policy, assertion, options);
  if (assertion !== undefined && keys === undefined) {
    return { files: {}, gaps: [{ part: 'gateway.assertion', text: NO_KEYS }] };
  }
  const entries = entriesOf(policy, plan, keys);
  return {
    files: Object.fromEntries(entries.map((entry) => [fileOf(entry), `${JSON.stringify(entry, null, 2)}\n`])),
    gaps: gapsOf(policy, rules, keys),
  };
}

export const consul: MeshTarget = {
  name: 'consul',
  takesJwks: true,
  together: true,
  emit: renderConsul,
  covers,
  read: readConsul,
  project: projection,
  drift: driftOf,
  unguarded: unguardedHosts,
};
