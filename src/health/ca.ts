import { REPEAT_LINE_S } from '../limits.ts';
import { readCertificate } from '../x509/certificate.ts';
import { readPem } from '../x509/pem.ts';
import { type HealthReason, healthReasons, type Part } from './types.ts';

/** What is wrong with the ingress's CA file. */
export type CaFault = Extract<HealthReason, 'ca_unreadable' | 'ca_malformed'>;

/** What is known about the ingress's CA file, as the dict keeps it. A digest represents each bundle. */
export interface CaFound {
  /** The worker that started with {@link loaded}; another worker has loaded the file again. */
  readonly pid: number;
  /** The bundle that nginx loaded; empty if there was none. */
  readonly loaded: string;
  /** Which version of the file was read last; empty if it must be read again. */
  readonly seen: string;
  /** The bundle in the file. */
  readonly holds?: string;
  readonly fault?: CaFault;
  /** The bundle for which a reload was requested. */
  readonly asked?: string;
  readonly said?: { readonly reason: HealthReason; readonly at: number };
}

/** One reading of the file. */
export interface CaLook {
  readonly seen: string;
  readonly holds?: string;
  readonly fault?: CaFault;
}

/** The certificates of a bundle, sorted, so that another order in the file makes no difference.
 *
 * @returns undefined if nginx would not load the bundle, or only a part of it
 */
export function bundleOf(text: string): string | undefined {
  const blocks = readPem(text);
  if (blocks === undefined || blocks.length === 0) return undefined;
  const whole = blocks.every(({ label, bytes }) => label === 'CERTIFICATE' && readCertificate(bytes) !== undefined);
  return whole ? [...new Set(blocks.map(({ bytes }) => String(bytes)))].sort().join(';') : undefined;
}

/** What is known after reading the file. The first reading of a worker finds what nginx has just loaded. */
export function afterLook(before: CaFound | undefined, look: CaLook, pid: number): CaFound {
  if (before?.pid !== pid) return { pid, loaded: look.holds ?? '', ...look };
  const { loaded, asked, said } = before;
  return { pid, loaded, ...look, ...(asked !== undefined && { asked }), ...(said && { said }) };
}

/** Whether nginx uses another bundle than the file has. */
const isChanged = ({ fault, holds, loaded }: CaFound): boolean => fault === undefined && holds !== loaded;

/** Whether to request a reload: once for each bundle. */
export function wantsReload(found: CaFound): boolean {
  return isChanged(found) && found.asked !== found.holds;
}

function reasonOf(found: CaFound): HealthReason | undefined {
  return found.fault ?? (isChanged(found) ? 'ca_changed' : undefined);
}

/** The state of the CA file. It never fails the gateway, because nginx verifies with the bundle that it has loaded. */
export function caPart(found: CaFound | undefined): Part {
  const reason = found && reasonOf(found);
  return reason === undefined ? { state: 'ok' } : { state: 'warning', reason, help: healthReasons[reason] };
}

/** What to log about it: at once, then once a minute. */
export function toSayOfCa(found: CaFound, now: number): HealthReason | undefined {
  const reason = reasonOf(found);
  const { said } = found;
  return said !== undefined && said.reason === reason && now - said.at < REPEAT_LINE_S && now >= said.at
    ? undefined
    : reason;
}
