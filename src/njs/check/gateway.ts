import type { Table } from '../../rules/types.ts';
import { Bearers } from '../callers/bearers.ts';
import { viewsOf } from '../callers/caller-views.ts';
import { certificateCallers } from '../callers/certificate-callers.ts';
import { Prover } from '../callers/prove-possession.ts';
import { Sessions } from '../callers/sessions.ts';
import { KeyStore } from '../keys/fetched-keys.ts';
import { AssertionSigner } from '../keys/signer.ts';
import { pseudonym, usePseudonyms } from '../shared/pseudonyms.ts';

/** The parts with which a context finds callers and answers them. */
export type CheckParts = Readonly<ReturnType<typeof gatewayOf>>;

/** Makes the log name people by pseudonyms, also in the claims of lines, if the policy says so. */
function withPseudonyms(table: Table): Table {
  usePseudonyms(table.pseudonyms);
  if (table.pseudonyms === undefined) return table;
  return { ...table, hide: (value) => pseudonym('claims', value) as string };
}

export function gatewayOf(given: Table) {
  const table = withPseudonyms(given);
  const keys = new KeyStore(table);
  return {
    table,
    keys,
    bearers: new Bearers(table, keys),
    prover: new Prover(table),
    sessions: table.session && new Sessions(table, table.session),
    certificates: table.certificates && certificateCallers(table.agents),
    /** Absent: no role depends on the request. */
    views: viewsOf(table),
    signer: table.assertion && new AssertionSigner(table.assertion),
  };
}
