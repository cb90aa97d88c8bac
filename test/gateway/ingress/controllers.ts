/**
 * Real nginx over what ingress controllers render, with the snippets and the files of `meshgate render`.
 *
 * The folder that MESHGATE_INGRESS names holds configurations that the controllers' own code rendered, with markers at
 * the places of snippets, and the program `fill` that fills them in. Without the folder these tests are skipped and say
 * so, unless MESHGATE_VECTORS_REQUIRED is 1.
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadAll } from 'js-yaml';
import type { Policy } from '../../../src/policy/index.ts';
import { type Provider, readPolicy, type Stage, type Target } from '../../harness/index.ts';
import { gatewayFiles } from '../../harness/policy.ts';

export const setsFolder =
  process.env.MESHGATE_INGRESS ?? fileURLToPath(new URL('../../../../shared/ingress', import.meta.url));

/** Why the controllers' configurations cannot run, in one line; undefined if they are there. */
export function lacksSets(): string | undefined {
  if (existsSync(join(setsFolder, 'fill'))) return undefined;
  if (process.env.MESHGATE_VECTORS_REQUIRED === '1') throw new Error(`no configurations in ${setsFolder}`);
  return `no folder ${setsFolder} (MESHGATE_INGRESS): what ingress controllers render`;
}

// biome-ignore lint/suspicious/noExplicitAny: objects of several kinds
type Objects = readonly any[];

/** What `meshgate render` wrote, by the name of the file. */
export interface Rendered {
  readonly files: Readonly<Record<string, Objects>>;
  readonly texts: Readonly<Record<string, string>>;
  /** What it said on standard error. */
  readonly reported: string;
}

const run = promisify(execFile);

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

const parsed = (texts: Rendered['texts']): Rendered['files'] =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, loadAll(text) as Objects]));

/** Reads what `meshgate render` wrote into a folder. */
export function readRendered(folder: string): Rendered {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  return { files: parsed(texts), texts, reported: '' };
}

/** Runs `meshgate render`. */
export function renderFor(target: string, policy: string, ...more: readonly string[]): Rendered {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-render-'));
  try {
    writeFileSync(join(folder, 'meshgate.yaml'), policy);
    const args = [
      cli,
      'render',
      '--target',
      target,
      '--out',
      join(folder, 'out'),
      ...more,
      join(folder, 'meshgate.yaml'),
    ];
    const { status, stderr: reported } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(reported);
    return { ...readRendered(join(folder, 'out')), reported };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Volumes {
  readonly volumes: Objects;
  readonly volumeMounts: Objects;
}

/** The files that a kubelet would mount, by their path in the container. */
export function mountedFiles({ files }: Rendered, { volumes, volumeMounts }: Volumes): Record<string, string> {
  const maps = new Map(files['files.yaml']!.map((map) => [map.metadata.name, map.data]));
  const found: Record<string, string> = {};
  for (const { name, mountPath, subPath } of volumeMounts) {
    const { projected } = volumes.find((volume) => volume.name === name);
    for (const { configMap } of projected.sources) {
      for (const { key, path } of configMap.items) {
        if (subPath !== undefined && path !== subPath) continue;
        found[subPath === undefined ? `${mountPath}/${path}` : mountPath] = maps.get(configMap.name)[key];
      }
    }
  }
  return found;
}

/** The snippets of a set, by the name of the marker. */
export type Snippets = Readonly<Record<string, string>>;

/** A set that is filled with what was rendered. */
export interface Filled {
  readonly name: string;
  /** Its folder, in the container. */
  readonly folder: string;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly rendered: Rendered;
  readonly snippets: Snippets;
  readonly policy: Policy;
  /** The files that are mounted, by their path in the container. */
  readonly mounted: Readonly<Record<string, string>>;
  /** All files of the container. */
  readonly files: Readonly<Record<string, string>>;
  /** The command that starts nginx. */
  readonly command: string;
}

export interface SetOptions {
  readonly set: string;
  readonly target: 'nic' | 'ngf';
  readonly form: string;
  readonly policy: string;
  /** Different for each set of a container. */
  readonly index: number;
  /** The snippets of what was rendered. */
  readonly snippets: (rendered: Rendered) => Snippets;
  readonly volumes: (rendered: Rendered) => Volumes;
  /** What was rendered, and the folders that are others in this set; absent: it is rendered. */
  readonly rendered?: { readonly rendered: Rendered; readonly from: Readonly<Record<string, string>> };
  /** Changes the files of the set, after they were filled. */
  readonly change?: (files: Record<string, string>) => void;
  /** The pods of the wiki and of the other tenant. */
  readonly pods: string;
  readonly otherPods: string;
  readonly tlsPem: string;
}

/** The ports of a set. */
export const portsOf = (index: number) => ({ https: 8443 + 10 * index, http: 8080 + 10 * index });

/** Where a set is in its container. */
export const folderOf = (index: number): string => `/s/${index}`;

/** What would be rendered for other folders. */
function moved({ texts, reported }: Rendered, folders: Readonly<Record<string, string>>): Rendered {
  const move = (text: string) =>
    Object.entries(folders).reduce((so, [from, to]) => so.replaceAll(new RegExp(`${from}(?=[/;"\\s])`, 'g'), to), text);
  const all = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, move(text)]));
  return { files: parsed(all), texts: all, reported };
}

/** Fills a set as the controller would with the rendered snippets. */
export async function fillSet(stage: Stage, options: SetOptions): Promise<Filled> {
  const { set, target, form, index } = options;
  const folder = folderOf(index);
  const { https, http } = portsOf(index);
  const rendered = options.rendered
    ? moved(options.rendered.rendered, options.rendered.from)
    : renderFor(target, options.policy, '--form', form, '--dir', `${folder}/meshgate`, '--run-dir', `${folder}/run`);
  const snippets = options.snippets(rendered);
  const out = mkdtempSync(join(tmpdir(), 'meshgate-set-'));
  const pem = join(out, '..', `${out.split('/').at(-1)}.pem`);
  try {
    writeFileSync(pem, options.tlsPem);
    const given = {
      ...snippets,
      ...{ TLS_PEM: `@${pem}`, IPV6: 'off' },
      ...{ HTTP_PORT: String(http), HTTPS_PORT: String(https) },
      ...{ STATUS_PORT: String(http + 1), READY_PORT: String(http + 2) },
      ...{ UPSTREAM: options.pods, OTHER_UPSTREAM: options.otherPods },
    };
    const args = Object.entries(given).map(([name, value]) => `${name}=${value}`);
    const { stdout: printed } = await run('python3', [join(setsFolder, 'fill'), set, out, ...args]);
    // The image has no stream module, and no snippet is about streams.
    const at = (text: string) => text.replaceAll(out, folder).replace(/^stream \{[\s\S]*$/m, '');
    const names = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const own = Object.fromEntries(
      names.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(out.length + 1), at(readFileSync(path, 'utf8'))];
      }),
    );
    const mounted = Object.fromEntries(
      Object.entries(mountedFiles(rendered, options.volumes(rendered))).map(([path, text]) => [
        path.replace(/^\/etc\/nginx\/njs\//, `${folder}/njs/`),
        // The gateway's own servers listen at the port of the controller.
        path.endsWith('/servers.conf') ? text.replaceAll('listen 443 ssl', `listen ${https} ssl`) : text,
      ]),
    );
    const policy = readPolicy(options.policy);
    const flags = set.startsWith('nic-') ? '' : " -g 'daemon off;'";
    if (!printed.startsWith('nginx -c ')) throw new Error(printed);
    for (const [path, text] of Object.entries(mounted)) own[path.slice(folder.length + 1)] = text;
    options.change?.(own);
    return {
      ...{ name: set, folder, httpsPort: https, httpPort: http, rendered, snippets, policy, mounted },
      files: {
        ...Object.fromEntries(Object.entries(own).map(([path, text]) => [`${folder}/${path}`, text])),
        ...(await gatewayFiles(policy, stage)),
      },
      command: `nginx -c ${folder}/nginx.conf${flags}`,
    };
  } finally {
    rmSync(out, { recursive: true });
    rmSync(pem, { force: true });
  }
}

/** The address of a host of a set. */
export const targetOf = (stage: Stage, host: string, { httpsPort }: Filled, name = 'wiki.example.com'): Target => ({
  ...{ host, port: httpsPort, tls: true, name, ca: stage.ca.cert },
});

/** The policy of these tests, for the port of a set. */
export const policyFor = (provider: Pick<Provider, 'issuer'>, port: number, more = ''): string => `version: 1
gateway:
  public_port: ${port}
  resolver: [127.0.0.11]
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  corp:
    issuer: ${provider.issuer}
    audiences: [api://wiki]
    ca_file: /run/provider/ca.pem
    client: { id: gateway, secret_file: /run/secrets/corp }
roles:
  staff: { group: staff }
  editor: { group: confluence-editors }
headers:
  X-Forwarded-User: subject
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff] }
    /rest/*:
      service: wiki
      allow:
        - { role: staff, methods: [GET] }
        - editor
    /files/*: { service: wiki, allow: [{ role: staff, methods: [GET] }] }
    /status: { service: wiki, allow: [anyone] }
    /rest/open/*: { service: wiki, allow: [anyone] }
${more}`;
