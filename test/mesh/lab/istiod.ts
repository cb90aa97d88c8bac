import { request } from 'node:http';
import { LOG_PROVIDER } from '../../../src/targets/istio/objects.ts';
import { type Box, type Stage, startContainer, until } from '../../harness/index.ts';
import { HUNG_MS } from './hung.ts';
import { meshImage } from './image.ts';
import type { Kube } from './kube.ts';

export const rootNamespace = 'istio-system';

export interface IstiodOptions {
  /** Default `cluster.local`. */
  readonly trustDomain?: string;
  /** More of Istio's mesh configuration (`meshConfig`), e.g. `extensionProviders`. */
  readonly mesh?: Readonly<Record<string, unknown>>;
  /** More of istiod's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Ports of istiod: its debug pages and the ADS in clear. */
const debugPort = 8080;
export const xdsPort = 15010;

/** A real istiod. */
export class Istiod {
  readonly box: Box;
  readonly trustDomain: string;
  readonly #kube: Kube;
  #token: Promise<string> | undefined;

  constructor(box: Box, kube: Kube, trustDomain: string) {
    this.box = box;
    this.trustDomain = trustDomain;
    this.#kube = kube;
  }

  /** One of its debug pages, parsed: `/debug/configz`, `/debug/syncz`, `/debug/endpointz` … */
  // biome-ignore lint/suspicious/noExplicitAny: each page has a shape of its own
  async debug(path: string): Promise<any> {
    this.#token ??= this.#kube.token(rootNamespace, 'istiod', 'istio-ca');
    const text = await get(this.box, path, await this.#token);
    return JSON.parse(text === '' ? 'null' : text);
  }
}

function get(box: Box, path: string, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request({ host: box.host, port: debugPort, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`istiod: ${path}: ${response.statusCode} ${text.slice(0, 300)}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** The access log: one line of JSON for each request, with its trace, its peer and the reason of the answer. */
const fields = {
  authority: '%REQ(:AUTHORITY)%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  response_code: '%RESPONSE_CODE%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  downstream_transport_failure_reason: '%DOWNSTREAM_TRANSPORT_FAILURE_REASON%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  response_flags: '%RESPONSE_FLAGS%',
  upstream_cluster: '%UPSTREAM_CLUSTER%',
  peer: '%DOWNSTREAM_PEER_URI_SAN%',
  traceparent: '%REQ(TRACEPARENT)%',
};

/** Every Envoy writes it: those without a Telemetry, and those whose Telemetry names this provider. */
const accessLog = {
  accessLogFile: '/dev/stdout',
  accessLogEncoding: 'JSON',
  accessLogFormat: JSON.stringify(fields),
  extensionProviders: [
    { name: LOG_PROVIDER, envoyFileAccessLog: { path: '/dev/stdout', logFormat: { labels: fields } } },
  ],
};

/** Makes istiod's output usable for plain Envoys, which lack the filters of Istio's own build. */
const plainEnvoys = {
  PILOT_ENABLE_ALPN_FILTER: 'false',
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
};

/** Starts istiod on the API server. */
export async function startIstiod(stage: Stage, kube: Kube, options: IstiodOptions = {}): Promise<Istiod> {
  const trustDomain = options.trustDomain ?? 'cluster.local';
  const metadata = { name: 'istio', namespace: rootNamespace };
  const mesh = { trustDomain, enableTracing: false, ...accessLog, ...options.mesh };
  await kube.apply([
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { mesh: JSON.stringify(mesh), meshNetworks: 'networks: {}' },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'istiod', namespace: rootNamespace } },
  ]);
  const box = await startContainer(stage, {
    image: meshImage,
    alias: 'istiod',
    aliases: [`istiod.${rootNamespace}.svc`],
    command: [
      'pilot-discovery',
      'discovery',
      '--kubeconfig',
      '/etc/kube/kubeconfig',
      '--log_output_level',
      // The last one logs which objects a push is for: fence.ts.
      'default:info,krt:warn,push:debug',
    ],
    // The second is the file of the authorities for a `jwksUri`.
    files: { '/etc/kube/kubeconfig': kube.kubeconfig, '/cacerts/extra.pem': stage.ca.cert },
    env: {
      POD_NAME: 'istiod',
      POD_NAMESPACE: rootNamespace,
      XDS_AUTH_PLAINTEXT: 'true',
      ENABLE_LEADER_ELECTION: 'false',
      PILOT_DEBOUNCE_AFTER: '10ms',
      PILOT_TRACE_SAMPLING: '0',
      GOGC: '400',
      ...plainEnvoys,
      ...options.env,
    },
    ready: /starting discovery service|Pilot K8S CRD controller synced/i,
  });
  const istiod = new Istiod(box, kube, trustDomain);
  // State: a debug page answers, so its stores are synced and its ports are open.
  await until(
    () =>
      istiod.debug('/debug/syncz').then(
        () => true,
        () => false,
      ),
    {
      what: 'istiod to answer',
      timeoutMs: HUNG_MS,
      help: () => box.logs.tail(),
    },
  );
  return istiod;
}
