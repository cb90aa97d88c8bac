import { parsePublishedKeys } from '../assertion/published.ts';
import { hasSeveral } from '../policy/ingress.ts';
import { atIngress } from '../rules/at-ingress.ts';
import type { MeshOptions, MeshTarget } from '../targets/types.ts';
import { flag, WrongUse } from './context.ts';
import { type Loaded, readText } from './load.ts';
import type { Runtime } from './runtime.ts';

/** Reads the key set for `--assertion-jwks`, and returns only public keys, as /.meshgate/jwks publishes them. */
export function meshOptions(runtime: Runtime, file: string | undefined): MeshOptions {
  if (file === undefined) return {};
  const keys = parsePublishedKeys(readText(runtime, file, 'the key set'));
  if (typeof keys === 'string') throw new WrongUse(`--assertion-jwks ${file}: ${keys}`);
  return { assertionJwks: keys.jwks };
}

/** The flag `--assertion-jwks`, which is the same for every command that renders. */
export const assertionJwksFlag = flag(
  'FILE',
  'Public keys of the gateway, as /.meshgate/jwks serves them, for a mesh whose files contain them',
);

/** The flag `--ingress`, for commands that concern one ingress of several. */
export const ingressFlag = flag('NAME', 'The ingress, if the policy has several');

const namesOf = ({ policy }: Loaded): readonly string[] => Object.keys(policy.mesh?.ingresses ?? {});

/** Returns the given name if the policy has several ingresses and one of them has this name. */
export function ingressName(loaded: Loaded, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const names = namesOf(loaded);
  if (!hasSeveral(loaded.policy)) throw new WrongUse('--ingress has no effect for a policy without mesh.ingresses');
  if (!names.includes(given)) throw new WrongUse(`the policy has no ingress ${given}; it has ${names.join(', ')}`);
  return given;
}

/** Rejects `--ingress` if the target renders all ingresses together. */
export function checkTogether({ name, together }: MeshTarget, given: string | undefined): void {
  if (together && given !== undefined)
    throw new WrongUse(`--ingress has no effect for ${name}, which renders all ingresses`);
}

/** Returns the policy as the named ingress sees it. A policy with one ingress is returned unchanged. */
export function seenFrom(loaded: Loaded, given: string | undefined): Loaded {
  const name = ingressName(loaded, given);
  if (name !== undefined) return atIngress(loaded, name);
  if (!hasSeveral(loaded.policy)) return loaded;
  throw new WrongUse(`the policy has several ingresses: add --ingress with one of ${namesOf(loaded).join(', ')}`);
}
