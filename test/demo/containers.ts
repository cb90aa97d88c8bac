import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readiness } from '../../src/health/types.ts';
import { envoyCommand, envoyImage, etcdImage, gatewayImage, nodeImage } from '../harness/images.ts';
import { docker, label, network, volumes, words } from './docker.ts';
import { digestOf, mounts } from './files.ts';
import { instance, issuer, ports, published, urls } from './paths.ts';
import { Trouble } from './trouble.ts';

interface DemoContainer {
  readonly name: string;
  /** A description for people. */
  readonly what: string;
  readonly image: string;
  /** Name in the demo's network. */
  readonly alias: string;
  readonly port?: number;
  /** It listens on the same port inside the container as on this machine. */
  readonly samePort?: true;
  readonly mount?: { readonly folder: string; readonly target: string };
  readonly options?: readonly string[];
  readonly command?: readonly string[];
}

/** The addresses to which people return after a sign-in. */
const callbacks = [urls.gateway, urls.dashboard].map((origin) => `${origin}/.meshgate/callback`).join(' ');

/** In the order in which they start. */
export const containers: readonly DemoContainer[] = [
  {
    name: 'provider',
    what: 'OpenID provider',
    image: nodeImage,
    alias: 'provider.localhost',
    port: ports.provider,
    samePort: true,
    mount: mounts.provider,
    options: [
      ...['-e', `ISSUER=${issuer}`, '-e', `PORT=${published(ports.provider)}`],
      ...['-e', 'PEOPLE_PAGE=1', '-e', `CALLBACKS=${callbacks}`],
    ],
    command: ['node', '/srv/provider.mjs'],
  },
  {
    name: 'wiki',
    what: 'wiki',
    image: nodeImage,
    alias: 'wiki.internal',
    mount: mounts.wiki,
    options: [
      '-e',
      'ACCESS_LOG=json',
      '-e',
      'DASHBOARD_URL=https://dashboard.localhost:8444',
      '-e',
      'GATEWAY=gateway.internal',
    ],
    command: ['node', '/srv/wiki.mjs'],
  },
  {
    name: 'dashboard',
    what: 'dashboard',
    image: nodeImage,
    alias: 'dashboard.internal',
    command: ['node', '/srv/dashboard.mjs'],
  },
  {
    name: 'ingress',
    what: 'mesh ingress (Envoy)',
    image: envoyImage,
    alias: 'ingress.localhost',
    port: ports.ingress,
    mount: mounts.ingress,
    command: [...envoyCommand, '--log-level', 'warning'],
  },
  {
    name: 'gateway',
    what: 'gateway (nginx)',
    image: gatewayImage,
    alias: 'gateway.internal',
    port: ports.gateway,
    mount: mounts.gateway,
    options: [
      ...['--tmpfs', '/run/meshgate:uid=10101,gid=10101,mode=0750'],
      // Revocations stay in force over a restart, and the log goes on.
      ...['--mount', `type=volume,source=${volumes.state},target=/var/lib/meshgate`],
      ...['--mount', `type=volume,source=${volumes.log},target=/var/log/meshgate`],
    ],
  },
  {
    name: 'prometheus',
    what: 'Prometheus',
    image: etcdImage,
    alias: 'prometheus.internal',
    port: ports.prometheus,
    mount: mounts.prometheus,
    options: ['--tmpfs', '/data:uid=10107,gid=10107,mode=0750'],
    command: ['prometheus', '--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/data'],
  },
];

/** A machine of someone else, which keeps its own key and the newest checkpoint of the log. It needs the first key of the
 * log, so it starts after the gateway. */
const witnessFolder = '/var/lib/witness';
const witnessVolume = ['--mount', `type=volume,source=${volumes.witness},target=${witnessFolder}`];
const runWitness = ['node', `${mounts.witness.target}/meshgate.mjs`, 'audit', 'witness', '--folder', witnessFolder];
export const witness: DemoContainer = {
  name: 'witness',
  what: 'witness',
  image: nodeImage,
  alias: 'witness.internal',
  port: ports.witness,
  mount: mounts.witness,
  options: witnessVolume,
  command: [...runWitness, '--listen', `0.0.0.0:${ports.witness}`, '--log', `${mounts.witness.target}/log.vkey`],
};

/** Lets the witness make its key, and returns the public part. */
export const witnessKey = (): Promise<string> =>
  docker(
    ...['run', '--rm', '--network', 'none', ...hardened, ...mounted(mounts.witness), ...witnessVolume, nodeImage],
    ...[...runWitness, '--name', 'witness.internal/demo'],
  );

/** Starts a container, or keeps the running one if it was started in the same way. */
export async function start(container: DemoContainer): Promise<string> {
  const name = `${instance}-${container.name}`;
  const args = [...argumentsOf(container), container.image, ...(container.command ?? [])];
  const image = await docker('image', 'inspect', '--format', '{{.Id}}', container.image);
  const digest = await digestOf([image, ...args, ...(await contentOf(container.mount?.folder))]);
  const format = `{{.State.Running}} {{index .Config.Labels "${label}"}}`;
  const existing = await docker('ps', '-aq', '--filter', `name=^${name}$`);
  if (existing !== '') {
    if ((await docker('inspect', '--format', format, name)) === `true ${digest}`) return 'runs already';
    await docker('rm', '-f', '-v', name);
  }
  if (container.port !== undefined) await refuseTaken(published(container.port), container.what);
  await docker('run', '-d', '--name', name, '--label', `${label}=${digest}`, ...args);
  return existing === '' ? 'started' : 'replaced';
}

/** No root, no capabilities, only the named folders are writable. */
const hardened = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];

const mounted = ({ folder, target }: NonNullable<DemoContainer['mount']>) => [
  ...['--mount', `type=bind,source=${folder},target=${target},readonly`],
];

/** Ports are published on the loopback address only. */
function argumentsOf({ alias, port, samePort, mount, options = [] }: DemoContainer): string[] {
  return [
    ...['--network', network, '--network-alias', alias],
    ...hardened,
    ...(port === undefined ? [] : ['-p', `127.0.0.1:${published(port)}:${samePort ? published(port) : port}`]),
    ...(mount === undefined ? [] : mounted(mount)),
    ...options,
  ];
}

async function contentOf(folder: string | undefined): Promise<string[]> {
  if (folder === undefined) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.sort().map(async (path) => `${path}\0${await readFile(path, 'utf8')}`));
}

async function refuseTaken(port: number, what: string): Promise<void> {
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
  if (free) return;
  const [by] = words(await docker('ps', '--filter', `publish=${port}`, '--format', '{{.Names}}'));
  const holder = by === undefined ? `another program (ss -ltnp 'sport = :${port}' names it)` : `the container ${by}`;
  throw new Trouble(`port ${port}, which the ${what} needs, is taken by ${holder}; stop it and run make up again`);
}

/** The parts of the gateway that are not healthy, by its own report; undefined once it is ready. */
export async function unready(): Promise<string | undefined> {
  const reported = await docker('exec', `${instance}-gateway`, 'sh', '-c', 'meshgate-health || true');
  if (reported === '') return 'it does not answer';
  const { ready, providers, identities } = JSON.parse(reported) as Readiness;
  const failed = Object.entries({ ...providers, ...identities }).filter(([, { state }]) => state === 'failed');
  return ready ? undefined : failed.map(([name, { reason }]) => `${name}: ${reason}`).join(', ') || reported;
}

/** Throws if a container of the demo has stopped, with the last lines of its log. */
export async function refuseStopped(): Promise<void> {
  const names = words(
    await docker('ps', '-a', '--filter', `label=${label}`, '--filter', 'status=exited', '--format', '{{.Names}}'),
  );
  const [name] = names;
  if (name === undefined) return;
  const log = await docker('logs', '--tail', '1', name).catch(() => '');
  throw new Trouble(`${name} has stopped${log === '' ? '' : `: ${log}`}; all of its words: docker logs ${name}`);
}
