import { type Answer, type Box, jsonLines, type Sent, send, type Target, until } from '../../harness/index.ts';
import { type Dump, readDump } from './dump.ts';
import { HUNG_MS } from './hung.ts';
import { xdsPort } from './istiod.ts';
import { sdsPort } from './sds.ts';

/** Envoy's admin port. */
export const adminPort = 15000;

/** The identity of an Envoy towards istiod. */
export interface Node {
  readonly kind: 'router' | 'sidecar';
  readonly pod: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly ip: string;
  /** Its service account's token, for the audience `istio-ca`. */
  readonly token: string;
}

/** Envoy's first configuration: everything else comes from istiod. */
export function bootstrap(node: Node): string {
  const { kind, ip, pod, namespace } = node;
  const ads = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };
  const authorization = { key: 'authorization', value: `Bearer ${node.token}` };
  return JSON.stringify({
    node: {
      id: `${kind}~${ip}~${pod}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: `${pod}.${namespace}`,
      metadata: {
        NAME: pod,
        NAMESPACE: namespace,
        LABELS: node.labels,
        SERVICE_ACCOUNT: node.serviceAccount,
        CLUSTER_ID: 'Kubernetes',
        INSTANCE_IPS: ip,
        ...(kind === 'sidecar' ? { INTERCEPTION_MODE: 'NONE' } : {}),
      },
    },
    admin: { address: { socket_address: { address: '0.0.0.0', port_value: adminPort } } },
    dynamic_resources: {
      ads_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' }, initial_metadata: [authorization] }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      clusters: [grpcCluster('xds-grpc', 'istiod', xdsPort), grpcCluster('sds-grpc', 'sds', sdsPort)],
    },
  });
}

function grpcCluster(name: string, host: string, port: number) {
  const address = { socket_address: { address: host, port_value: port } };
  return {
    name,
    type: 'STRICT_DNS',
    dns_lookup_family: 'V4_ONLY',
    connect_timeout: '5s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
}

/** The names by which a client knows it. */
export type Trust = Pick<Target, 'name' | 'ca' | 'serverSpiffe'>;

/** A real Envoy whose configuration comes from istiod: the ingress gateway, or a workload's sidecar. */
export class MeshEnvoy {
  /** Its container, with its log. */
  readonly box: Box;
  /** `POD.NAMESPACE` */
  readonly name: string;
  readonly #trust: Trust;

  constructor(box: Box, name: string, trust: Trust) {
    this.box = box;
    this.name = name;
    this.#trust = trust;
  }

  /** The address of a port for a client of this machine with this certificate and key in one PEM. */
  at(port: number, clientPem?: string): Target {
    const client = clientPem === undefined ? {} : { clientPem };
    return { host: this.box.host, port: port, tls: true, ...this.#trust, ...client };
  }

  /** Sends one request on its own connection; the authority is a header. A refused handshake is an error. */
  ask(port: number, clientPem: string | undefined, authority: string, sent: Sent = {}): Promise<Answer> {
    const headers = Array.isArray(sent.headers) ? sent.headers : Object.entries(sent.headers ?? {});
    return send(this.at(port, clientPem), { ...sent, headers: [['Host', authority], ...headers] });
  }

  /** Access log lines after a mark of `box.logs`; Envoy's own log is not JSON. */
  access(mark = 0): Record<string, unknown>[] {
    return jsonLines(this.box.logs.since(mark));
  }

  /** The text of an admin page, e.g. `/listeners`, `/clusters`, `/stats?filter=rbac`. */
  async admin(path: string): Promise<string> {
    const target: Target = { host: this.box.host, port: adminPort, tls: false, name: 'admin' };
    return (await send(target, { path })).text;
  }

  /** The namespace of its pod, with its secrets. */
  get namespace(): string {
    return this.name.slice(this.name.indexOf('.') + 1);
  }

  /** Names of the Kubernetes secrets that it has requested from istiod and not received yet. */
  async awaitedSecrets(): Promise<readonly string[]> {
    const text = await this.admin('/init_dump');
    return [...text.matchAll(/SdsApi kubernetes:\/\/([^"\s]+)/g)].map(([, name]) => name as string);
  }

  /** Everything that it enforces now, as Envoy's admin port reports it. */
  async dump(): Promise<Dump> {
    return readDump(await this.admin('/config_dump?include_eds'));
  }

  /** Whether it has a listener of this name, in any state: cheaper than {@link dump}. */
  async hasListener(name: string): Promise<boolean> {
    const text = await this.admin(`/config_dump?resource=dynamic_listeners&name_regex=^${name}$`);
    return text.includes(`"${name}"`);
  }

  /** Waits until its configuration fulfils a condition. */
  async waitFor(what: string, ask: (dump: Dump) => boolean | Promise<boolean>, timeoutMs = HUNG_MS): Promise<void> {
    let last: Dump | undefined;
    await until(
      async () => {
        last = await this.dump().catch(() => undefined);
        return last !== undefined && (await ask(last));
      },
      {
        what: `${this.name}: ${what}`,
        timeoutMs,
        everyMs: 20,
        help: () => `${last?.summary() ?? ''}\n${this.box.logs.tail(20)}`,
      },
    );
  }
}
