import hash from 'crypto';
import type * as z from 'zod';
import { withoutSlashes } from '../../base/slashes.ts';
import * as a from '../forms/addresses.ts';
import { DEFAULTS } from '../forms/bounds.ts';
import { hints } from '../forms/hints.ts';
import { flag, key, mapping, optional, usually } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';

/** The key of a witness: its name, the id of the key, and the base64 of type and key (C2SP signed-note). */
const WITNESS_KEY = /^[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{43}[A-Za-z0-9+/=]$/;

/** The type of a witness's cosignatures, and the length of the type with an Ed25519 key (C2SP tlog-cosignature). */
const COSIGNATURE = 4;
const KEY_BYTES = 33;

const WITNESS_KEY_TEXT = 'NAME+ID+BASE64, as the operator of the witness publishes it';

/** Returns what is wrong with the key of a witness. A wrong key would make every cosignature of the witness invalid. */
function keyMistake(text: string): string | undefined {
  const [name = '', id, ...base64] = text.split('+');
  const key = Buffer.from(base64.join('+'), 'base64');
  if (key.length !== KEY_BYTES) return `the key has ${key.length} bytes; write ${WITNESS_KEY_TEXT}`;
  if (key[0] !== COSIGNATURE) {
    return `this key is for signatures of type ${key[0]}; write the key for the cosignatures of the witness, which have type ${COSIGNATURE}`;
  }
  const own = hash.createHash('sha256').update(`${name}\n`).update(key).digest('hex').slice(0, 8);
  return own === id ? undefined : `the key does not have the id ${id} but ${own}; write ${WITNESS_KEY_TEXT}`;
}

const witness = mapping({
  url: key(
    { decides: 'nothing', unique: (other) => `witnesses[${other}] has this url, too; keep one` },
    s
      .text(/^https?:\/\/[A-Za-z0-9.:[\]_-]+(?:\/[A-Za-z0-9._~-]+)*$/, {
        what: 'the URL of a witness',
        write: 'https://witness.example.com, without a slash at the end',
        fix: (value) => (/^https?:\/\/[^?#]+\/$/.test(String(value)) ? withoutSlashes(String(value)) : undefined),
      })
      .describe('Where the checkpoints of the log are sent; /add-checkpoint is added (C2SP tlog-witness).'),
  ),
  key: key(
    { decides: 'nothing', unique: (other) => `witnesses[${other}] has this key, too; keep one` },
    s
      .text(WITNESS_KEY, { what: 'the public key of a witness', write: WITNESS_KEY_TEXT, mistake: keyMistake })
      .describe('The key with which the cosignatures of the witness are verified.'),
  ),
  ca_file: optional('nothing', s.filePath, 'CA for the certificate of the witness. Default: the system’s.'),
}).register(hints, { what: 'a witness', write: '{ url: https://witness.example.com, key: NAME+ID+BASE64 }' });

const pseudonyms = mapping({
  key_file: key(
    'nothing',
    s.filePath.describe('JWKS of secret keys, from "meshgate keys new --session"; the first key is used.'),
  ),
})
  .register(hints, { what: 'the settings of pseudonyms', write: '{ key_file: /run/secrets/pseudonyms.jwks }' })
  .describe('Lines of the log name people by keyed hashes. Default: by their ids.');

/** The instance is a part of the name of the log's key, whose form the signed notes of C2SP prescribe. */
const INSTANCE = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
const INSTANCE_TEXT = 'at most 63 lower-case letters, digits, dots and dashes, as in gw-0';

const instance = s.text(INSTANCE, {
  what: 'the name of an instance',
  write: INSTANCE_TEXT,
  fix: (value) =>
    typeof value === 'string' && /^[A-Z0-9][A-Z0-9.-]{0,61}[A-Z0-9]$/i.test(value) ? value.toLowerCase() : undefined,
});

export const audit = mapping({
  log: usually('nothing', s.filePath, DEFAULTS.auditLog, 'The file of the JSON log, which the sealer reads.'),
  folder: usually(
    'nothing',
    s.filePath,
    DEFAULTS.auditFolder,
    'The folder of the transparency log, which the sealer writes.',
  ),
  host: optional(
    'nothing',
    s.text(a.HOST, { what: 'the name of one host', write: 'a host in lower case, as in wiki.example.com' }),
    'The host in the name of the log, HOST/meshgate/INSTANCE. Default: the first host of the policy that has no wildcard.',
  ),
  instance: usually('nothing', instance, DEFAULTS.auditInstance, 'The name of this gateway among its replicas.'),
  witnesses: optional(
    'nothing',
    s.list(witness, '[{ url: …, key: … }]'),
    'Witnesses that cosign the checkpoints. Default: none.',
  ),
  pseudonyms: key('nothing', pseudonyms.optional()),
  claims: usually('nothing', flag, false, 'true: lines also have the claims that roles read.'),
})
  .register(hints, { what: 'the settings of the sealed log', write: `{ log: ${DEFAULTS.auditLog} }` })
  .describe('The log is sealed: a transparency log shows that no line was removed or changed.');

/** Reads the name of an instance that is given outside of the policy.
 * @throws Error that says what to write */
export function parseInstance(text: string): string {
  if (INSTANCE.test(text)) return text;
  throw new Error(`write ${INSTANCE_TEXT}`);
}

type DeclaredAudit = z.output<typeof audit>;

export type Witness = z.output<typeof witness>;

/** The sealed log. The host is known. */
export interface Audit extends Omit<DeclaredAudit, 'host' | 'witnesses'> {
  readonly host: string;
  readonly witnesses: readonly Witness[];
}

/** @param hosts the names of the policy's hosts; one of them has no wildcard unless the policy names a host here */
export const buildAudit = ({ host, witnesses = [], ...declared }: DeclaredAudit, hosts: readonly string[]): Audit => ({
  ...declared,
  host: host ?? (hosts.find((name) => !name.startsWith('*.')) as string),
  witnesses,
});

/** The name of a transparency log, and of its keys. */
export const originOf = ({ host, instance }: Pick<Audit, 'host' | 'instance'>): string =>
  `${host}/meshgate/${instance}`;
