import { readFile } from 'node:fs/promises';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { type Box, nodeImage, type Stage, startContainer } from '../../harness/index.ts';

/** Port of the access to the network. */
export const TUNNEL = 8999;

/** The address at which Envoy finds a test's documents; see service.mjs. */
export const DISCOVERY = 8998;

/** The address of a service. */
export interface Served {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Every service of a policy at its endpoint, in one container: it answers with its name, and with the received
 * request. */
export function startServices(stage: Stage, policy: Policy): Promise<Box> {
  return startServed(
    stage,
    Object.values(policy.services).map((service) => ({ name: service.name, ...(service.direct ?? service.endpoint) })),
  );
}

/** Such services, each on its own port. */
export async function startServed(stage: Stage, services: readonly Served[]): Promise<Box> {
  const [first = 'services', ...aliases] = new Set(services.map(({ host }) => host));
  return startContainer(stage, {
    image: nodeImage,
    command: ['node', '/srv/matrix.mjs'],
    alias: first,
    aliases,
    files: { '/srv/matrix.mjs': await readFile(new URL('service.mjs', import.meta.url)) },
    env: {
      SERVICES: JSON.stringify(Object.fromEntries(services.map(({ name, port }) => [name, port]))),
      TUNNEL: String(TUNNEL),
      DISCOVERY: String(DISCOVERY),
    },
    ready: /services listen/,
  });
}
