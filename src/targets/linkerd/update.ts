import type { LiveObject } from '../kit/kubernetes-objects.ts';
import type { LinkerdObject } from './objects.ts';

/** The label of copies that decide while the other objects are replaced. */
const LABEL = 'meshgate/for';
const UPDATE = 'update';

/** Whether an object is a copy that decides during an update. */
export const isForUpdate = ({ metadata }: LiveObject): boolean => metadata.labels?.[LABEL] === UPDATE;

/** The name of a copy. No other rendered name begins so: the name of a gateway, with which they begin, has no dot. */
const nameOf = (name: string): string => `update.${name}`;

interface Ref {
  readonly name: string;
}

interface Spec {
  readonly parentRefs?: readonly Ref[];
  readonly targetRef?: Ref;
  readonly requiredAuthenticationRefs?: readonly Ref[];
}

/** Returns a copy of an object under another name, which refers to other copies only. Of two Servers for the same pods,
 * the older one counts. So the copies can be accepted beside the live objects, and decide when the live Server is
 * deleted: a request meets either all of the old objects or all of the new ones. */
export function forUpdate({ metadata, spec, ...object }: LinkerdObject): LinkerdObject {
  const { parentRefs, targetRef, requiredAuthenticationRefs, ...others } = spec as Spec;
  const renamed = <T extends Ref>(ref: T): T => ({ ...ref, name: nameOf(ref.name) });
  return {
    ...object,
    metadata: { ...metadata, name: nameOf(metadata.name), labels: { ...metadata.labels, [LABEL]: UPDATE } },
    spec: {
      ...(parentRefs && { parentRefs: parentRefs.map(renamed) }),
      ...(targetRef && { targetRef: renamed(targetRef) }),
      ...(requiredAuthenticationRefs && { requiredAuthenticationRefs: requiredAuthenticationRefs.map(renamed) }),
      ...others,
    },
  };
}
