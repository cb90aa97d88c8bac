import { hasSeveral } from '../policy/ingress.ts';
import { atIngress } from '../rules/at-ingress.ts';
import type { MeshTarget } from '../targets/types.ts';
import { WrongUse } from './context.ts';
import type { Loaded } from './load.ts';

/** `--ingress`, where something is about one of several. */
export const ingressFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'NAME',
  brief: 'Of several ingresses of the policy, this one',
} as const;

const namesOf = ({ policy }: Loaded): readonly string[] => Object.keys(policy.mesh?.ingresses ?? {});

/** The name that was given, if the policy has such an ingress among several. */
export function ingressName(loaded: Loaded, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const names = namesOf(loaded);
  if (!hasSeveral(loaded.policy)) throw new WrongUse('--ingress means nothing to a policy without mesh.ingresses');
  if (!names.includes(given)) throw new WrongUse(`the policy has no ingress ${given}: give one of ${names.join(', ')}`);
  return given;
}

/** Refuses the name of one where a target renders all together. */
export function checkTogether({ name, together }: MeshTarget, given: string | undefined): void {
  if (together && given !== undefined) throw new WrongUse(`--ingress means nothing to ${name}, which has all of them`);
}

/** The policy as the ingress sees it that was named; a policy of a single one as it is. */
export function seenFrom(loaded: Loaded, given: string | undefined): Loaded {
  const name = ingressName(loaded, given);
  if (name !== undefined) return atIngress(loaded, name);
  if (!hasSeveral(loaded.policy)) return loaded;
  throw new WrongUse(`the policy has several ingresses: add --ingress with one of ${namesOf(loaded).join(', ')}`);
}
