import { parseSigningKeys } from '../assertion/signing-keys.ts';
import {
  CERTIFICATE_EXPIRING_AT,
  CERTIFICATE_EXPIRING_S,
  MAX_SVID_BYTES,
  REPEAT_EXPIRING_S,
  REPEAT_LINE_S,
} from '../base/limits.ts';
import { isShort, readSecrets } from '../session/flow/client-auth.ts';
import { readRing, SEALING_KEY_EXPIRED } from '../session/keys/ring.ts';
import { MAX_SECRETS } from '../session/limits.ts';
import { keysIn } from '../token/json.ts';
import { readCertificate } from '../x509/certificate.ts';
import { belongs } from '../x509/key.ts';
import { readPem } from '../x509/pem.ts';
import { bundleOf } from './ca.ts';
import { readSvid, type Svid, svidLifetime } from './svid.ts';
import { type HealthReason, healthReasons, type MonitoredFile, type Part } from './types.ts';

/** What a file of each kind is called, and whether the gateway is not ready without it. */
const KINDS: Readonly<Record<MonitoredFile['kind'], { readonly what: string; readonly fails?: true }>> = {
  policy: { what: 'policy' },
  session: { what: 'session keys', fails: true },
  proof: { what: 'keys of DPoP nonces', fails: true },
  assertion: { what: 'signing keys', fails: true },
  pseudonyms: { what: 'keys of pseudonyms', fails: true },
  client_secret: { what: 'client secret of provider', fails: true },
  client_keys: { what: 'client keys of provider', fails: true },
  client_certificate: { what: 'client certificate of provider', fails: true },
  listener: { what: 'certificate of' },
  ca: { what: 'CA of' },
  identity: { what: 'SVID of identity', fails: true },
};

/** What reading a file gave: its text, or the error code of the system. */
export type FileLook =
  | { readonly code: string; readonly closed?: string }
  | { readonly mode: number; readonly links: number; readonly text: string; readonly owner?: number };

/** Reads a file. */
type LookAt = (path: string) => FileLook;

interface Fault {
  readonly reason: HealthReason;
  readonly path: string;
  /** More for the log: what is wrong, without anything of the text. */
  readonly detail?: string;
}

/** The state of the files of one purpose. */
export interface FileState {
  /** Why the gateway cannot use the file. */
  readonly fault?: Fault;
  /** What is not right about a file that works. */
  readonly remark?: Fault;
  /** The lifetime of a certificate. */
  readonly valid?: Svid;
  /** When the next key of the file expires, in seconds since the epoch; absent: no key expires. */
  readonly expires?: number;
}

/** Whether a reason leaves the file usable. */
export const isRemark = (reason: HealthReason): boolean =>
  ['file_exposed', 'file_replaced', 'certificate_expiring', 'svid_expiring'].includes(reason);

const EXPIRED = { reason: 'keys_file_expired' } as const;
const EMPTY = { reason: 'keys_file_empty' } as const;
const NONE = 'the file has no key';

/** Returns what is wrong with keys, from the sentence of the reader. */
function keysFault(text: string, reported: unknown): Omit<Fault, 'path'> | undefined {
  if (text.trim() === '' || reported === NONE) return EMPTY;
  if (typeof reported !== 'string') return undefined;
  return reported === SEALING_KEY_EXPIRED ? EXPIRED : { reason: 'keys_file_malformed', detail: reported };
}

/** Returns the lifetime of a certificate, or what is wrong with it or its key. */
function certificateOf(cert: string, key: string): Svid | Omit<Fault, 'path'> {
  const first = readPem(cert)?.find(({ label }) => label === 'CERTIFICATE');
  const certificate = first && readCertificate(first.bytes);
  const privateKey = readPem(key)?.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (certificate === undefined || privateKey === undefined) return { reason: 'certificate_malformed' };
  if (belongs(privateKey, certificate.publicKey) === false) return { reason: 'certificate_key_mismatch' };
  return { notBefore: certificate.notBefore, notAfter: certificate.notAfter };
}

async function contentOf(
  { kind, spiffe = '', names, signs }: MonitoredFile,
  text: string,
  key: string,
  now: number,
): Promise<Svid | { readonly expires: number } | Omit<Fault, 'path'> | undefined> {
  switch (kind) {
    case 'session':
    case 'pseudonyms':
    case 'proof': {
      const ring = await readRing(text, now);
      if (typeof ring === 'string' || ring.expires === undefined) return keysFault(text, ring);
      return { expires: ring.expires };
    }
    case 'assertion':
      return keysFault(text, parseSigningKeys(text));
    case 'client_keys':
      return keysFault(text, keysIn(text));
    case 'client_secret': {
      const secrets = readSecrets(text, MAX_SECRETS);
      if (secrets.length === 0) return { reason: 'secret_empty' };
      return signs && secrets.some(isShort) ? { reason: 'secret_short' } : undefined;
    }
    case 'client_certificate':
    case 'listener':
      return certificateOf(text, key);
    case 'ca':
      return bundleOf(text) === undefined ? { reason: 'ca_malformed' } : undefined;
    case 'identity': {
      const read = readSvid(text, key, spiffe, names);
      return typeof read === 'string' ? { reason: read } : read;
    }
    default:
      return undefined;
  }
}

function unreadable({ code, closed }: { readonly code: string; readonly closed?: string }): Omit<Fault, 'path'> {
  if (closed !== undefined) return { reason: 'folder_closed', detail: closed };
  return { reason: code === 'ENOENT' ? 'file_missing' : 'file_unreadable', detail: code };
}

/** Kinds whose text is secret in the file itself. For certificates, it is the file of the key. */
const SECRET: readonly MonitoredFile['kind'][] = [
  'session',
  'proof',
  'assertion',
  'pseudonyms',
  'client_secret',
  'client_keys',
];

/** Reads the files of one purpose, and says what is wrong with them. */
export async function examine(file: MonitoredFile, look: LookAt, now: number): Promise<FileState> {
  const { kind, path, keyPath = path } = file;
  const texts: string[] = [];
  let remark: Fault | undefined;
  for (const one of keyPath === path ? [path] : [path, keyPath]) {
    const found = look(one);
    if ('code' in found) return { fault: { path: one, ...unreadable(found) } };
    if (found.text.length > MAX_SVID_BYTES && kind !== 'ca' && kind !== 'policy')
      return { fault: { path: one, reason: 'file_unreadable', detail: 'too large' } };
    texts.push(found.text);
    if (found.links === 0) remark = { path: one, reason: 'file_replaced' };
    else if ((found.mode & 0o004) !== 0 && (SECRET.includes(kind) || file.keyPath === one))
      remark ??= { path: one, reason: 'file_exposed' };
  }
  const [text = '', key = text] = texts;
  const content = await contentOf(file, text, key, now);
  const also = remark && { remark };
  if (content === undefined) return { ...also };
  if ('reason' in content) return { fault: { path, ...content }, ...also };
  return 'expires' in content ? { ...content, ...also } : { valid: content, ...also };
}

/** Returns what is wrong with the lifetime of a certificate. A short lifetime does not lead to a lasting warning. */
function lifetime({ notBefore, notAfter }: Svid, now: number): HealthReason | undefined {
  if (now < notBefore) return 'certificate_not_yet_valid';
  if (now > notAfter) return 'certificate_expired';
  const soon = Math.min(CERTIFICATE_EXPIRING_S, (notAfter - notBefore) * CERTIFICATE_EXPIRING_AT);
  return notAfter - now < soon ? 'certificate_expiring' : undefined;
}

/** Returns the first thing that is wrong with a file: what stops its use, then its lifetime, then a remark. */
export function problemOf(
  { kind, path }: MonitoredFile,
  { fault, remark, valid }: FileState,
  now: number,
): Fault | undefined {
  const reason = valid && (kind === 'identity' ? svidLifetime : lifetime)(valid, now);
  return fault ?? (reason === undefined ? remark : { path, reason });
}

/** Whether the gateway is not ready because of a problem. nginx keeps the certificates of listeners that it has
 * loaded, and other hosts may have good ones. */
export const isFatal = ({ kind }: MonitoredFile, { reason }: Fault): boolean =>
  KINDS[kind].fails === true && !isRemark(reason);

const ok: Part = { state: 'ok' };

/** Returns the state of a file for readyz. Remarks about files are one part of their own. */
export function filePart(file: MonitoredFile, state: FileState, now: number): Part {
  const { remark: _, ...rest } = state;
  const problem = problemOf(file, rest, now);
  const expires = state.valid && { expires_in: Math.floor(state.valid.notAfter - now) };
  if (problem === undefined) return { ...ok, ...expires };
  const { reason } = problem;
  return { state: isFatal(file, problem) ? 'failed' : 'warning', reason, help: healthReasons[reason], ...expires };
}

/** Returns the part for remarks: the first one, if there is one. */
export function remarksPart(states: readonly FileState[]): Part {
  const reasons = states.flatMap(({ remark }) => remark?.reason ?? []);
  const reason = reasons.includes('file_replaced') ? 'file_replaced' : reasons[0];
  return reason === undefined ? ok : { state: 'warning', reason, help: healthReasons[reason] };
}

/** Describes a problem in one line, with the path. It contains nothing of the file. */
export function fileLine({ kind, name }: MonitoredFile, { path, reason, detail }: Fault): string {
  const what = `${KINDS[kind].what}${name === '' ? '' : ` ${name}`}`;
  return `${what} (${path}): ${reason}: ${healthReasons[reason]}${detail === undefined ? '' : ` (${detail})`}`;
}

/** After how many seconds the same line is logged again. */
export const pauseAfter = ({ reason }: Fault): number => (isRemark(reason) ? REPEAT_EXPIRING_S : REPEAT_LINE_S);
