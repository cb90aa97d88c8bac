import { groupOf, isNear, type Labels, type LiveObject, mayMeet, titleOf } from '../kube-object.ts';

/** Istio's root namespace, whose objects count everywhere; meshes may have another. */
export const ROOT = 'istio-system';

interface Selecting {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly workloadSelector?: { readonly labels?: Labels };
  readonly targetRef?: unknown;
  readonly targetRefs?: unknown;
}

/** Labels of the pods that an object speaks of; none: all pods. */
function podsOf({ spec }: Pick<LiveObject, 'spec'>): Labels {
  const { selector, workloadSelector, targetRef, targetRefs } = (spec ?? {}) as Selecting;
  if ((targetRef ?? targetRefs) !== undefined) return {};
  return selector?.matchLabels ?? workloadSelector?.labels ?? {};
}

/** Whether an object of others may speak of the pods of ours as well. */
function meets(other: LiveObject, own: LiveObject): boolean {
  if (!isNear(other, own) && other.metadata.namespace !== ROOT) return false;
  return mayMeet(podsOf(other), podsOf(own));
}

const ofKind = (own: readonly LiveObject[], ...kinds: readonly string[]) =>
  own.filter(({ kind }) => kinds.includes(kind));

/** One of our objects whose pods may be those of another. */
function metBy(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const met = own.find((it) => meets(other, it));
  return met && titleOf(met);
}

/** The name that stands for the sidecars, and for no Gateway. */
const SIDECARS = 'mesh';

function authorization(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const { action = 'ALLOW', rules } = (other.spec ?? {}) as { readonly action?: unknown; readonly rules?: unknown };
  // Ours refuse all that they do not allow, and so does one without rules.
  const isEmpty = action === 'ALLOW' && (rules === undefined || (Array.isArray(rules) && rules.length === 0));
  if (isEmpty || action === 'AUDIT') return undefined;
  const met = metBy(other, ofKind(own, 'AuthorizationPolicy'));
  if (met === undefined) return undefined;
  return action === 'ALLOW' ? `it lets in more than ${met}` : `it may refuse what ${met} lets in`;
}

/** A Gateway by its name and namespace; what is absent may be any. */
type Named = Partial<Pick<LiveObject['metadata'], 'name' | 'namespace'>>;

/** The Gateway that a VirtualService means: NAME, NS/NAME, ./NAME, NAME.NS and NAME.NS.svc.cluster.local name one. */
function gatewayOf(said: unknown, { namespace }: LiveObject['metadata']): Named {
  if (typeof said !== 'string' || said === '') return {};
  const here = (name: string): Named => ({ name, ...(namespace === undefined ? {} : { namespace }) });
  const slash = said.indexOf('/');
  if (slash >= 0) {
    const [space, name] = [said.slice(0, slash), said.slice(slash + 1)];
    return space === '.' ? here(name) : { name, namespace: space };
  }
  const [name = '', space] = said.split('.');
  return space === undefined ? here(name) : { name, namespace: space };
}

function routes({ metadata, spec }: LiveObject, own: readonly LiveObject[]): string | undefined {
  const { gateways } = (spec ?? {}) as { readonly gateways?: unknown };
  const names = Array.isArray(gateways) ? gateways : [gateways ?? SIDECARS];
  const meant = names.filter((it) => it !== SIDECARS).map((it) => gatewayOf(it, metadata));
  const met = ofKind(own, 'Gateway').find((it) =>
    meant.some(
      ({ name = it.metadata.name, namespace = it.metadata.namespace }) =>
        name === it.metadata.name && namespace === it.metadata.namespace,
    ),
  );
  return met && `it leads requests of ${titleOf(met)} elsewhere`;
}

function listener(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const labels = (it: LiveObject) => ((it.spec ?? {}) as { readonly selector?: Labels }).selector ?? {};
  // A Gateway selects pods of any namespace.
  const met = ofKind(own, 'Gateway').find((it) => mayMeet(labels(other), labels(it)));
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
  'security.istio.io/AuthorizationPolicy': authorization,
  'security.istio.io/RequestAuthentication': tokens,
  'security.istio.io/PeerAuthentication': mutualTls,
  'networking.istio.io/Gateway': listener,
  'networking.istio.io/VirtualService': routes,
  'telemetry.istio.io/Telemetry': () => undefined,
  'networking.istio.io/EnvoyFilter': extension,
  'extensions.istio.io/WasmPlugin': extension,
};

/**
 * How an object of others may change the answers of those that the policy renders to.
 *
 * @param own those that the policy renders to
 * @returns undefined: it is known not to
 */
export function bearingOf(other: LiveObject, own: readonly LiveObject[]): string | undefined {
  const bearing = BEARINGS[`${groupOf(other)}/${other.kind}`];
  return bearing === undefined ? 'prove does not know objects of this kind' : bearing(other, own);
}
