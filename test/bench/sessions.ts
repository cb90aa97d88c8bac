import { readPolicy } from '../harness/policy.ts';
import { Sealer } from '../harness/sessions.ts';
import { policy } from './policy.ts';
import type { Ground } from './systems.ts';
import { claimsOf } from './tokens.ts';

/** How many cookies are sealed at once. */
const batch = 512;

/**
 * So many `Cookie` lines, each with a session of its own: of the claims that the benchmark's tokens have.
 *
 * @param host whose they are
 */
export async function cookies({ ring, signer }: Ground, host: string, count: number): Promise<string[]> {
  // The ports do not matter for a session.
  const text = policy({ port: 8443, backend: 1, ingress: 1, dns: 1, issuer: signer.issuer }, 1, undefined, true);
  const sealer = await Sealer.of(readPolicy(text), ring);
  const one = (serial: number) =>
    sealer.cookie(host, sealer.session('bench', claimsOf(String(serial).padStart(8, '0'))));
  const made: string[] = [];
  while (made.length < count) {
    const some = Array.from({ length: Math.min(batch, count - made.length) }, (_, i) => one(made.length + i));
    made.push(...(await Promise.all(some)));
  }
  return made;
}
