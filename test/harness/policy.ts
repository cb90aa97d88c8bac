import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import { identitiesOf, meshesOf } from '../../src/policy/checked/ingresses.ts';
import type { ClientAuth } from '../../src/policy/checked/types.ts';
import { formatError, type Policy, parsePolicy } from '../../src/policy/index.ts';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { profiles } from './profiles.ts';
import type { Stage } from './stage.ts';

/** Path in a folder or container → text. */
export type Files = Readonly<Record<string, string>>;

/** The authorities that sign the files of the policy. */
export type Authorities = Pick<Stage, 'ca' | 'meshCa'>;

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** The options of a rendering on this machine for the image, on a Docker network. */
const forImage: Readonly<Record<string, readonly string[]>> = {
  'ext-authz': ['--dir', '/run/meshgate/conf', '--access-log', '/dev/stdout', '--resolver', '127.0.0.11'],
  nginx: ['--dir', '/run/meshgate/conf', '--access-log', '/dev/stdout', '--resolver', '127.0.0.11'],
};

/** The text of a policy file; with an overlay, the policy of a stage. */
export type PolicySource = string | { readonly text: string; readonly overlay: string };

/** The files of a policy, the policy first. */
export function policyFiles(source: PolicySource): readonly (readonly [name: string, text: string])[] {
  if (typeof source === 'string') return [['meshgate.yaml', source]];
  return [
    ['meshgate.yaml', source.text],
    ['overlay.yaml', source.overlay],
  ];
}

/** Reads a policy; its mistakes are an error, one a line. */
export function readPolicy(source: PolicySource): Policy {
  const [first, ...overlays] = policyFiles(source).map(([name, text]) => ({ name, text }));
  const { policy, errors } = parsePolicy(first!.text, first!.name, { overlays, profiles });
  if (policy === undefined) throw new Error(errors.map(formatError).join('\n'));
  return policy;
}

/**
 * The output of `meshgate render` for a target, by its path below the output folder.
 *
 * @param ingress of several, this one's alone
 * @param mesh of several, this one's alone
 */
export async function render(target: string, policy: PolicySource, ingress?: string, mesh?: string): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'meshgate-render-'));
  try {
    const out = join(folder, 'out');
    const files = policyFiles(policy).map(([name, text]) => ({ file: join(folder, name), text }));
    for (const { file, text } of files) await writeFile(file, text);
    const [file, ...overlays] = files.map((it) => it.file);
    const more = [
      ...(forImage[target] ?? []),
      ...(ingress === undefined ? [] : ['--ingress', ingress]),
      ...(mesh === undefined ? [] : ['--mesh-name', mesh]),
      ...overlays.flatMap((overlay) => ['--overlay', overlay]),
    ];
    await run(process.execPath, [cli, 'render', '--target', target, '--out', out, ...more, file!]);
    const entries = await readdir(out, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Object.fromEntries(
      await Promise.all(paths.map(async (path) => [path.slice(out.length + 1), await readFile(path, 'utf8')] as const)),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every file that the gateway's side of a policy names, made by the authorities. */
export async function gatewayFiles(policy: Policy, authorities: Authorities): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const { audit, inner, proof, session, signin, store } = policy.gateway;
  const names = [...policy.hosts.map((host) => host.name), ...(signin?.host ? [signin.host] : [])];
  if (inner) files[inner.clientCaFile] = authorities.meshCa.cert;
  for (const { clientCaFile } of policy.hosts) if (clientCaFile) files[clientCaFile] = authorities.meshCa.cert;
  const listeners = [policy.gateway.tls, inner?.tls, signin?.tls, ...policy.hosts.map((host) => host.tls)];
  for (const tls of listeners)
    if (tls !== undefined) put(files, tls.certFile, tls.keyFile, await authorities.ca.server(names));
  const { assertion } = policy.gateway;
  if (assertion) files[assertion.keysFile] = await newSigningKeys(Date.now() / 1000);
  if (session) files[session.keysFile] = newRing(Date.now() / 1000);
  if (audit?.pseudonyms) files[audit.pseudonyms.keyFile] = newRing(Date.now() / 1000);
  for (const { caFile } of audit?.witnesses ?? []) if (caFile) files[caFile] = authorities.ca.cert;
  if (proof?.keysFile) files[proof.keysFile] = newRing(Date.now() / 1000);
  if (store?.caFile) files[store.caFile] = authorities.ca.cert;
  if (store?.certFile && store.keyFile)
    put(files, store.certFile, store.keyFile, await authorities.ca.client('spiffe://gateway.test/etcd'));
  for (const { caFile, client } of Object.values(policy.providers)) {
    if (caFile) files[caFile] = authorities.ca.cert;
    await clientFiles(files, client?.auth, authorities);
  }
  for (const service of Object.values(policy.services)) {
    if (service.direct?.caFile) files[service.direct.caFile] = authorities.meshCa.cert;
  }
  for (const { ingresses } of meshesOf(policy))
    for (const { caFile } of Object.values(ingresses)) files[caFile] = authorities.meshCa.cert;
  for (const identity of identitiesOf(policy)) {
    put(files, identity.certFile, identity.keyFile, await authorities.meshCa.client(identity.spiffe));
  }
  return files;
}

/** The data of the gateway that a provider needs. */
async function clientFiles(files: Record<string, string>, auth: ClientAuth | undefined, { ca }: Authorities) {
  if (auth === undefined || auth.kind === 'none') return;
  if (auth.kind === 'private_key_jwt') files[auth.keysFile] = await newSigningKeys(Date.now() / 1000);
  else if (auth.kind === 'tls_client_auth')
    put(files, auth.certFile, auth.keyFile, await ca.client('spiffe://gateway.test/client'));
  else files[auth.secretFile] = 'the client secret of the tests';
}

/**
 * Every file that an ingress's own side of a policy names.
 *
 * @param ca signs its certificate; default the mesh's
 */
export async function ingressFiles(
  policy: Policy,
  { meshCa }: Authorities,
  name = 'default',
  ca = meshCa,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const ingress = policy.mesh?.ingresses[name];
  if (ingress?.own === undefined) throw new Error(`the policy has no own side of the ingress ${name}`);
  put(files, ingress.own.certFile, ingress.own.keyFile, await ca.server(ingress.serverName));
  files[ingress.own.clientCaFile] = meshCa.cert;
  return files;
}

/** One PEM where certificate and key are the same file. */
function put(
  files: Record<string, string>,
  certFile: string,
  keyFile: string,
  made: { cert: string; key: string; pem: string },
) {
  files[keyFile] = made.key;
  files[certFile] = certFile === keyFile ? made.pem : made.cert;
}
