import { METADATA_COOL_DOWN_S, METADATA_REFRESH_S, PROVIDER_TIMEOUT_MS } from '../../limits.ts';
import type { Table } from '../../rules/types.ts';
import { type Metadata, readMetadata } from '../../session/flow/metadata.ts';
import type { SigninProvider } from '../../session/signin-table.ts';
import { discoveryUrl } from '../../token/discovery.ts';
import { keysDict, locksDict, metadataName } from '../dicts.ts';
import { fetchDocument } from '../egress.ts';

interface Kept {
  readonly metadata: Metadata;
  /** Seconds since the epoch. */
  readonly fetchedAt: number;
}

const LOOK_MS = 50;

/** Where the providers are asked for what, as all workers share it; kept over restarts with their keys. */
export class MetadataStore {
  readonly #egress: string;
  readonly #stale: number;

  constructor({ egress, keys }: Pick<Table, 'egress' | 'keys'>) {
    this.#egress = egress;
    this.#stale = keys.stale;
  }

  #kept(provider: SigninProvider): Kept | undefined {
    const text = keysDict().get(metadataName(provider));
    return text === undefined ? undefined : (JSON.parse(text) as Kept);
  }

  /** What is kept, if it is not older than a provider's keys may be. */
  #usable(provider: SigninProvider, now: number): Kept | undefined {
    const kept = this.#kept(provider);
    return kept !== undefined && now - kept.fetchedAt <= this.#stale ? kept : undefined;
  }

  async #fetch(provider: SigninProvider, now: number): Promise<void> {
    const { name, issuer } = provider;
    try {
      const read = readMetadata(await fetchDocument(this.#egress, name, discoveryUrl(issuer)), issuer);
      if (!read.ok) throw new Error(read.error);
      keysDict().set(
        metadataName(provider),
        JSON.stringify({ metadata: read.metadata, fetchedAt: now } satisfies Kept),
      );
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: sign-in through ${name}: ${(error as Error).message}`);
    }
  }

  /**
   * A provider's endpoints. Fetched where they are not known or older than some minutes, by one at a time, and no more
   * often than each few seconds; while the provider is away those of before serve.
   *
   * @returns `undefined` where there are none
   */
  async of(provider: SigninProvider, now: number): Promise<Metadata | undefined> {
    const before = this.#usable(provider, now);
    if (before !== undefined && Math.abs(now - before.fetchedAt) < METADATA_REFRESH_S) return before.metadata;
    const locks = locksDict();
    const [lock, cool] = [`op ${provider.name}`, `cool op ${provider.name}`];
    if (!locks.has(cool) && locks.add(lock, 1, 2 * PROVIDER_TIMEOUT_MS)) {
      locks.set(cool, 1, METADATA_COOL_DOWN_S * 1000);
      await this.#fetch(provider, now);
      locks.delete(lock);
    } else if (before === undefined) {
      for (let waited = 0; waited < PROVIDER_TIMEOUT_MS && locks.has(lock); waited += LOOK_MS) {
        await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
    return this.#usable(provider, now)?.metadata;
  }
}
