import { REPEAT_LINE_S } from '../limits.ts';
import { readCertificate } from '../x509/certificate.ts';
import { readPem } from '../x509/pem.ts';
import { type HealthReason, healthReasons, type Part } from './types.ts';

/** What is wrong with the ingress's CA file. */
export type CaFault = Extract<HealthReason, 'ca_unreadable' | 'ca_malformed'>;

/** What is known of the ingress's CA file, as the dict keeps it. Bundles stand for themselves by a digest. */
export interface CaFound {
  /** The worker that began with {@link loaded}; another one has loaded the file anew. */
  readonly pid: number;
  /** The bundle that nginx loaded; empty if there was none. */
  readonly loaded: string;
  /** Which file was read last; empty where it has to be read again. */
  readonly seen: string;
  /** The bundle that it holds. */
  readonly holds?: string;
  readonly fault?: CaFault;
  /** The bundle that a reload was asked for. */
  readonly asked?: string;
  readonly said?: { readonly reason: HealthReason; readonly at: number };
}

/** One look at the file. */
export interface CaLook {
  readonly seen: string;
  readonly holds?: string;
  readonly fault?: CaFault;
}

/**
 * The certificates of a bundle, in an order of their own: written anew in another one it is the same.
 *
 * @returns undefined for what nginx would not load, or would load in part
 */
export function bundleOf(text: string): string | undefined {
  const blocks = readPem(text);
  if (blocks === undefined || blocks.length === 0) return undefined;
  const whole = blocks.every(({ label, bytes }) => label === 'CERTIFICATE' && readCertificate(bytes) !== undefined);
  return whole ? [...new Set(blocks.map(({ bytes }) => String(bytes)))].sort().join(';') : undefined;
}

/** What is known after a look. The first look of a worker finds what nginx has just loaded. */
export function afterLook(before: CaFound | undefined, look: CaLook, pid: number): CaFound {
  if (before?.pid !== pid) return { pid, loaded: look.holds ?? '', ...look };
  const { loaded, asked, said } = before;
  return { pid, loaded, ...look, ...(asked !== undefined && { asked }), ...(said && { said }) };
}

/** Whether nginx uses another bundle than the file has. */
const isChanged = ({ fault, holds, loaded }: CaFound): boolean => fault === undefined && holds !== loaded;

/** Whether a reload is due: once for each bundle. */
export function wantsReload(found: CaFound): boolean {
  return isChanged(found) && found.asked !== found.holds;
}

function reasonOf(found: CaFound): HealthReason | undefined {
  return found.fault ?? (isChanged(found) ? 'ca_changed' : undefined);
}

/** How the CA file is; never a failure: nginx verifies by what it has loaded. */
export function caPart(found: CaFound | undefined): Part {
  const reason = found && reasonOf(found);
  return reason === undefined ? { state: 'ok' } : { state: 'warning', reason, help: healthReasons[reason] };
}

/** What the log has to say of it: at once, then once a minute. */
export function toSayOfCa(found: CaFound, now: number): HealthReason | undefined {
  const reason = reasonOf(found);
  const { said } = found;
  return said !== undefined && said.reason === reason && now - said.at < REPEAT_LINE_S && now >= said.at
    ? undefined
    : reason;
}
