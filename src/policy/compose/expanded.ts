import { policySchema } from '../schema/policy.ts';
import { printPolicy } from './print-yaml.ts';
import { type PolicyText, readParts, type Stage } from './read-parts.ts';

/** Returns a valid policy as one text: with its overlays and profiles, and with the values of its variables. The files of
 * its teams stay files of their own. */
export function expandPolicy(policy: PolicyText, stage: Stage): string {
  const { tree } = readParts(policy, stage);
  if (tree.kind !== 'map') return '';
  const sections = Object.keys(policySchema.shape).filter((key) => key !== 'profiles');
  const entries = sections.flatMap((key) => {
    const entry = tree.entries.get(key);
    return entry ? [[key, entry] as const] : [];
  });
  return printPolicy({ ...tree, entries: new Map(entries) });
}
