/** The parts of etcd's JSON gateway that the gateway uses, behind the egress server's paths. */

interface Entry {
  value: string;
  revision: number;
  created: number;
  lease: string;
}

export type Fate = 'answers' | 'hangs' | 'refuses' | 'loses';

export class FakeEtcd {
  readonly entries = new Map<string, Entry>();
  readonly leases = new Map<string, number>();
  /** Endpoint and path of each call. */
  readonly calls: string[] = [];
  /** By endpoint; `loses`: processes the request, and answers 502. */
  readonly fates: Record<number, Fate> = {};
  revision = 1;
  /** The longest response that is read, in characters. */
  longest = Number.POSITIVE_INFINITY;
  cluster = '77';
  #lease = 1000;

  /** As `ngx.fetch`. */
  readonly fetch = async (url: string, options?: { readonly body?: string }): Promise<unknown> => {
    const [, endpoint = '', path = ''] = /^http:\/\/unix:\/run\/egress\.sock:\/etcd\/(\d+)(\/.*)$/.exec(url) ?? [];
    this.calls.push(`${endpoint} ${path}`);
    const fate = this.fates[Number(endpoint)] ?? 'answers';
    if (fate === 'hangs') return new Promise(() => {});
    const answer = fate === 'refuses' ? {} : this.#answer(path, JSON.parse(options?.body ?? '{}'));
    // As njs's fetch does with a response that is longer than its buffer.
    if (JSON.stringify(answer).length > this.longest) throw new Error('http fetch body is too large');
    return { status: fate === 'answers' ? 200 : 502, text: async () => JSON.stringify(answer) };
  };

  #header(): object {
    return { header: { cluster_id: this.cluster, revision: String(this.revision) } };
  }

  // biome-ignore lint/suspicious/noExplicitAny: what etcd is asked
  #answer(path: string, requested: any): object {
    switch (path) {
      case '/v3/lease/grant': {
        const ID = String(++this.#lease);
        this.leases.set(ID, Number(requested.TTL));
        return { ID, TTL: requested.TTL };
      }
      case '/v3/lease/revoke':
        this.leases.delete(requested.ID);
        for (const [key, { lease }] of this.entries) if (lease === requested.ID) this.entries.delete(key);
        return this.#header();
      case '/v3/kv/put': {
        const before = this.entries.get(requested.key);
        this.#put(requested);
        return { ...this.#header(), ...(before && { prev_kv: this.#kv(requested.key, before) }) };
      }
      case '/v3/kv/deleterange':
        this.entries.delete(requested.key);
        this.revision++;
        return this.#header();
      case '/v3/kv/range':
        return this.#range(requested);
      case '/v3/kv/txn': {
        const [{ key, target, modRevision }] = requested.compare;
        const revision = this.entries.get(key)?.revision ?? 0;
        if (target === 'MOD' ? String(revision) !== modRevision : revision > 0) {
          const [{ requestRange } = { requestRange: undefined }] = requested.failure ?? [];
          const responses = requestRange === undefined ? [] : [{ response_range: this.#range(requestRange) }];
          return { ...this.#header(), responses };
        }
        this.#put(requested.success[0].requestPut);
        return { ...this.#header(), succeeded: true, responses: [{ response_put: {} }] };
      }
    }
    throw new Error(`asked for ${path}`);
  }

  #put({ key, value, lease }: { key: string; value: string; lease: string }): void {
    if (!this.leases.has(lease)) throw new Error('requested lease not found');
    const created = this.entries.get(key)?.created ?? this.revision + 1;
    this.entries.set(key, { value, lease, revision: ++this.revision, created });
  }

  #kv(key: string, { value, revision, lease }: Entry): object {
    return { key, value, mod_revision: String(revision), lease };
  }

  // biome-ignore lint/suspicious/noExplicitAny: what etcd is asked
  #range({ key, range_end: end, min_mod_revision: from = '0', limit = '0' }: any): object {
    const text = (of: string) => Buffer.from(of, 'base64').toString('latin1');
    const found = [...this.entries]
      .filter(([name]) => (end === undefined ? name === key : text(name) >= text(key) && text(name) < text(end)))
      .filter(([, { revision }]) => revision >= Number(from))
      .sort(([, a], [, b]) => a.revision - b.revision);
    const page = Number(limit) > 0 ? found.slice(0, Number(limit)) : found;
    const more = page.length < found.length;
    return { ...this.#header(), kvs: page.map(([name, entry]) => this.#kv(name, entry)), ...(more && { more }) };
  }
}
