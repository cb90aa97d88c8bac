import { composed } from '../../base/composed-key.ts';
import { MAX_DICT_TTL_MS } from '../../base/limits.ts';
import { ETCD_PAUSE_MS, ETCD_TIMEOUT_MS } from '../../session/limits.ts';
import { locksDict } from './dicts.ts';

/** Encodes a text for etcd's JSON, where texts are base64. */
export const encode = (text: string): string => Buffer.from(text).toString('base64');
export const decode = (text: string): string => Buffer.from(text, 'base64').toString();

/** Returns the end of the range of all keys with a prefix (etcd, "Key ranges"): the prefix, its last byte plus one. */
export function prefixEnd(prefix: string): string {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) + 1;
  return bytes.toString('base64');
}

/** The parts of etcd's answers that the gateway reads. 64-bit numbers are strings there. */
export interface EtcdAnswer {
  readonly header?: { readonly cluster_id?: string; readonly revision?: string };
  readonly kvs?: readonly EtcdEntry[];
  readonly more?: boolean;
  readonly prev_kv?: EtcdEntry;
  readonly ID?: string;
  /** Whether the conditions of a transaction were true. */
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: EtcdAnswer }[];
}

interface EtcdEntry {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision?: string;
  readonly lease?: string;
}

/** Longer than the egress server waits. It waits once for the connection and twice as long for the answer. */
const ANSWER_MS = 3 * ETCD_TIMEOUT_MS;

/** Maximum number of attempts to change a key. An attempt fails if another replica changes the key at the same time. */
const CHANGE_ATTEMPTS = 8;

/** Key for the number of the endpoint that answered last. */
const LAST = 'etcd endpoint';

const pauseOf = (endpoint: number): string => composed('etcd pause', String(endpoint));

/** Returns the result of the promise, or a time-out. The call itself continues until the egress server closes it. */
function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Calls etcd's JSON gateway through the egress server. It tries one endpoint after another until one answers. */
export class EtcdClient {
  readonly #egress: string;
  readonly #endpoints: number;

  /** @param egress the unix socket of the egress server
   * @param endpoints the number of endpoints */
  constructor(egress: string, endpoints: number) {
    this.#egress = egress;
    this.#endpoints = endpoints;
  }

  /** Returns the order in which to try the endpoints. The endpoint that answered last comes first, so that an endpoint
   * that hangs is tried only if the others do not answer. */
  #inTurn(): readonly number[] {
    const last = locksDict().get(LAST) ?? 0;
    const good: number[] = [];
    const paused: number[] = [];
    for (let i = 0; i < this.#endpoints; i++) {
      const endpoint = (last + i) % this.#endpoints;
      (locksDict().has(pauseOf(endpoint)) ? paused : good).push(endpoint);
    }
    return [...good, ...paused];
  }

  #answered(endpoint: number): void {
    locksDict().delete(pauseOf(endpoint));
    if (locksDict().get(LAST) !== endpoint) locksDict().set(LAST, endpoint, MAX_DICT_TTL_MS);
  }

  async #ask(endpoint: number, path: string, body: string): Promise<EtcdAnswer | string> {
    const answer = await ngx.fetch(`http://unix:${this.#egress}:/etcd/${endpoint}${path}`, {
      method: 'POST',
      headers: { Host: 'meshgate', 'Content-Type': 'application/json' },
      body,
    });
    const text = await answer.text();
    return answer.status === 200 ? (JSON.parse(text) as EtcdAnswer) : `it answered ${answer.status}`;
  }

  /** Calls etcd. For some seconds, an endpoint that did not answer is tried last. etcd may receive a call twice.
   * @param path path of the call, such as `/v3/kv/range`
   * @param budget milliseconds after which no further endpoint is tried
   * @throws Error with one line for the log: no endpoint answers */
  async call(path: string, question: object, budget = this.#endpoints * ANSWER_MS): Promise<EtcdAnswer> {
    const body = JSON.stringify(question);
    const began = Date.now();
    let problem = '';
    for (const endpoint of this.#inTurn()) {
      const left = budget - (Date.now() - began);
      if (problem !== '' && left < ETCD_TIMEOUT_MS) break;
      try {
        const answer = await within(this.#ask(endpoint, path, body), Math.min(ANSWER_MS, left));
        if (typeof answer !== 'string') {
          this.#answered(endpoint);
          return answer;
        }
        problem = answer;
      } catch (error) {
        problem = (error as Error).message;
      }
      locksDict().set(pauseOf(endpoint), 1, ETCD_PAUSE_MS);
    }
    throw new Error(`etcd does not answer (${problem})`);
  }

  /** @param ttl seconds after which all keys under the lease are erased */
  async lease(ttl: number): Promise<string> {
    const { ID } = await this.call('/v3/lease/grant', { TTL: String(Math.max(1, Math.ceil(ttl))) });
    return ID as string;
  }

  /** Revokes a lease. etcd then erases the keys under it. */
  async revokeLease(id: string): Promise<void> {
    await this.call('/v3/lease/revoke', { ID: id });
  }

  /** Revokes a lease that has no keys any more. If this fails, it expires. */
  async #free(lease: string | undefined): Promise<void> {
    if (lease !== undefined && lease !== '0') await this.revokeLease(lease).catch(() => {});
  }

  /** Changes or creates a key. No other replica can change it in between.
   * @param change receives the old value, and returns the new value and its lifetime in seconds, or `undefined` to
   * change nothing */
  async change(
    key: string,
    change: (before: string | undefined) => { readonly value: string; readonly ttl: number } | undefined,
  ): Promise<void> {
    const name = encode(key);
    for (let attempt = 1; attempt <= CHANGE_ATTEMPTS; attempt++) {
      const { kvs } = await this.call('/v3/kv/range', { key: name });
      const before = kvs?.[0];
      const changed = change(before === undefined ? undefined : decode(before.value ?? ''));
      if (changed === undefined) return;
      const lease = await this.lease(changed.ttl);
      const same =
        before === undefined
          ? { target: 'CREATE', key: name, createRevision: '0', result: 'EQUAL' }
          : { target: 'MOD', key: name, modRevision: before.mod_revision, result: 'EQUAL' };
      const { succeeded, responses } = await this.call('/v3/kv/txn', {
        compare: [same],
        success: [{ requestPut: { key: name, value: encode(changed.value), lease } }],
        failure: [{ requestRange: { key: name } }],
      });
      // etcd may have received the call twice. Then the second call finds what the first call wrote.
      const isDone = succeeded || responses?.[0]?.response_range?.kvs?.[0]?.lease === lease;
      // The key is now under one of the two leases. The other lease has no keys and is revoked.
      await this.#free(isDone ? before?.lease : lease);
      if (isDone) return;
    }
    throw new Error('etcd: other replicas keep changing the same key');
  }

  async put(key: string, value: string, ttl: number): Promise<void> {
    const lease = await this.lease(ttl);
    const put = { key: encode(key), value: encode(value), lease, prev_kv: true };
    const { prev_kv: before } = await this.call('/v3/kv/put', put);
    // The old lease has no keys now. etcd may have received the call twice; the second one finds the new lease.
    if (before?.lease !== lease) await this.#free(before?.lease);
  }

  async get(key: string): Promise<string | undefined> {
    const { kvs } = await this.call('/v3/kv/range', { key: encode(key) });
    return kvs?.[0] === undefined ? undefined : decode(kvs[0].value ?? '');
  }

  async delete(key: string): Promise<void> {
    await this.call('/v3/kv/deleterange', { key: encode(key) });
  }

  /** Creates a key, if it does not exist.
   * @param value a unique value, which shows whether this call created the key if etcd received it twice
   * @returns the lease of the key, or `undefined` if the key existed */
  async create(key: string, value: string, ttl: number): Promise<string | undefined> {
    const lease = await this.lease(ttl);
    const name = encode(key);
    const { succeeded, responses } = await this.call('/v3/kv/txn', {
      compare: [{ target: 'CREATE', key: name, createRevision: '0', result: 'EQUAL' }],
      success: [{ requestPut: { key: name, value: encode(value), lease } }],
      failure: [{ requestRange: { key: name } }],
    });
    const found = responses?.[0]?.response_range?.kvs?.[0]?.value;
    if (succeeded || (found !== undefined && decode(found) === value)) return lease;
    await this.#free(lease);
    return undefined;
  }
}
