import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Policy } from '../../src/policy/index.ts';
import { createCa } from '../harness/pki.ts';
import { gatewayFiles, ingressFiles, render } from '../harness/policy.ts';
import { alertRules, command, state } from './paths.ts';
import { Trouble } from './trouble.ts';

/** Folders of the state that are mounted into containers, and where. */
export const mounts = {
  gateway: { folder: join(state, 'gateway'), target: '/etc/meshgate' },
  ingress: { folder: join(state, 'ingress'), target: '/etc/envoy' },
  prometheus: { folder: join(state, 'prometheus'), target: '/etc/prometheus' },
  provider: { folder: join(state, 'provider'), target: '/etc/service' },
  wiki: { folder: join(state, 'wiki'), target: '/etc/wiki' },
  witness: { folder: join(state, 'witness'), target: '/etc/witness' },
} as const;

/** CA of gateway and provider, and CA of the mesh, for clients on this machine. */
export const caFile = join(mounts.gateway.folder, 'ca.pem');
export const meshCaFile = join(mounts.gateway.folder, 'mesh-ca.pem');

const day = 24 * 3600 * 1000;
const marker = join(state, 'certificates.json');

/** Makes all certificates that the policy names, unless the existing ones are still valid. */
export async function makeCertificates(policy: Policy): Promise<string> {
  const identities = Object.values(policy.mesh?.identities ?? {}).map(({ name, spiffe }) => [name, spiffe]);
  const { tls, inner, assertion, session } = policy.gateway;
  const clients = Object.values(policy.providers).map(({ client }) => client);
  const wiki = policy.services.wiki?.spiffe;
  const hosts = policy.hosts.map((host) => host.name);
  const names = JSON.stringify([
    hosts,
    identities,
    policy.mesh?.ingress,
    tls,
    inner,
    assertion,
    session,
    clients,
    wiki,
  ]);
  const made = existsSync(marker) ? JSON.parse(await readFile(marker, 'utf8')) : undefined;
  if (made?.names === names && made.until > Date.now() + day) return 'kept';
  await rm(state, { recursive: true, force: true });
  const authorities = { ca: await createCa('meshgate demo CA'), meshCa: await createCa('meshgate demo mesh CA') };
  const provider = await authorities.ca.server('provider.localhost');
  await place({
    ...(await gatewayFiles(policy, authorities)),
    ...(await ingressFiles(policy, authorities)),
    [`${mounts.provider.target}/tls.pem`]: provider.pem,
    ...(wiki && { [`${mounts.wiki.target}/svid.pem`]: (await authorities.meshCa.client(wiki)).pem }),
    [`${mounts.wiki.target}/ca.pem`]: authorities.ca.cert,
  });
  await writeFile(marker, JSON.stringify({ names, until: Date.now() + 29 * day }));
  return 'made';
}

const prometheusConfig = `global: { scrape_interval: 2s, evaluation_interval: 2s }
rule_files: [alerts.yaml]
scrape_configs:
  - job_name: meshgate
    metrics_path: /.meshgate/metrics
    static_configs: [{ targets: ["gateway.internal:8081"] }]
`;

/** Puts the policy, the rendered Envoy configuration and the alert rules into the mounted folders. */
export async function placeConfiguration(policyText: string): Promise<void> {
  const rendered = await render('envoy', policyText).catch((error: { stderr?: string }) => {
    throw new Trouble(`the policy does not render for Envoy: ${error.stderr?.trim() ?? String(error)}`);
  });
  await place({
    [`${mounts.gateway.target}/meshgate.yaml`]: policyText,
    [`${mounts.prometheus.target}/prometheus.yml`]: prometheusConfig,
    [`${mounts.prometheus.target}/alerts.yaml`]: await readFile(alertRules, 'utf8'),
    ...Object.fromEntries(Object.entries(rendered).map(([path, text]) => [`${mounts.ingress.target}/${path}`, text])),
  });
}

/** Puts the command into the mounted folder of the witness. */
export const placeCommand = async (): Promise<void> =>
  place({ [`${mounts.witness.target}/meshgate.mjs`]: await readFile(command, 'utf8') });

/** Puts the first key of the log into the mounted folder of the witness, which knows only this key. */
export const placeLogKey = (key: string): Promise<void> => place({ [`${mounts.witness.target}/log.vkey`]: `${key}\n` });

/** The user of the gateway's image. */
const GATEWAY_USER = 10101;

/** Writes files by their path in the containers. Only the owner of the state can reach them on this machine. */
async function place(files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  for (const [path, text] of Object.entries(files)) {
    const mount = Object.values(mounts).find(({ target }) => path.startsWith(`${target}/`));
    if (mount === undefined) throw new Error(`the demo mounts nothing at ${path}`);
    const file = join(mount.folder, path.slice(mount.target.length));
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, text);
    // The container's user reads it, whatever the umask; the folder above denies access to others. The gateway reports
    // secrets that every user can read, and only root can give them to its user.
    const isOwn = mount === mounts.gateway && process.getuid?.() === 0;
    if (isOwn) await chown(file, GATEWAY_USER, GATEWAY_USER);
    await chmod(file, isOwn ? 0o600 : 0o644);
  }
  for (const { folder } of Object.values(mounts)) if (existsSync(folder)) await chmod(folder, 0o755);
}

/** Digest of the content of a mounted folder, so that a container with older content is replaced. */
export async function digestOf(texts: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 16);
}
