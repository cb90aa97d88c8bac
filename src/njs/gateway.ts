import type { Table } from '../rules/types.ts';
import { Bearers } from './bearers.ts';
import { type CertificateCallers, certificateCallers } from './certificates.ts';
import { KeyStore } from './keys.ts';
import { Prover } from './prove.ts';
import { Sessions } from './sessions.ts';
import { Signer } from './signer.ts';
import { type Views, viewsOf } from './views.ts';

/** The parts with which a context finds callers and answers them. */
export interface Gateway {
  readonly table: Table;
  readonly keys: KeyStore;
  readonly bearers: Bearers;
  readonly prover: Prover;
  readonly sessions: Sessions | undefined;
  readonly certificates: CertificateCallers | undefined;
  /** Absent: no role depends on the request. */
  readonly views: Views | undefined;
  readonly signer: Signer | undefined;
}

export function gatewayOf(table: Table): Gateway {
  const keys = new KeyStore(table);
  return {
    table,
    keys,
    bearers: new Bearers(table, keys),
    prover: new Prover(table),
    sessions: table.session && new Sessions(table, table.session),
    certificates: table.certificates && certificateCallers(table.agents),
    views: viewsOf(table),
    signer: table.assertion && new Signer(table.assertion),
  };
}
