import { main } from '../../../src/cli/app.ts';
import type { InDns } from '../../../src/cli/machine/dns.ts';
import type { Ask } from '../../../src/cli/machine/http.ts';
import type { Runtime } from '../../../src/cli/machine/runtime.ts';
import { LIST } from '../../../src/cli/render/written-files.ts';
import { profileFiles } from '../../harness/profiles.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly written: Readonly<Record<string, string>>;
}

export interface Surroundings {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** When a file was last written or renamed, in seconds since the epoch. */
  readonly changed?: Readonly<Record<string, number>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  /** Seconds since the epoch. */
  readonly now?: number;
  /** The effect of sleeping, beside moving the clock. */
  readonly sleep?: (seconds: number) => Promise<void>;
  /** What is appended to a file, for each part of it. */
  readonly follow?: (path: string) => AsyncIterable<AsyncIterable<Uint8Array>>;
  /** Folders without files. */
  readonly folders?: readonly string[];
  /** The changes of files while the command waits: the texts of those that are written, by path. */
  readonly meanwhile?: (written: Record<string, string>) => void;
  /** Reloads the nginx of a pid file, or returns the reason why not. */
  readonly reload?: (pidFile: string) => string | undefined;
  /** The user that owns all files. */
  readonly owner?: number;
  /** The network; absent as on njs. */
  readonly ask?: Ask;
  readonly inDns?: InDns;
  /** What the sealer needs; absent as on njs. */
  readonly sealing?: Runtime['sealing'];
  readonly migration?: Runtime['migration'];
}

const systemError = (code: string) => Object.assign(new Error(code), { code });

/** Runs the command in memory: it uses no file, clock or stream of this machine. `-` is standard input. */
export async function meshgate(args: readonly string[], given: Surroundings = {}): Promise<Ran> {
  const { env = {}, terminal = false, folders = [], ask, inDns, sealing, sleep = async () => {} } = given;
  const home = '/opt/meshgate';
  const own = Object.entries(profileFiles).map(([name, content]) => [`${home}/profiles/${name}`, content] as const);
  const files: Surroundings['files'] & object = { ...Object.fromEntries(own), ...given.files };
  let now = given.now ?? 1_800_000_000;
  let out = '';
  let err = '';
  const written: Record<string, string> = {};
  const text = (content: string | Uint8Array) =>
    typeof content === 'string' ? content : new TextDecoder().decode(content);
  const runtime: Runtime = {
    args,
    env,
    terminal,
    home,
    migration: given.migration ?? (() => import('../../../src/migrate/index.ts')),
    now: () => now,
    ...(ask && { ask }),
    ...(inDns && { inDns }),
    ...(sealing && { sealing }),
    out: (it) => {
      out += it;
    },
    err: (it) => {
      err += it;
    },
    read(path) {
      const content = written[path] ?? files[path];
      if (content === undefined) throw systemError('ENOENT');
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
    load: (path) => runtime.read(path),
    ...(given.follow && { follow: given.follow }),
    async *chunks(path) {
      yield runtime.read(path);
    },
    hold(path) {
      if (path !== '-') runtime.read(path);
      const changed = given.changed?.[path];
      return { chunks: () => runtime.chunks(path), ...(changed !== undefined && { inode: { id: path, changed } }) };
    },
    look(path) {
      const content = written[path] ?? files[path];
      return content === undefined
        ? { code: 'ENOENT' }
        : { mode: 0o100600, links: 1, owner: given.owner ?? 0, text: text(content) };
    },
    list(path) {
      const below = Object.keys(files).filter((name) => name.startsWith(`${path}/`));
      return below.length === 0 ? undefined : below.map((name) => name.slice(path.length + 1)).sort();
    },
    names(path) {
      const below = Object.keys(files).filter((name) => name.startsWith(`${path}/`));
      return [...new Set(below.map((name) => name.slice(path.length + 1).split('/')[0] as string))].sort();
    },
    write(folder, name, content) {
      const path = `${folder}/${name}`;
      if (path.startsWith('/forbidden/')) throw systemError('EACCES');
      // The list is about the other files; written-files.test.ts tests it in real folders.
      if (name !== LIST) written[path] = text(content);
    },
    readBelow(folder, name) {
      const content = written[`${folder}/${name}`] ?? files[`${folder}/${name}`];
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
    remove(folder, name) {
      delete written[`${folder}/${name}`];
    },
    replace(path, content) {
      if (path.startsWith('/forbidden/')) throw systemError('EACCES');
      written[path] = content;
    },
    isFolder: (path) => folders.includes(path),
    isBeside: () => true,
    sleep: async (seconds) => {
      now += seconds;
      given.meanwhile?.(written);
      await sleep(seconds);
    },
    reload: given.reload ?? (() => undefined),
    folder: (path) => (path === '.' ? '/home/ann' : path.startsWith('/') ? path : `/home/ann/${path}`),
  };
  return { code: await main(runtime), out, err, written };
}

/** A policy with most of the settings that the command prints. */
export const POLICY = `version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://login.example.com, audiences: [api://wiki], subject: { prefix: okta- } }
  ci: { issuer: https://ci.example.com, audiences: [wiki], clients: [robot], subject: { prefix: ci- } }
roles:
  reader: { group: readers, provider: okta }
  editor:
    any:
      - { group: editors, provider: okta }
      - all:
          - { claim: dept, is: wiki, provider: okta }
          - none: [{ group: guests, provider: okta }]
  builder: { all: [{ provider: ci }, { scope: build }] }
  admin: { all: [editor, { claim: level, is: 3, provider: okta }] }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress:
    address: ingress.mesh:8443
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/own/tls.crt, key_file: /run/own/tls.key, client_ca_file: /run/own/ca.pem, listen: 9443 }
  identities:
    default: { spiffe: spiffe://example.org/gateway, pem_file: /run/mesh/default.pem }
    wiki-editor: { spiffe: spiffe://example.org/wiki-editor, pem_file: /run/mesh/editor.pem }
services:
  wiki: { authority: wiki.mesh, endpoint: wiki:8080 }
hosts:
  wiki.example.com:
    providers: [okta, ci]
    /*:
      service: wiki
      allow:
        - { role: reader, methods: [GET] }
        - { role: editor, as: wiki-editor }
        - { role: builder, methods: [POST], as: wiki-editor }
    /admin/*: { service: wiki, allow: [{ role: admin, as: wiki-editor }] }
    /status: { service: wiki, allow: [anyone] }
`;

/** An unsigned token: its signature is arbitrary bytes. */
export function token(
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [
    part({ alg: 'RS256', typ: 'at+jwt', ...header }),
    part(claims),
    Buffer.alloc(48, 7).toString('base64url'),
  ].join('.');
}
