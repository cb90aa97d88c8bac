import type * as z from 'zod';
import { key, mapping, optional } from './mapping.ts';
import * as s from './scalars.ts';

export const tls = mapping({
  cert_file: key('nothing', s.certFile),
  key_file: key('nothing', s.keyFile),
});

export type Tls = z.output<typeof tls>;

export const doorTls = mapping({
  cert_file: key('nothing', s.certFile.optional()),
  key_file: key('nothing', s.keyFile.optional()),
  client_ca_file: optional(
    'request',
    s.filePath,
    'CA for client certificates, which are optional. Default: nginx requests no certificates.',
  ),
}).describe('Server certificate of the image, and the CA for client certificates.');

type DoorTls = z.output<typeof doorTls>;

/** Returns the server certificate; nothing if the operator configures it in a server block. */
export const shown = ({ certFile, keyFile }: DoorTls = {}): { readonly tls?: Tls } =>
  certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } };
