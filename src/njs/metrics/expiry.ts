import type { Metric, Sample } from '../../health/exposition.ts';
import type { Found } from '../../health/svid.ts';
import { foundOf } from '../health/files.ts';
import { svidsDict } from '../shared/dicts.ts';
import type { Seen } from './seen.ts';

/** When certificates expire, by what the job has found in their files. */
export const expiryMetrics: readonly Metric<Seen>[] = [
  {
    name: 'meshgate_svid_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the SVID of an identity expires.',
    labels: ['identity'],
    read: ({ config }) =>
      config.identities.flatMap(({ name }): readonly Sample[] => {
        const text = svidsDict().get(name);
        const svid = text === undefined ? undefined : (JSON.parse(text) as Found).svid;
        return svid === undefined ? [] : [[[name], svid.notAfter]];
      }),
  },
  {
    name: 'meshgate_file_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When a certificate, or the next key in a file of keys, expires.',
    labels: ['part', 'name'],
    read: ({ config }) =>
      config.files.flatMap((file): readonly Sample[] => {
        const { kind, name } = file;
        const state = foundOf(file);
        const at = state?.valid?.notAfter ?? state?.expires;
        const part = kind === 'listener' ? 'certificates' : kind.startsWith('client_') ? 'clients' : kind;
        return at === undefined ? [] : [[[part, name], at]];
      }),
  },
];
