import { HUNG_MS } from './hung.ts';
import type { Istiod } from './istiod.ts';
import type { Kube } from './kube.ts';
import type { KubeObject } from './objects.ts';

/** A fence selects no pod, names no host of a request, and differs from the one before, because istiod does not push
 * equal objects. */
const pods = (text: string) => ({ selector: { matchLabels: { fence: text } } });

/** The fences of each kind that tests change. EnvoyFilters need none, because the mark is one of them. */
const KINDS: Readonly<Record<string, readonly [apiVersion: string, spec: (text: string) => unknown]>> = {
  AuthorizationPolicy: ['security.istio.io/v1', pods],
  PeerAuthentication: ['security.istio.io/v1', pods],
  RequestAuthentication: ['security.istio.io/v1', pods],
  Telemetry: ['telemetry.istio.io/v1', pods],
  Gateway: [
    'networking.istio.io/v1',
    (text) => ({
      selector: { fence: text },
      servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [`${text}.invalid`] }],
    }),
  ],
  VirtualService: [
    'networking.istio.io/v1',
    (text) => ({
      hosts: [`${text}.invalid`],
      gateways: ['fence'],
      exportTo: ['.'],
      http: [{ directResponse: { status: 404 } }],
    }),
  ],
};

const NAMESPACE = 'lab-fence';

/**
 * Tells when istiod has handled what was changed. Its store has an object before its pushes do: for each kind of object,
 * a queue of events of its own lies between them, and a push takes up only the kinds whose events have come. So a push
 * for a mark could hold the new mark and an old policy. A fence is an object that is written after the changed ones and
 * of their kind. Events of a kind come in order, so once istiod says that the fence is to be pushed, what was changed
 * before is as well, and whatever is written from then on is pushed no earlier.
 */
export class Fences {
  readonly #kube: Kube;
  readonly #istiod: Istiod;
  /** The last fence of each kind: one at a time, so that each line of the log is about one of them. */
  readonly #last = new Map<string, Promise<unknown>>();
  /** A fence of each kind that is not written yet: all callers share it until then. */
  readonly #next = new Map<string, Promise<void>>();
  #count = 0;

  constructor(kube: Kube, istiod: Istiod) {
    this.#kube = kube;
    this.#istiod = istiod;
  }

  /** Waits until istiod has handled all changes of these objects' kinds. */
  async pass(changed: readonly KubeObject[]): Promise<void> {
    const kinds = new Set(changed.filter(isIstios).map(({ kind }) => kind));
    kinds.delete('EnvoyFilter');
    await Promise.all([...kinds].map((kind) => this.#pass(kind)));
  }

  #pass(kind: string): Promise<void> {
    const next = this.#next.get(kind);
    if (next !== undefined) return next;
    const last = this.#last.get(kind) ?? Promise.resolve();
    const made = last.then(() => {
      this.#next.delete(kind);
      return this.#put(kind);
    });
    this.#next.set(kind, made);
    this.#last.set(
      kind,
      made.catch(() => {}),
    );
    return made;
  }

  /** Waits for istiod's line about exactly this fence: it is new, and the one before has had its line. */
  async #put(kind: string): Promise<void> {
    const [apiVersion, spec] = KINDS[kind] ?? [];
    if (apiVersion === undefined || spec === undefined) throw new Error(`fence.ts has no fence for a ${kind}`);
    this.#count += 1;
    const { logs } = this.#istiod.box;
    const mark = logs.mark();
    const metadata = { name: 'fence', namespace: NAMESPACE };
    await this.#kube.apply({ apiVersion, kind, metadata, spec: spec(`fence-${this.#count}`) });
    await logs.waitFor(new RegExp(`push triggered .*\\b${kind}/${NAMESPACE}/fence\\b`), mark, HUNG_MS);
  }
}

const isIstios = ({ apiVersion }: KubeObject) => /\.istio\.io\//.test(apiVersion);
