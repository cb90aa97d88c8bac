import type { Api } from './api.ts';
import type { KubeObject } from './objects.ts';

interface Kind {
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The API path of each kind of object; requested once for each group and version, and again for an unknown kind. */
export class Kinds {
  readonly #api: Api;
  readonly #known = new Map<string, Promise<Map<string, Kind>>>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** The object's own path, or undefined for a kind that the server does not know. */
  async path(object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<string | undefined> {
    const { apiVersion, kind, metadata } = object;
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const found = (await this.#in(root)).get(kind);
    if (found === undefined) {
      // A definition may be added at any time, so an unknown kind is requested again the next time.
      this.#known.delete(root);
      return undefined;
    }
    const space = found.namespaced ? `/namespaces/${encodeURIComponent(metadata.namespace ?? 'default')}` : '';
    return `${root}${space}/${found.plural}/${encodeURIComponent(metadata.name)}`;
  }

  #in(root: string): Promise<Map<string, Kind>> {
    const known = this.#known.get(root);
    if (known !== undefined) return known;
    const requested = this.#ask(root);
    this.#known.set(root, requested);
    return requested;
  }

  async #ask(root: string): Promise<Map<string, Kind>> {
    const { status, body } = await this.#api.request('GET', root);
    if (status !== 200) return new Map();
    const resources = body.resources as { name: string; kind: string; namespaced: boolean }[];
    return new Map(
      resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, kind, namespaced }) => [kind, { plural: name, namespaced }]),
    );
  }
}
