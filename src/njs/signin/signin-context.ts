import type { Table } from '../../rules/types.ts';
import { longestCalls } from '../../session/limits.ts';
import { identifyingClaims } from '../../session/revocation/revocation.ts';
import type { Revocation, SessionStore } from '../../session/revocation/store.ts';
import type { SigninTable } from '../../session/signin-table.ts';
import { ProviderCalls } from '../callers/provider-calls.ts';
import { KeyStore } from '../keys/fetched-keys.ts';
import { DictStore } from '../shared/dict-store.ts';
import { EtcdClient } from '../shared/etcd-client.ts';
import { EtcdStore } from '../shared/etcd-store.ts';
import { awaitRevocations } from '../shared/revocation-reader.ts';
import { keepRevoked, keepTranslated, sayEarlier } from '../shared/revoked.ts';
import { Keyring } from './keyring.ts';
import { MetadataStore, ofSignin } from './metadata.ts';
import { Pages } from './page.ts';
import { ProviderClient } from './provider.ts';

/** The objects that all handlers of the sign-in share. */
export type SigninContext = Readonly<ReturnType<typeof signinContext>>;

/** Returns the store of sessions: the memory of this nginx, or the store that replicas share. */
function storeOf({ providers }: Table, { store, egress }: SigninTable, keyring: Keyring): SessionStore {
  if (store === undefined) return new DictStore(keyring, keepRevoked);
  const keep = (revocations: readonly Revocation[]) =>
    sayEarlier(keepTranslated(revocations, (name) => identifyingClaims(providers, name)));
  return new EtcdStore(new EtcdClient(egress, store.endpoints.length), store.prefix, keyring, keep);
}

/** Makes the objects that all handlers share. It is called once per context. */
export function signinContext(table: Table, signin: SigninTable) {
  awaitRevocations(table);
  const keyring = new Keyring(table, signin.session);
  return {
    table,
    signin,
    keys: new KeyStore(table),
    metadata: new MetadataStore(table, ofSignin),
    client: new ProviderClient(signin.egress),
    keyring,
    store: storeOf(table, signin, keyring),
    pages: new Pages(signin),
    /** How long all calls of one sign-in or renewal to the providers may take together, in seconds. */
    longest: longestCalls(Object.values(signin.providers)).together,
    ...(table.asking !== undefined && { providerCalls: new ProviderCalls(table.asking, table.selection) }),
  };
}
