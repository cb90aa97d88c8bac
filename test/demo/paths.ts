import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
/** All that the demo makes: certificates and what is mounted into its containers. */
export const state = join(root, '.demo');
/** Shell variables for what the demo has. */
export const envFile = join(root, '.demo.env');
export const policyFile = join(root, 'test/demo/meshgate.yaml');

/** Ports on this machine; the same inside the containers, so that one URL is right on both sides. */
export const ports = { gateway: 8443, provider: 9443, ingress: 10443 } as const;

/** What the demo is asked under. */
export const urls = {
  gateway: `https://wiki.localhost:${ports.gateway}`,
  dashboard: `https://dashboard.localhost:${ports.gateway}`,
  provider: `https://provider.localhost:${ports.provider}`,
  ingress: `https://ingress.localhost:${ports.ingress}`,
} as const;
