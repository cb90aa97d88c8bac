import type * as z from 'zod';
import { key, mapping, optional, teamMapping } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { grantedFile } from './team-limits.ts';

export const tls = mapping({
  cert_file: key('nothing', s.certFile),
  key_file: key('nothing', s.keyFile),
});

export type Tls = z.output<typeof tls>;

/** What plain HTTP excludes. */
export const plainHttp = {
  '/gateway/insecure_http': 'no effect: gateway.insecure_http serves plain HTTP; remove one of the two',
};

const ABSOLUTE = '/run/secrets/name.pem';

/** If nginx's certificate is configured elsewhere, the clients' CA is enough. */
export const listenerTls = teamMapping(
  {
    cert_file: key(
      { decides: 'nothing', team: grantedFile, requires: { key_file: `key_file: ${ABSOLUTE}` } },
      s.certFile.optional(),
    ),
    key_file: key(
      { decides: 'nothing', team: grantedFile, requires: { cert_file: `cert_file: ${ABSOLUTE}` } },
      s.keyFile.optional(),
    ),
    client_ca_file: optional(
      {
        decides: 'request',
        team: {
          never:
            'a CA could vouch for callers that hold roles at other hosts; remove it, and the CA of the gateway applies',
        },
      },
      s.filePath,
      'CA for client certificates, which are optional. Default: nginx requests no certificates.',
    ),
  },
  { someOf: { keys: ['cert_file', 'key_file', 'client_ca_file'], write: `cert_file: ${ABSOLUTE}` } },
).describe('Server certificate of the image, and the CA for client certificates.');

type ListenerTls = z.output<typeof listenerTls>;

/** Returns the server certificate; nothing if the operator configures it in a server block. */
export const shown = ({ certFile, keyFile }: ListenerTls = {}): { readonly tls?: Tls } =>
  certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } };
