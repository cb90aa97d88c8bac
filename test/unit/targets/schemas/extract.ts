/**
 * Takes from the meshes' own definitions what members their objects may have: `node extract.ts CRDS…|GO…` writes the JSON
 * files beside it. Names and kinds of values are all that is taken.
 *
 * Usage: node extract.ts ISTIO_CRDS LINKERD_CRD_FOLDER ENVOY_GO_FOLDER CONSUL_API_FOLDER
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { Members, Schema } from './types.ts';

// biome-ignore lint/suspicious/noExplicitAny: definitions of many forms
type Any = any;

function kubeType(name: string, schema: Any, types: Record<string, Members>): string {
  if (schema.enum) return `enum ${schema.enum.filter((it: unknown) => it !== '').join('|')}`;
  if (schema['x-kubernetes-int-or-string']) return 'int';
  if (schema.type === 'array') return `[]${kubeType(`${name}[]`, schema.items, types)}`;
  if (schema.properties) {
    types[name] = Object.fromEntries(
      Object.entries(schema.properties).map(([key, it]) => [key, kubeType(`${name}.${key}`, it, types)]),
    );
    return name;
  }
  if (typeof schema.additionalProperties === 'object')
    return `map ${kubeType(`${name}{}`, schema.additionalProperties, types)}`;
  return { integer: 'int', number: 'int', boolean: 'bool', string: 'string' }[schema.type as string] ?? 'any';
}

function kube(texts: readonly string[], wanted: Readonly<Record<string, string>>): Schema {
  const types: Record<string, Members> = {};
  const roots: Record<string, string> = {};
  for (const crd of texts.flatMap((text) => loadAll(text) as Any[])) {
    const { kind } = crd?.spec?.names ?? {};
    const version = crd?.spec?.versions?.find((it: Any) => it.name === wanted[`${crd.spec.group}/${kind}`]);
    if (version === undefined) continue;
    const { spec } = version.schema.openAPIV3Schema.properties;
    types[kind] = {
      apiVersion: 'string',
      kind: 'string',
      metadata: 'metadata',
      spec: kubeType(`${kind}.spec`, spec, types),
      status: 'any',
    };
    roots[kind] = kind;
  }
  return { roots, types };
}

/** Structs of a folder of Go files, with what their fields are called on the wire. */
class Go {
  readonly root: string;
  readonly module: string;
  readonly #folders = new Map<string, Map<string, { members: Members; imports: Map<string, string> }>>();

  constructor(root: string, module: string) {
    this.root = root;
    this.module = module;
  }

  /** Members of a type `FOLDER:NAME`, with their own types written so. */
  members(type: string): Members | undefined {
    const [folder = '', name = ''] = type.split(':');
    return this.#read(folder).get(name)?.members;
  }

  #read(folder: string) {
    const known = this.#folders.get(folder);
    if (known) return known;
    const found = new Map<string, { members: Members; imports: Map<string, string> }>();
    this.#folders.set(folder, found);
    let files: readonly string[] = [];
    try {
      files = readdirSync(join(this.root, folder)).filter(
        (it) => it.endsWith('.go') && !/_test|validate|vtproto/.test(it),
      );
    } catch {
      return found;
    }
    const texts = files.map((file) => readFileSync(join(this.root, folder, file), 'utf8'));
    const all = texts.join('\n');
    const wrappers = new Map<string, string[]>();
    for (const [, wrapper = '', one = ''] of all.matchAll(/^func \(\*(\w+)\) (is\w+)\(\) \{\}/gm))
      wrappers.set(one, [...(wrappers.get(one) ?? []), wrapper]);
    const enums = new Set([...all.matchAll(/^type (\w+) (?:int32|string)$/gm)].map(([, it]) => it as string));
    const values = (name: string) =>
      [...all.matchAll(new RegExp(`^var ${name}_name = map\\[int32\\]string\\{([^}]*)\\}|(?:^XX)`, 'gms'))].flatMap(
        ([, body = '']) => [...body.matchAll(/"(\w+)"/g)].map(([, it]) => it),
      );
    for (const text of texts) {
      const imports = new Map(
        [...text.matchAll(/^\t(\w+) "([^"]+)"$/gm)].map(([, alias = '', path = '']) => [alias, path]),
      );
      for (const [, name = '', body = ''] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
        const members: Record<string, string> = {};
        for (const line of body.split('\n')) {
          const field = /^\t(\w+)\s+([^\s`]+)\s*(?:`(.*)`)?/.exec(line);
          if (!field || /^[a-z]/.test(field[1] as string)) continue;
          const [, own = '', type = '', tag = ''] = field;
          const key = /name=(\w+)/.exec(tag)?.[1] ?? (/json:"([^",]+)/.exec(tag)?.[1] || own);
          if (key === '-') continue;
          const oneof = /protobuf_oneof/.test(tag) ? wrappers.get(type) : undefined;
          if (oneof) members[`?${own}`] = oneof.join('|');
          else members[key] = this.#type(type, folder, imports, enums, values);
        }
        found.set(name, { members, imports });
      }
    }
    for (const { members } of found.values()) {
      for (const [key, wrappersOf] of Object.entries(members)) {
        if (!key.startsWith('?')) continue;
        delete (members as Record<string, string>)[key];
        for (const wrapper of wrappersOf.split('|')) Object.assign(members, found.get(wrapper)?.members);
      }
    }
    return found;
  }

  #type(
    text: string,
    folder: string,
    imports: Map<string, string>,
    enums: Set<string>,
    values: (name: string) => readonly (string | undefined)[],
  ): string {
    if (text.startsWith('*')) return this.#type(text.slice(1), folder, imports, enums, values);
    if (text === '[]byte') return 'string';
    if (text.startsWith('[]')) return `[]${this.#type(text.slice(2), folder, imports, enums, values)}`;
    const map = /^map\[string\](.*)$/.exec(text);
    if (map) return `map ${this.#type(map[1] as string, folder, imports, enums, values)}`;
    if (/^(u?int(32|64)?|float(32|64))$/.test(text)) return 'int';
    if (text === 'bool' || text === 'string') return text;
    const [alias = '', name = ''] = text.includes('.') ? text.split('.') : ['', text];
    if (alias === '') {
      if (enums.has(name)) return values(name).length > 0 ? `enum ${values(name).join('|')}` : 'string';
      return /^[A-Z]/.test(name) ? `${folder}:${name}` : 'any';
    }
    if (/^(UInt|Int|Double|Float)/.test(name)) return 'int';
    if (name === 'BoolValue') return 'bool';
    if (name === 'StringValue') return 'string';
    if (name === 'Duration') return 'duration';
    if (name === 'Any' || name === 'Struct' || name === 'Value') return 'any';
    const path = imports.get(alias) ?? '';
    return path.startsWith(this.module) ? `${path.slice(this.module.length + 1)}:${name}` : 'any';
  }
}

/** All types that roots lead to, so many steps deep. */
function reach(go: Go, roots: Readonly<Record<string, string>>, depth: number): Schema {
  const types: Record<string, Members> = {};
  let next = Object.values(roots);
  for (let step = 0; step < depth; step += 1) {
    const found = next.flatMap((type) => {
      const members = types[type] ? undefined : go.members(type);
      if (members === undefined) return [];
      types[type] = members;
      return Object.values(members).map((it) => it.replace(/^(\[\]|map )+/, ''));
    });
    next = found.filter((it) => it.includes(':'));
  }
  return { roots, types };
}

const [istio = '', linkerd = '', envoy = '', consul = ''] = process.argv.slice(2);
const write = (name: string, schema: Schema) =>
  writeFileSync(join(import.meta.dirname, `${name}.json`), `${JSON.stringify(schema, null, 1)}\n`);

write(
  'istio',
  kube([readFileSync(istio, 'utf8')], {
    'security.istio.io/AuthorizationPolicy': 'v1',
    'security.istio.io/RequestAuthentication': 'v1',
    'security.istio.io/PeerAuthentication': 'v1',
    'networking.istio.io/Gateway': 'v1',
    'networking.istio.io/VirtualService': 'v1',
    'telemetry.istio.io/Telemetry': 'v1',
  }),
);
write(
  'linkerd',
  kube(
    readdirSync(linkerd)
      .filter((it) => it.endsWith('.yaml'))
      .map((it) => readFileSync(join(linkerd, it), 'utf8')),
    {
      'policy.linkerd.io/Server': 'v1beta3',
      'policy.linkerd.io/HTTPRoute': 'v1beta3',
      'policy.linkerd.io/AuthorizationPolicy': 'v1alpha1',
      'policy.linkerd.io/MeshTLSAuthentication': 'v1alpha1',
    },
  ),
);
const extensions = (path: string, name: string) => [
  `type.googleapis.com/envoy.extensions.${path.replaceAll('/', '.')}.${name}`,
  `extensions/${path}:${name}`,
];
write(
  'envoy',
  reach(
    new Go(envoy, 'github.com/envoyproxy/go-control-plane/envoy'),
    Object.fromEntries([
      ['Bootstrap', 'config/bootstrap/v3:Bootstrap'],
      extensions('filters/network/http_connection_manager/v3', 'HttpConnectionManager'),
      extensions('filters/http/rbac/v3', 'RBAC'),
      extensions('filters/http/jwt_authn/v3', 'JwtAuthentication'),
      extensions('filters/http/router/v3', 'Router'),
      extensions('transport_sockets/tls/v3', 'DownstreamTlsContext'),
      extensions('rbac/principals/mtls_authenticated/v3', 'Config'),
      extensions('access_loggers/stream/v3', 'StdoutAccessLog'),
      extensions('upstreams/http/v3', 'HttpProtocolOptions'),
    ]),
    7,
  ),
);
write(
  'consul',
  reach(
    new Go(consul, 'github.com/hashicorp/consul/api'),
    {
      'jwt-provider': ':JWTProviderConfigEntry',
      'service-defaults': ':ServiceConfigEntry',
      'service-intentions': ':ServiceIntentionsConfigEntry',
    },
    7,
  ),
);
