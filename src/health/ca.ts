import { isRepeated } from '../base/limits.ts';
import { readCertificate } from '../x509/certificate.ts';
import { readPem } from '../x509/pem.ts';
import { type HealthReason, healthReasons, type Part } from './types.ts';

type CaFault = Extract<HealthReason, 'ca_unreadable' | 'ca_malformed'>;

/** The state of the ingress's CA file, as it is stored in the dict. Bundles are stored as digests. */
export interface CaFound {
  /** The process id of the worker that found {@link loaded}. A worker with another id has loaded the file again. */
  readonly pid: number;
  /** The bundle that nginx loaded; empty if there was none. */
  readonly loaded: string;
  /** The version of the file that was read last; empty if the file must be read again. */
  readonly seen: string;
  /** The bundle that is in the file now. */
  readonly holds?: string;
  readonly fault?: CaFault;
  /** The bundle for which a reload was already requested. */
  readonly requested?: string;
  readonly reported?: { readonly reason: HealthReason; readonly at: number };
}

/** The result of reading the file. */
export type CaLook = Pick<CaFound, 'seen' | 'holds' | 'fault'>;

/** Returns the certificates of a bundle, sorted; undefined if nginx would load only a part or nothing. */
export function bundleOf(text: string): string | undefined {
  const blocks = readPem(text);
  if (blocks === undefined || blocks.length === 0) return undefined;
  const entire = blocks.every(({ label, bytes }) => label === 'CERTIFICATE' && readCertificate(bytes) !== undefined);
  return entire ? [...new Set(blocks.map(({ bytes }) => String(bytes)))].sort().join(';') : undefined;
}

/** Returns the state after the file was read. A worker first reads what nginx has just loaded. */
export function afterLook(before: CaFound | undefined, look: CaLook, pid: number): CaFound {
  if (before?.pid !== pid) return { pid, loaded: look.holds ?? '', ...look };
  const { loaded, requested, reported } = before;
  return { pid, loaded, ...look, ...(requested !== undefined && { requested }), ...(reported && { reported }) };
}

/** Whether the file contains another bundle than the one that nginx uses. */
const isChanged = ({ fault, holds, loaded }: CaFound): boolean => fault === undefined && holds !== loaded;

/** Whether to request a reload. It is requested once for each bundle. */
export const wantsReload = (found: CaFound): boolean => isChanged(found) && found.requested !== found.holds;

const reasonOf = (found: CaFound): HealthReason | undefined =>
  found.fault ?? (isChanged(found) ? 'ca_changed' : undefined);

/** Returns the state of the CA file. A problem never makes the gateway unready: nginx verifies with what it loaded. */
export function caPart(found: CaFound | undefined): Part {
  const reason = found && reasonOf(found);
  return reason === undefined ? { state: 'ok' } : { state: 'warning', reason, help: healthReasons[reason] };
}

/** Returns what to log about the CA file: a new problem at once, and the same problem once a minute. */
export function toSayOfCa(found: CaFound, now: number): HealthReason | undefined {
  const reason = reasonOf(found);
  const { reported } = found;
  return reported?.reason === reason && isRepeated(reported?.at, now) ? undefined : reason;
}
