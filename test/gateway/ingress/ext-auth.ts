/** Real nginx over what ingress controllers render for external authentication, with what `meshgate render` writes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Rendered, setsFolder } from './controllers.ts';

const run = promisify(execFile);
const WIKI = 'wiki.example.com';

export type Snippets = Readonly<Record<string, string>>;

export interface ExtAuthForm {
  readonly set: string;
  readonly target: 'nic' | 'ngf';
  readonly form: string;
}

/** The sets of the controllers for external authentication, and the form of `render` for each. */
export const ASKING: readonly ExtAuthForm[] = [
  { set: 'nic-externalauth', target: 'nic', form: 'external-auth' },
  { set: 'nic-externalauth-signin', target: 'nic', form: 'external-auth' },
  { set: 'nic-externalauth-ingress', target: 'nic', form: 'external-auth-ingress' },
  { set: 'ngf-externalauth', target: 'ngf', form: 'external-auth' },
];

const object = ({ files }: Rendered, kind: string) => files['hosts.yaml']!.find((it) => it.kind === kind);

/** The rendered snippets, by the marker of the set. */
export function snippetsOf(rendered: Rendered): Snippets {
  const auth = object(rendered, 'Policy')?.spec.externalAuth.authSnippets;
  const { spec } = object(rendered, 'VirtualServer') ?? {};
  const annotations = object(rendered, 'Ingress')?.metadata.annotations;
  if (spec !== undefined)
    return { AUTH: auth, SERVER: spec['server-snippets'], LOCATION: spec.routes[0]['location-snippets'] };
  if (annotations === undefined) return {};
  const of = (name: string) => annotations[`nginx.org/${name}-snippets`];
  return { AUTH: auth, SERVER: of('server'), LOCATION: of('location') };
}

/** The fields of the rendered objects that the controller renders into its configuration, and that the set has with
 * other values: the path of the check, and the lists of headers. Each becomes the lines that the controller has for it. */
export function withFields(rendered: Rendered, text: string): string {
  const { authURI } = object(rendered, 'Policy')?.spec.externalAuth ?? {};
  if (authURI !== undefined) return text.replace(/(proxy_pass http:\/\/\S+_meshgate)\/check;/g, `$1${authURI};`);
  const { rules } = object(rendered, 'HTTPRoute').spec;
  const { http } = rules.at(-1).filters[0].externalAuth;
  const name = (header: string) => header.toLowerCase().replaceAll('-', '_');
  const sent = http.allowedHeaders.map((it: string) => `proxy_set_header ${it} "$http_${name(it)}";`).join('\n');
  const received = http.allowedResponseHeaders
    .map((it: string) => {
      const at = `$ext_auth_response_${name(it)}`;
      return `auth_request_set ${at} $upstream_http_${name(it)};\nproxy_set_header ${it} ${at};`;
    })
    .join('\n');
  const own = rules[0].matches
    .map(({ path: { value } }: { path: { value: string } }) => {
      const inner = `proxy_set_header Host "$gw_api_compliant_host"; proxy_set_header X-Forwarded-For "$proxy_add_x_forwarded_for"; proxy_pass http://wiki_meshgate_9000;`;
      return `location ${value}/ { ${inner} } location = ${value} { ${inner} }`;
    })
    .join('\n');
  return text
    .replace(/proxy_pass http:\/\/wiki_meshgate_9000\/check;/g, `proxy_pass http://wiki_meshgate_9000${http.path};`)
    .replace(/proxy_set_header Cookie "\$http_cookie";/g, () => sent)
    .replace(
      /auth_request_set \$ext_auth_response_x_meshgate_user [^\n]*\n(?:\s*(?:proxy|auth)[^\n]*ext_auth[^\n]*\n)+/g,
      () => `${received}\n`,
    )
    .replace(/(server_name wiki\.example\.com;)/, (all) => `${all}\n${own}`);
}

export interface Query {
  readonly name: string;
  readonly folder: string;
  readonly https: number;
  readonly http: number;
  readonly files: Readonly<Record<string, string>>;
  readonly command: string;
}

/** Fills a set as the controller would with what was rendered. */
export async function fillExtAuth(
  { set }: ExtAuthForm,
  index: number,
  rendered: Rendered,
  given: {
    readonly tlsPem: string;
    readonly snippets: Snippets;
    /** Where the controller asks. */
    readonly auth: { readonly host: string; readonly port: number };
    /** Changes the configuration of the host. */
    readonly change?: (conf: string) => string;
  },
): Promise<Query> {
  const folder = `/s/${index}`;
  const [https, http] = [8443 + 10 * index, 18080 + 10 * index];
  const out = mkdtempSync(join(tmpdir(), 'meshgate-asking-'));
  const pem = `${out}.pem`;
  try {
    writeFileSync(pem, given.tlsPem);
    const values = {
      ...given.snippets,
      ...{ TLS_PEM: `@${pem}`, IPV6: 'off', HTTP_PORT: String(http), HTTPS_PORT: String(https) },
      ...{ STATUS_PORT: String(http + 1), READY_PORT: String(http + 2), OTHER_UPSTREAM: 'other:8080' },
      ...{ UPSTREAM: 'wiki:8080', AUTH_HOST: given.auth.host, AUTH_PORT: String(given.auth.port) },
    };
    // The set for an Ingress has no other tenant, and the one for a path is the same marker.
    const args = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    const { stdout } = await run('python3', [join(setsFolder, 'fill'), set, out, ...args]);
    if (!stdout.startsWith('nginx -c ')) throw new Error(stdout);
    const names = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = Object.fromEntries(
      names.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        // The image has no stream module, and no snippet is about streams.
        const text = readFileSync(path, 'utf8')
          .replaceAll(out, folder)
          .replace(/^stream \{[\s\S]*$/m, '')
          .replace(/^worker_processes +auto;/m, 'worker_processes 1;');
        const isHost = text.includes(`server_name ${WIKI};`);
        const filled = isHost ? withFields(rendered, text) : text;
        return [`${folder}/${path.slice(out.length + 1)}`, isHost ? (given.change?.(filled) ?? filled) : filled];
      }),
    );
    const flags = set.startsWith('nic-') ? '' : " -g 'daemon off;'";
    return { ...{ name: set, folder, https, http, files }, command: `nginx -c ${folder}/nginx.conf${flags}` };
  } finally {
    rmSync(out, { recursive: true });
    rmSync(pem, { force: true });
  }
}
