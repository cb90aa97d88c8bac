import type { Table } from '../../rules/types.ts';
import type { SigninTable } from '../../session/signin-table.ts';
import type { SessionStore } from '../../session/store.ts';
import type { KeyStore } from '../keys.ts';
import type { MetadataStore } from './metadata.ts';
import type { Pages } from './page.ts';
import type { ProviderClient } from './provider.ts';
import type { Vault } from './vault.ts';

/** All that the handlers of the sign-in share. */
export interface SigninScene {
  readonly table: Table;
  readonly signin: SigninTable;
  readonly keys: KeyStore;
  readonly metadata: MetadataStore;
  readonly client: ProviderClient;
  readonly vault: Vault;
  readonly store: SessionStore;
  readonly pages: Pages;
}
