import type { Table } from '../../rules/types.ts';
import { longestCalls } from '../../session/limits.ts';
import { identityOf } from '../../session/revocation/revocation.ts';
import type { Revocation, SessionStore } from '../../session/revocation/store.ts';
import type { SigninTable } from '../../session/signin-table.ts';
import { Questions } from '../callers/questions.ts';
import { KeyStore } from '../keys/fetched-keys.ts';
import { DictStore } from '../shared/dict-store.ts';
import { Etcd } from '../shared/etcd.ts';
import { EtcdStore } from '../shared/etcd-store.ts';
import { awaitRevocations } from '../shared/revocation-reader.ts';
import { keepRevoked, keepTranslated, sayEarlier } from '../shared/revoked.ts';
import { MetadataStore, ofSignin } from './metadata.ts';
import { Pages } from './page.ts';
import { ProviderClient } from './provider.ts';
import { Vault } from './vault.ts';

/** The objects that all handlers of the sign-in share. */
export type SigninScene = Readonly<ReturnType<typeof signinScene>>;

/** Returns the store of sessions: the memory of this nginx, or the store that replicas share. */
function storeOf({ providers }: Table, { store, egress }: SigninTable, vault: Vault): SessionStore {
  if (store === undefined) return new DictStore(vault, keepRevoked);
  const keep = (revocations: readonly Revocation[]) =>
    sayEarlier(keepTranslated(revocations, (name) => identityOf(providers, name)));
  return new EtcdStore(new Etcd(egress, store.endpoints.length), store.prefix, vault, keep);
}

/** Makes the objects that all handlers share. It is called once per context. */
export function signinScene(table: Table, signin: SigninTable) {
  awaitRevocations(table);
  const vault = new Vault(table, signin.session);
  return {
    table,
    signin,
    keys: new KeyStore(table),
    metadata: new MetadataStore(table, ofSignin),
    client: new ProviderClient(signin.egress),
    vault,
    store: storeOf(table, signin, vault),
    pages: new Pages(signin),
    /** How long all calls of one sign-in or renewal to the providers may take together, in seconds. */
    longest: longestCalls(Object.values(signin.providers)).together,
    ...(table.asking !== undefined && { questions: new Questions(table.asking, table.selection) }),
  };
}
