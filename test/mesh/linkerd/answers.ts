import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import { takenIn } from './admission.ts';
import { type Cluster, clusterOf, type Pod, type Requested, type Verdict } from './evaluate.ts';
import { identityOf } from './tls.ts';

/** Answers of Linkerd's real policy controller and of its real proxies, stored as data; the README.md of the folder
 * says how they were obtained. The folder is what MESHGATE_LINKERD_ANSWERS names. */
const folder =
  process.env.MESHGATE_LINKERD_ANSWERS ?? fileURLToPath(new URL('../../../../shared/linkerd', import.meta.url));

/** Why the answers cannot be compared, in one line; undefined if they are there. Throws if they must be there. */
export function lacksAnswers(): string | undefined {
  if (existsSync(folder)) return undefined;
  if (process.env.MESHGATE_VECTORS_REQUIRED === '1') throw new Error(`no answers in ${folder}`);
  return `no folder ${folder} (MESHGATE_LINKERD_ANSWERS): answers of Linkerd's policy controller and proxies`;
}

const textOf = (file: string): string => {
  const bytes = readFileSync(`${folder}/${file}`);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
};

const linesOf = <T>(file: string): readonly T[] =>
  textOf(file)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

/** A request, and what happened to it. */
export interface Answered {
  readonly pod: string;
  readonly port: number;
  readonly source: string;
  readonly client: string;
  readonly host: string | null;
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly real: number | 'closed';
  readonly grpc?: number;
  readonly app: { readonly target: string | null } | null;
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Pod['labels'] };
  readonly spec: {
    readonly containers: readonly {
      readonly ports?: readonly { readonly containerPort: number; readonly name?: string }[];
      readonly [probe: string]: unknown;
    }[];
  };
}

interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string };
}

interface Served {
  readonly created: Readonly<Record<string, string>>;
  /** `namespace/route`, the name of the server, the status and the reason. */
  readonly accepted: readonly (readonly [string, string, string, string])[];
}

/** The pod of a request, with what its containers say about the port. */
function podOf({ metadata, spec }: PodObject, port: number): Pod {
  const ports = spec.containers.flatMap((it) => it.ports ?? []);
  const portNames = ports.flatMap((it) => (it.containerPort === port && it.name !== undefined ? it.name : []));
  const probes = spec.containers.flatMap((it) =>
    ['readinessProbe', 'livenessProbe', 'startupProbe'].flatMap((key) => {
      const { httpGet } = (it[key] ?? {}) as Probe;
      const isHere = httpGet?.port === port || portNames.some((name) => name === httpGet?.port);
      return httpGet !== undefined && isHere ? (httpGet.path ?? '/') : [];
    }),
  );
  const { namespace, labels } = metadata;
  return { namespace, labels, port, portNames, probes };
}

/** A set of objects, and the requests that were sent to its pods. */
export interface AnswerSet {
  readonly cluster: Cluster;
  readonly requests: readonly { readonly requested: Requested; readonly answered: Answered }[];
}

const CLIENTLESS = ['none', 'no TLS'];

/** @param name `wiki`, `precedence`, … */
export function answerSet(name: string): AnswerSet {
  const all = parseAllDocuments(textOf(`objects/${name}.yaml`)).map((it) => it.toJS() as { readonly kind: string });
  const served = JSON.parse(textOf(`served/${name}.json.gz`)) as Served;
  const objects = all
    .filter(({ kind }) => kind !== 'Pod')
    .map((it) => {
      const { kind, metadata } = it as unknown as PodObject & { readonly kind: string };
      return takenIn(it, served.created[`${kind} ${metadata.namespace}/${metadata.name}`]);
    });
  const accepted = new Set(served.accepted.flatMap(([route, , status]) => (status === 'True' ? route : [])));
  const pods = all.filter(({ kind }) => kind === 'Pod') as unknown as readonly PodObject[];
  const file = `verdicts/${name}.jsonl.gz`;
  const lines = existsSync(`${folder}/${file}`) ? linesOf<Answered>(file) : [];
  const requests = lines.map((answered) => {
    const { pod, port, client, host, target, ...rest } = answered;
    const found = pods.find(({ metadata }) => metadata.name === pod);
    if (found === undefined) throw new Error(`no pod ${pod} in ${name}`);
    const identity = CLIENTLESS.includes(client) ? undefined : identityOf([client]);
    const requested: Requested = {
      ...rest,
      pod: podOf(found, port),
      authority: host ?? '',
      path: target,
      tls: client !== 'no TLS',
      ...(identity !== undefined && { client: identity }),
    };
    return { requested, answered };
  });
  return {
    cluster: clusterOf(objects, ({ namespace, name: route }) => accepted.has(`${namespace}/${route}`)),
    requests,
  };
}

/** What a real answer says: `allowed` if anything arrived at the application. */
export function realOf({ app, real, grpc }: Answered): Verdict {
  if (app !== null) return 'allowed';
  if (real === 404 || grpc === 5) return 'refused: no route';
  if (real === 403 || grpc === 7) return 'refused: not authorized';
  return real === 400 ? 'refused: malformed' : 'refused: connection';
}

export interface Admission {
  readonly what: string;
  readonly object: unknown;
  readonly accepted: boolean;
}

export const admissions = (): readonly Admission[] => linesOf('admission.jsonl');

/** A connection, and the answers to a request for each path. */
export interface SvidAnswer {
  readonly trust_anchors: string;
  readonly certificate: {
    readonly sans: readonly string[];
    readonly ca: string;
    readonly intermediate_sent: boolean;
    readonly key: string;
    readonly eku: string | null;
    readonly valid_days?: readonly [number, number];
  } | null;
  readonly sni: string | null;
  readonly no_tls?: true;
  readonly max_tls?: string | null;
  readonly proxy_ssl_protocols?: string;
  readonly proxy_ssl_session_reuse?: 'on' | 'off';
  readonly group?: string;
  readonly identified: string | null;
  readonly answers: Readonly<Record<string, number | 'closed'>>;
}

export const svidAnswers = (): readonly SvidAnswer[] => linesOf('svid.jsonl');
