import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
export const alertRules = join(root, 'nginx/chart/monitoring/alerts.yaml');
export const command = join(root, 'dist/cli.js');
export const policyFile = join(root, 'test/demo/meshgate.yaml');

/**
 * A second demo beside the first: MESHGATE_DEMO_OFFSET moves its ports on this machine and names it, and
 * MESHGATE_DEMO_DIR is the folder of its state.
 */
const offset = Number(process.env.MESHGATE_DEMO_OFFSET ?? 0);
if (!(Number.isInteger(offset) && offset >= 0 && offset <= 55_000)) {
  console.error(
    `demo: MESHGATE_DEMO_OFFSET is "${process.env.MESHGATE_DEMO_OFFSET}": a number from 0 to 55000 is wanted`,
  );
  process.exit(1);
}
const folder = process.env.MESHGATE_DEMO_DIR ?? root;

/** Names of containers and network begin with it; also the label on everything that the demo starts. */
export const instance = offset === 0 ? 'meshgate-demo' : `meshgate-demo-${offset}`;

/** Everything that the demo makes: certificates, and the folders that are mounted into its containers. */
export const state = join(folder, '.demo');
/** Shell variables with the demo's addresses and tokens. */
export const envFile = join(folder, '.demo.env');

/** Ports inside the containers. */
export const ports = { gateway: 8443, provider: 9443, ingress: 10443, prometheus: 9090, witness: 7878 } as const;

/** The port of this machine that leads to a container's. */
export function published(port: number): number {
  return port + offset;
}

/** The provider's name for itself: browsers go there as well, so it is this machine's port. */
export const issuer = `https://provider.localhost:${published(ports.provider)}`;

/** The policy of a demo with other ports: browsers must find gateway and provider by its URLs. */
export function withPorts(policy: string): string {
  return policy
    .replace(`public_port: ${ports.gateway}`, `public_port: ${published(ports.gateway)}`)
    .replaceAll(`https://provider.localhost:${ports.provider}`, issuer);
}

/** The policy with the key that the demo's witness has made. */
export function withWitness(policy: string, key: string): string {
  return policy.replace(/^( +key: )witness\.internal\/demo\+\S+/m, `$1${key}`);
}

/** The URLs by which this machine sends requests. */
export const urls = {
  gateway: `https://wiki.localhost:${published(ports.gateway)}`,
  dashboard: `https://dashboard.localhost:${published(ports.gateway)}`,
  provider: `https://provider.localhost:${published(ports.provider)}`,
  ingress: `https://ingress.localhost:${published(ports.ingress)}`,
  witness: `http://127.0.0.1:${published(ports.witness)}`,
  prometheus: `http://127.0.0.1:${published(ports.prometheus)}`,
} as const;
