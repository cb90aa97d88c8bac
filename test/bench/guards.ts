import type { Counted } from './load.ts';
import type { Nginx } from './nginx.ts';
import { identityPaths } from './policy.ts';
import type { System } from './systems.ts';
import { forged } from './tokens.ts';

/** A number that is not reliable is an error, never a result. */
export class UntrustworthyError extends Error {
  override readonly name = 'UntrustworthyError';
}

/** @param system whose numbers are in doubt */
export function must(holds: boolean, system: string, text: string): void {
  if (!holds) throw new UntrustworthyError(`${system}: ${text}`);
}

/**
 * Checks that a system with a check accepts a valid token and refuses a forged one; systems without a check accept
 * both.
 *
 * @param credential the token, or the cookie that is measured
 */
export async function checkSystem(
  system: System,
  nginx: Nginx,
  path: string,
  token: string,
  credential: string,
): Promise<void> {
  const part = 'part' in system ? system.part : undefined;
  const isGateway = system.runs === 'gateway' && part !== 'proxied' && part !== 'hop';
  const checks = isGateway || system.runs === 'cmodule' || system.runs === 'envoy';
  await nginx.untilOpen(path, token);
  must((await nginx.ask(path, credential)).status === 200, system.key, 'what is measured is refused');
  const refused = (await nginx.ask(path, forged(credential))).status;
  must(refused === (checks ? 401 : 200), system.key, `a forged credential is answered with ${refused}`);
  if (!isGateway && system.runs !== 'envoy') return;
  must((await nginx.ask(path)).status === 401, system.key, 'a request without a token is not refused');
}

/** Checks that requests of different routes use as many identities as they should. */
export async function checkIdentities({ key, ...system }: System, nginx: Nginx, token: string): Promise<void> {
  if (!('identities' in system)) return;
  const serials = new Set<string>();
  for (const path of identityPaths('serial')) serials.add((await nginx.ask(path, token)).text);
  must(serials.size === system.identities, key, `requests travel as ${serials.size} identities`);
}

/** Checks that all three counted the same requests, and that each had the expected answer. */
export function checkCounts(system: string, sent: number, counted: Counted, backend: number, logged: number): void {
  must(counted.broken === 0, system, `${counted.broken} connections broke`);
  must(counted.refused === 0, system, `${counted.refused} answers were not 200`);
  must(counted.requests === sent, system, `wrk counted ${counted.requests} requests of ${sent}`);
  must(backend === sent, system, `the backend counted ${backend} requests of ${sent}`);
  must(logged === sent, system, `the access log has ${logged} lines for ${sent} requests`);
}

/** Checks that only a new token is verified: it costs at least half of what OpenSSL alone takes more than a known
 * one. */
export function checkKnown(medians: Readonly<Record<string, number>>): void {
  const { 'known.cpu_us': known, 'new_rs256.cpu_us': fresh } = medians;
  if (known === undefined || fresh === undefined) return;
  must(
    fresh - known > 8,
    'known',
    `${known} µs is too near to ${fresh} µs of a new token: one of the two is not what it says`,
  );
}
