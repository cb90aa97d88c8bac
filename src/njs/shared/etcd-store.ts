import { MAX_DICT_TTL_MS } from '../../base/limits.ts';
import { ETCD_PAGE } from '../../session/limits.ts';
import { readRecord, recordText } from '../../session/record.ts';
import { readRevocation } from '../../session/revocation/new-revocation.ts';
import { mergedFloors } from '../../session/revocation/revocation.ts';
import {
  type Lock,
  type Revocation,
  type SessionStore,
  type SingleUseClaim,
  spoiltPlace,
} from '../../session/revocation/store.ts';
import type { SessionRecord } from '../../session/types.ts';
import { isSpoiltHere, type RecordSeal, spoilHere } from './dict-store.ts';
import { locksDict, onceDict, REVOCATIONS_SEEN } from './dicts.ts';
import { decode, type EtcdAnswer, type EtcdClient, encode, prefixEnd } from './etcd-client.ts';
import { noteRead } from './revocations-read.ts';
import { sayOnce } from './say-once.ts';

/** Key for the revision up to which etcd was read. Like the revocations, this must not survive a restart. */
const KNOWN = ' etcd';

interface Known {
  readonly cluster: string;
  readonly revision: number;
}

/** Logs that entries are not enforced. An earlier version may have written them, and an operator may rely on them. */
function sayIgnored(count: number): void {
  const line = `${count} entries in etcd are not revocations that this build reads, and are ignored: revoke again`;
  if (count > 0) sayOnce('ignored', ngx.ERR, line);
}

const random = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString('base64url');

/** Stores sessions in etcd, for several replicas. Entries are sealed, except revocations and used values. */
export class EtcdStore implements SessionStore {
  readonly #etcd: EtcdClient;
  readonly #prefix: string;
  readonly #seal: RecordSeal;
  readonly #revoke: (revocations: readonly Revocation[]) => void;

  /** @param revoke a function that stores revocations for the check of this replica */
  constructor(
    etcd: EtcdClient,
    prefix: string,
    seal: RecordSeal,
    revoke: (revocations: readonly Revocation[]) => void,
  ) {
    this.#etcd = etcd;
    this.#prefix = prefix;
    this.#seal = seal;
    this.#revoke = revoke;
  }

  async get(sid: string): Promise<SessionRecord | undefined> {
    const sealed = await this.#etcd.get(`${this.#prefix}session/${sid}`);
    const text = sealed === undefined ? undefined : await this.#seal.open(sealed);
    return text === undefined ? undefined : readRecord(text, sid);
  }

  async put(record: SessionRecord, ttl: number): Promise<void> {
    const sealed = await this.#seal.seal(recordText(record));
    await this.#etcd.put(`${this.#prefix}session/${record.session.sid}`, sealed, ttl);
  }

  async delete(sid: string): Promise<void> {
    await this.#etcd.delete(`${this.#prefix}session/${sid}`);
  }

  async lock(sid: string, ttl: number): Promise<Lock | undefined> {
    const lease = await this.#etcd.create(`${this.#prefix}lock/${sid}`, random(), ttl / 1000);
    if (lease === undefined) return undefined;
    // A lease that is not revoked expires.
    return { release: () => this.#etcd.revokeLease(lease).catch(() => {}) };
  }

  async claim(id: string, ttl: number): Promise<SingleUseClaim | undefined> {
    const key = `${this.#prefix}once/${id}`;
    if (isSpoiltHere(id) || (await this.#etcd.get(this.#prefix + spoiltPlace(id))) === id) return undefined;
    const lease = await this.#etcd.create(key, random(), ttl);
    if (lease === undefined) return undefined;
    return {
      use: (longer) => this.#etcd.put(key, random(), longer),
      // A lease that is not revoked expires.
      release: () => this.#etcd.revokeLease(lease).catch(() => {}),
    };
  }

  async spoil(id: string, ttl: number): Promise<void> {
    await this.#etcd.put(this.#prefix + spoiltPlace(id), id, ttl);
  }

  spoilHere(id: string, ttl: number): void {
    spoilHere(id, ttl);
  }

  async once(id: string, ttl: number): Promise<boolean> {
    return !isSpoiltHere(id) && (await this.#etcd.create(`${this.#prefix}once/${id}`, random(), ttl)) !== undefined;
  }

  async revoke(revocation: Revocation): Promise<void> {
    const { kind, value, claim } = revocation;
    const name = { kind, value, ...(claim !== undefined && { claim }) };
    const now = Date.now() / 1000;
    if (revocation.until <= now) return;
    await this.#etcd.change(`${this.#prefix}revoked/${kind}/${value}`, (text) => {
      const merged = { ...name, ...mergedFloors(revocation, text === undefined ? undefined : readRevocation(text)) };
      const after = JSON.stringify(merged);
      return after === text ? undefined : { value: after, ttl: merged.until - now };
    });
    this.#revoke([revocation]);
  }

  /** Reads one page of revocations, or a shorter one if the answer would be too long. */
  async #page(prefix: string, from: number, budget: number): Promise<EtcdAnswer> {
    const began = Date.now();
    const range = { key: encode(prefix), range_end: prefixEnd(prefix), min_mod_revision: String(from) };
    const order = { sort_order: 'ASCEND', sort_target: 'MOD' };
    for (let limit = ETCD_PAGE; ; limit = Math.floor(limit / 2)) {
      try {
        const question = { ...range, ...order, limit: String(limit) };
        return await this.#etcd.call('/v3/kv/range', question, budget - (Date.now() - began));
      } catch (error) {
        const isTooLong = /large/.test((error as Error).message);
        if (!isTooLong || limit === 1 || Date.now() - began >= budget) throw error;
      }
    }
  }

  /** Reads the revocations that are new in etcd.
   * @param budget milliseconds
   * @throws Error with one line for the log: etcd does not answer, or there is no room for its revocations */
  async poll(budget: number): Promise<void> {
    const began = Date.now();
    const prefix = `${this.#prefix}revoked/`;
    const text = onceDict().get(KNOWN);
    let known: Known = text === undefined ? { cluster: '', revision: 0 } : (JSON.parse(text) as Known);
    while (Date.now() - began < budget) {
      const left = budget - (Date.now() - began);
      const { header, kvs = [], more = false } = await this.#page(prefix, known.revision + 1, left);
      const cluster = header?.cluster_id ?? '';
      const revision = Number(header?.revision ?? 0);
      if (known.revision > 0 && (cluster !== known.cluster || revision < known.revision)) {
        // This is another etcd, or its data was reset. So everything is read from the beginning.
        known = { cluster, revision: 0 };
        continue;
      }
      const read = kvs.map(({ value = '' }) => readRevocation(decode(value)));
      const revocations = read.filter((revocation) => revocation !== undefined);
      sayIgnored(read.length - revocations.length);
      this.#revoke(revocations);
      const last = kvs[kvs.length - 1];
      known = { cluster, revision: more && last !== undefined ? Number(last.mod_revision) : revision };
      onceDict().set(KNOWN, JSON.stringify(known), MAX_DICT_TTL_MS);
      if (!more) {
        locksDict().set(REVOCATIONS_SEEN, began / 1000, MAX_DICT_TTL_MS);
        noteRead(began / 1000);
        return;
      }
    }
  }
}
