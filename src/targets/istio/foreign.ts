import { type Labels, mayMeet } from '../kube-object.ts';
import { type LiveObject, titleOf } from './live.ts';

/** Istio's root namespace, whose objects count everywhere. */
const ROOT = 'istio-system';

interface Selecting {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly workloadSelector?: { readonly labels?: Labels };
}

/** Labels of the pods that an object speaks of; none: all pods. */
function podsOf({ spec }: Pick<LiveObject, 'spec'>): Labels {
  const { selector, workloadSelector } = (spec ?? {}) as Selecting;
  return selector?.matchLabels ?? workloadSelector?.labels ?? {};
}

/** Whether an object of others may speak of the pods of ours as well. */
function meets(other: LiveObject, own: LiveObject): boolean {
  const space = other.metadata.namespace;
  if (space !== own.metadata.namespace && space !== ROOT) return false;
  return mayMeet(podsOf(other), podsOf(own));
}

const ofKind = (own: readonly LiveObject[], ...kinds: readonly string[]) =>
  own.filter(({ kind }) => kinds.includes(kind));

/** One of our objects whose pods may be those of another. */
function metBy(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const met = own.find((it) => meets(other, it));
  return met && titleOf(met);
}

function authorization(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const { action = 'ALLOW', rules } = (other.spec ?? {}) as { readonly action?: unknown; readonly rules?: unknown };
  // Ours refuse all that they do not allow, and so does one without rules.
  const isEmpty = action === 'ALLOW' && (rules === undefined || (Array.isArray(rules) && rules.length === 0));
  if (isEmpty || action === 'AUDIT') return undefined;
  const met = metBy(other, ofKind(own, 'AuthorizationPolicy'));
  if (met === undefined) return undefined;
  return action === 'ALLOW' ? `it lets in more than ${met}` : `it may refuse what ${met} lets in`;
}

function routes({ metadata, spec }: LiveObject, own: readonly LiveObject[]): string | undefined {
  const { gateways = ['mesh'] } = (spec ?? {}) as { readonly gateways?: readonly unknown[] };
  const names = gateways.map((it) => (String(it).includes('/') ? String(it) : `${metadata.namespace}/${it}`));
  const met = ofKind(own, 'Gateway').find((it) => names.includes(`${it.metadata.namespace}/${it.metadata.name}`));
  return met && `it leads requests of ${titleOf(met)} elsewhere`;
}

function listener({ spec }: LiveObject, own: readonly LiveObject[]): string | undefined {
  const labels = (it: Pick<LiveObject, 'spec'>) => ((it.spec ?? {}) as { readonly selector?: Labels }).selector ?? {};
  // A Gateway selects pods of any namespace.
  const met = ofKind(own, 'Gateway').find((it) => mayMeet(labels({ ...(spec && { spec }) }), labels(it)));
  return met && `it opens the proxies of ${titleOf(met)} in another way`;
}

function mutualTls(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  // One without a selector yields to ours, which has one.
  if (Object.keys(podsOf(other)).length === 0) return undefined;
  const met = metBy(other, ofKind(own, 'PeerAuthentication'));
  return met && `it may count in place of ${met}`;
}

function tokens(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const met = metBy(other, ofKind(own, 'AuthorizationPolicy'));
  return met && `its tokens count for ${met} as well`;
}

function extension(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const met = metBy(other, ofKind(own, 'AuthorizationPolicy'));
  return met && `it changes the proxies of ${met}, in a way that is not read`;
}

const BEARINGS: Readonly<Record<string, (other: LiveObject, own: readonly LiveObject[]) => string | undefined>> = {
  AuthorizationPolicy: authorization,
  RequestAuthentication: tokens,
  PeerAuthentication: mutualTls,
  Gateway: listener,
  VirtualService: routes,
  Telemetry: () => undefined,
  EnvoyFilter: extension,
  WasmPlugin: extension,
};

/**
 * How an object of others may change the answers of those that the policy renders to.
 *
 * @param own those that the policy renders to
 * @returns undefined: it is known not to
 */
export function bearingOf(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const bearing = BEARINGS[other.kind];
  return bearing === undefined ? 'prove does not know objects of this kind' : bearing(other, own);
}
