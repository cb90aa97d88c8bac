import { defined, type Flat, member, numberOf, pathOnly, precisionOf, type Reading, timeOf } from './hop.ts';
import { idsIn, requestId, traceId, traceOf } from './ids.ts';

/** What Envoy's response flags mean. */
const FLAGS: Readonly<Record<string, string>> = {
  UAEX: 'an external authorization denied the request',
  UF: 'Envoy could not connect to the service',
  UH: 'no healthy address of the service',
  UO: 'too many requests wait for the service',
  UC: 'the service closed the connection',
  UT: 'the service was too slow',
  UPE: 'the service answered with broken HTTP',
  URX: 'all retries failed',
  NR: 'Envoy has no route for this request',
  NC: 'Envoy does not know the service',
  DC: 'the gateway closed the connection',
  DPE: 'the request is broken HTTP',
  DT: 'the stream was open for too long',
  SI: 'the stream was silent for too long',
  RL: 'a rate limit of the mesh',
  LR: 'Envoy reset the stream',
};

/** Details with which Envoy denies a request by a policy of the mesh. */
const DENIED = /^(?:rbac_access_denied|jwt_authn_access_denied|ext_authz_denied)/;

/** Returns why Envoy itself answered; undefined if the service did. */
function refusalOf(status: number | undefined, details: string | undefined, flags: string | undefined) {
  if (details !== undefined && DENIED.test(details)) return details;
  const known = flags?.split(',').find((flag) => FLAGS[flag] !== undefined);
  if (known !== undefined && known !== 'DC') return `${known}: ${FLAGS[known]}`;
  if (details !== undefined && details !== 'via_upstream' && (status ?? 0) >= 400) return details;
  return undefined;
}

/** Members that only Envoy's lines have. */
const OWN = ['response_flags', 'response_code_details', 'downstream_peer_uri_san', 'upstream_cluster', 'route_name'];

/** Reads a line of Envoy as JSON: the format that meshgate renders, and the defaults of Istio and Consul. */
export function readEnvoyJson(flat: Flat): Reading | undefined {
  if (flat.response_code === undefined || OWN.every((name) => flat[name] === undefined)) return undefined;
  const time = member(flat, 'time', 'start_time');
  const status = numberOf(flat, 'response_code');
  const details = member(flat, 'response_code_details');
  const flags = member(flat, 'response_flags');
  return {
    format: 'Envoy',
    place: 'mesh',
    ids: defined({
      trace: traceId(member(flat, 'traceparent')) ?? traceId(member(flat, 'trace_id')),
      request: requestId(member(flat, 'request_id', 'x_request_id')),
    }),
    precision: precisionOf(time),
    facts: defined({
      details,
      flags,
      cluster: member(flat, 'upstream_cluster'),
      upstream: member(flat, 'upstream_host'),
      failure: member(flat, 'upstream_transport_failure_reason'),
      upstream_time_ms: member(flat, 'upstream_service_time'),
    }) as Record<string, string>,
    ...defined({
      time: timeOf(time),
      duration: numberOf(flat, 'duration'),
      status,
      method: member(flat, 'method'),
      host: member(flat, 'authority'),
      path: pathOnly(member(flat, 'path')),
      peer: member(flat, 'downstream_peer_uri_san', 'peer'),
      rule: member(flat, 'rule'),
      refusal: refusalOf(status, details, flags),
    }),
  };
}

/** The beginning of Envoy's and Istio's text: time, request, status, flags. Istio's has two or three more words. */
const BEGIN = /^\[(\d{4}-\d\d-\d\dT[\d:.]+Z)\] "(\S+) (.*?) (HTTP\/[\d.]+|-)" (\d+) (\S+) /;
const ISTIO = /^(\S+) (\S+) "([^"]*)" /;
const NUMBERS = /^(\d+) (\d+) (\d+) (\S+) /;
/** The ids, behind `X-Forwarded-For` and `User-Agent`. Clients choose these two, also with quotation marks, so the last
 * fields of this form count. */
const FIELDS = /^.*"([^"]*)" "([^"]*)" "([^"]*:\d+|envoy:[^"]*|-)"(?= |$)/;

/** Reads a line of Envoy's default text format, or of Istio's. Fields that were appended may hold a `traceparent`. */
export function readEnvoyText(line: string): Reading | undefined {
  const begin = BEGIN.exec(line);
  if (begin === null) return undefined;
  const [all, time, method, target, , code, flags] = begin;
  let rest = line.slice(all.length);
  const istio = ISTIO.exec(rest);
  rest = istio === null ? rest : rest.slice(istio[0].length);
  const numbers = NUMBERS.exec(rest);
  const fields = FIELDS.exec(rest);
  const [, request, authority, upstream] = fields ?? [];
  const appended = fields === null ? '' : rest.slice(fields[0].length);
  const dash = (text: string | undefined) => (text === undefined || text === '' || text === '-' ? undefined : text);
  const status = Number(code);
  const details = dash(istio?.[1]);
  const cluster = /^ (\S+)/.exec(appended)?.[1];
  return {
    format: 'Envoy',
    place: 'mesh',
    ids: defined({ trace: traceOf(appended), request: requestId(request) }),
    precision: 1,
    facts: defined({
      details,
      flags: dash(flags),
      cluster: dash(cluster),
      upstream: dash(upstream),
      failure: dash(istio?.[3]),
      upstream_time_ms: dash(numbers?.[4]),
    }) as Record<string, string>,
    ...defined({
      time: timeOf(time),
      duration: numbers === null ? undefined : Number(numbers[3]),
      status,
      method: dash(method),
      host: dash(authority),
      path: pathOnly(dash(target)),
      refusal: refusalOf(status, details, dash(flags)),
    }),
  };
}

const shared = { format: 'Linkerd', place: 'mesh', precision: 1 } as const;

/** A proxy of Linkerd answers 403 if its policy denies a request. A service can answer so too. */
const LINKERD_DENIED = 'its proxy, or the service behind it, answered 403';

const millis = (nanoseconds: number | undefined) => (nanoseconds === undefined ? undefined : nanoseconds / 1e6);

/** Reads a line of Linkerd's proxy as JSON (`config.linkerd.io/access-log: json`). Its `trace_id` is the value of the
 * first header of `x-b3-traceid`, `x-request-id` and `x-amzn-trace-id` that the request has. */
export function readLinkerdJson(flat: Flat): Reading | undefined {
  if (flat['client.addr'] === undefined || flat.total_ns === undefined) return undefined;
  const uri = member(flat, 'uri');
  return {
    ...shared,
    ids: idsIn(member(flat, 'trace_id') ?? ''),
    facts: defined({ client: member(flat, 'client.addr'), upstream_ns: member(flat, 'processing_ns') }) as never,
    ...defined({
      time: timeOf(member(flat, 'timestamp')),
      duration: millis(numberOf(flat, 'total_ns')),
      status: numberOf(flat, 'status'),
      method: member(flat, 'method'),
      host: member(flat, 'host'),
      path: pathOnly(uri),
      peer: member(flat, 'client.id'),
      refusal: numberOf(flat, 'status') === 403 ? LINKERD_DENIED : undefined,
    }),
  };
}

const APACHE = /^(\S+:\d+) (\S+) - \[(\d{4}-\d\d-\d\dT[\d:.]+Z)\] "(\S+) (\S+) (\S+)" (\d{3}) (\S+)/;

/** Reads a line of Linkerd's proxy in its format `apache`, which has no id. */
export function readLinkerdText(line: string): Reading | undefined {
  const found = APACHE.exec(line);
  if (found === null) return undefined;
  const [all, client = '', peer, time, method = '', uri, , status] = found;
  return {
    ...shared,
    ids: idsIn(line.slice(all.length)),
    facts: { client },
    status: Number(status),
    method,
    ...defined({
      time: timeOf(time),
      path: pathOnly(uri),
      peer: peer === '-' ? undefined : peer,
      refusal: status === '403' ? LINKERD_DENIED : undefined,
    }),
  };
}
