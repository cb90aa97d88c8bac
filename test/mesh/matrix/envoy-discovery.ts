import { type Box, send, type Target } from '../../harness/index.ts';
import { SERVICES_HOST } from './policies.ts';
import { DISCOVERY } from './services.ts';

// biome-ignore lint/suspicious/noExplicitAny: Envoy's configuration, and what became of it
export type Json = any;

/** One version of envoy.yaml as its own listener, and the clusters that only it has. */
export interface Loaded {
  readonly name: string;
  readonly port: number;
  /** As JSON, as all below. */
  readonly listener: string;
  readonly clusters: readonly string[];
}

/** A listener that shows that Envoy has read a document of listeners: Envoy opens it beside the versions. */
const FIRST_WITNESS_PORT = 10_000;
const WITNESS_PORTS = 9000;

const TCP = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';

function witness(version: number): string {
  const port_value = FIRST_WITNESS_PORT + (version % WITNESS_PORTS);
  const typed_config = { '@type': TCP, stat_prefix: 'read', cluster: 'discovery' };
  return JSON.stringify({
    name: `read@${version}`,
    address: { socket_address: { address: '127.0.0.1', port_value } },
    filter_chains: [{ filters: [{ name: 'tcp', typed_config }] }],
  });
}

/** Discovery by REST, from the container of the services: it answers when there is a new document. */
function discovered(): Json {
  const api_config_source = {
    ...{ api_type: 'REST', transport_api_version: 'V3', cluster_names: ['discovery'] },
    ...{ refresh_delay: '0.001s', request_timeout: '600s' },
  };
  return { resource_api_version: 'V3', api_config_source };
}

export const ADMIN = 9901;

/** Configuration of an Envoy that receives everything else by discovery. */
export function discovering(node: string): string {
  const at = (address: string, port_value: number) => ({ socket_address: { address, port_value } });
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(SERVICES_HOST, DISCOVERY) } }] }];
  const load_assignment = { cluster_name: 'discovery', endpoints };
  return JSON.stringify({
    node: { id: node, cluster: 'trials' },
    admin: { address: at('0.0.0.0', ADMIN) },
    dynamic_resources: { lds_config: discovered(), cds_config: discovered() },
    static_resources: { clusters: [{ name: 'discovery', type: 'STRICT_DNS', load_assignment }] },
  });
}

function document(version: number, kind: string, resources: readonly string[]): string {
  const type = `{"@type":"type.googleapis.com/envoy.config.${kind}"`;
  const typed = resources.map((it) => (it === '{}' ? `${type}}` : `${type},${it.slice(1)}`));
  return `{"version_info":"${version}","resources":[${typed.join(',')}]}`;
}

/** One kind of resource that an Envoy receives. */
export class Discovered {
  readonly #envoy: Box;
  readonly #target: Target;
  readonly #kind: 'clusters' | 'listeners';
  readonly #path: string;
  readonly #resources: (versions: readonly Loaded[]) => readonly string[];
  #version = 0;
  #isPut = false;

  constructor(
    envoy: Box,
    services: Box,
    kind: 'clusters' | 'listeners',
    resources: (versions: readonly Loaded[]) => readonly string[],
  ) {
    this.#envoy = envoy;
    this.#target = { host: services.host, port: DISCOVERY, tls: false, name: kind };
    this.#kind = kind;
    this.#path = `/put/${envoy.alias}/${kind}`;
    this.#resources = resources;
  }

  /**
   * Makes Envoy load exactly these versions.
   *
   * @param rejected gets the names of those that it does not take
   */
  async take(versions: readonly Loaded[], rejected: Set<string>): Promise<void> {
    if (versions.length === 0 && this.#isPut) return;
    const open = versions.filter(({ name }) => !rejected.has(name));
    const taken = await this.#some([], open, rejected);
    if (taken.length === 0) await this.#put([]);
    this.#isPut = true;
  }

  /** The versions that Envoy accepts beside those that it has: all, or those of each half. */
  async #some(
    before: readonly Loaded[],
    versions: readonly Loaded[],
    rejected: Set<string>,
  ): Promise<readonly Loaded[]> {
    if (versions.length === 0) return before;
    if (await this.#put([...before, ...versions])) return [...before, ...versions];
    const there = await this.#there();
    if (versions.length === 1 || there !== undefined) {
      const taken = versions.filter(({ name }) => there?.has(name));
      for (const it of versions) if (!taken.includes(it)) rejected.add(it.name);
      return [...before, ...taken];
    }
    const half = Math.ceil(versions.length / 2);
    return this.#some(await this.#some(before, versions.slice(0, half), rejected), versions.slice(half), rejected);
  }

  /** Whether Envoy accepted all of it. */
  async #put(versions: readonly Loaded[]): Promise<boolean> {
    this.#version += 1;
    const isOfListeners = this.#kind === 'listeners';
    const resources = [...(isOfListeners ? [witness(this.#version)] : []), ...this.#resources(versions)];
    const kind = isOfListeners ? 'listener.v3.Listener' : 'cluster.v3.Cluster';
    const body = document(this.#version, kind, resources);
    // State: Envoy has requested the next version, and reports its current one.
    const answer = await send(this.#target, { method: 'PUT', path: this.#path, body });
    return answer.json().version === String(this.#version);
  }

  /** Envoy adds the listeners that it can, unless it cannot read the document at all: undefined then. */
  async #there(): Promise<ReadonlySet<string> | undefined> {
    if (this.#kind === 'clusters') return undefined;
    const admin = { host: this.#envoy.host, port: ADMIN, tls: false, name: 'admin' };
    const { text } = await send(admin, { path: '/listeners' });
    const names = new Set(text.split('\n').map((line) => line.replace(/::.*/, '')));
    return names.has(`read@${this.#version}`) ? names : undefined;
  }
}
