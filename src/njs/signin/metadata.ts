import { composed } from '../../base/composed-key.ts';
import { MAX_METADATA_STATE_BYTES, timeoutOf } from '../../base/limits.ts';
import {
  type ClientMetadata,
  type MetadataResult,
  readClientMetadata,
  readMetadata,
  type SigninMetadata,
} from '../../session/flow/provider-metadata.ts';
import { METADATA_COOL_DOWN_S, METADATA_REFRESH_S } from '../../session/limits.ts';
import type { SigninProvider } from '../../session/signin-table.ts';
import { discoveryUrl } from '../../token/keys/discovery.ts';
import { keepDocument, keysDict, locksDict, metadataName } from '../shared/dicts.ts';
import { fetchDocument } from '../shared/egress-call.ts';

interface Kept<M> {
  readonly metadata: M;
  /** Seconds since the epoch. */
  readonly fetchedAt: number;
}

const LOOK_MS = 50;

type Provider = Pick<SigninProvider, 'name' | 'issuer' | 'privateAddresses' | 'timeout'>;

/** Which data is read from a discovery document, and where it is stored. */
interface Reading<M> {
  readonly read: (text: string, issuer: string, anywhere?: boolean) => MetadataResult<M>;
  /** Returns the key in the dict of keys. */
  readonly name: (provider: Provider) => string;
  readonly lock: string;
  /** What the data is used for, in the log. */
  readonly what: string;
}

/** Reads the data for a sign-in. */
export const ofSignin: Reading<SigninMetadata> = {
  read: readMetadata,
  name: metadataName,
  lock: 'op',
  what: 'sign-in through',
};

/** Reads the data for questions about tokens. */
export const ofClient: Reading<ClientMetadata> = {
  read: readClientMetadata,
  name: ({ name, issuer }) => `client ${name} ${issuer}`,
  lock: 'client',
  what: 'asking',
};

/** The endpoints of the providers. All workers share them, and they are kept over restarts. */
export class MetadataStore<M = SigninMetadata> {
  readonly #egress: string;
  readonly #stale: number;
  readonly #how: Reading<M>;

  constructor(table: { readonly egress: string; readonly keys: { readonly stale: number } }, how: Reading<M>) {
    this.#egress = table.egress;
    this.#stale = table.keys.stale;
    this.#how = how;
  }

  /** Returns the stored data, unless it is older than a provider's keys may be. */
  #usable(provider: Provider, now: number): Kept<M> | undefined {
    const text = keysDict().get(this.#how.name(provider));
    const kept = text === undefined ? undefined : (JSON.parse(text) as Kept<M>);
    return kept !== undefined && now - kept.fetchedAt <= this.#stale ? kept : undefined;
  }

  async #fetch(provider: Provider, now: number): Promise<void> {
    const { name, issuer, privateAddresses } = provider;
    try {
      const text = await fetchDocument(this.#egress, name, discoveryUrl(issuer));
      const read = this.#how.read(text, issuer, privateAddresses);
      if (!read.ok) throw new Error(read.error);
      for (const line of read.warnings ?? []) ngx.log(ngx.WARN, `meshgate: ${this.#how.what} ${name}: ${line}`);
      const kept: Kept<M> = { metadata: read.metadata, fetchedAt: now };
      keepDocument(this.#how.name(provider), JSON.stringify(kept), MAX_METADATA_STATE_BYTES);
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: ${this.#how.what} ${name}: ${(error as Error).message}`);
    }
  }

  /** Returns the endpoints of a provider, `undefined` if there are none. They are fetched if they are unknown or some
   * minutes old, by one request at a time and only every few seconds. In an outage, the stored ones are used. */
  async of(provider: Provider, now: number): Promise<M | undefined> {
    const before = this.#usable(provider, now);
    if (before !== undefined && Math.abs(now - before.fetchedAt) < METADATA_REFRESH_S) return before.metadata;
    const locks = locksDict();
    const timeout = timeoutOf(provider) * 1000;
    const [lock, cool] = [composed(this.#how.lock, provider.name), composed('cool', this.#how.lock, provider.name)];
    if (!locks.has(cool) && locks.add(lock, 1, 2 * timeout)) {
      // Before it had the lock, another request may have fetched the endpoints.
      if (locks.add(cool, 1, METADATA_COOL_DOWN_S * 1000)) await this.#fetch(provider, now);
      locks.delete(lock);
    } else if (before === undefined) {
      for (let waited = 0; waited < timeout && locks.has(lock); waited += LOOK_MS) {
        await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
    return this.#usable(provider, now)?.metadata;
  }
}
