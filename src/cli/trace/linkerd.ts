import { defined, type Flat, member, numberOf, pathOnly, type Reading, timeOf } from './hop.ts';
import { idsIn } from './ids.ts';

const shared = { format: 'Linkerd', place: 'mesh', precision: 1 } as const;

/** A proxy of Linkerd answers 403 if its policy denies a request. A service can answer so too. */
const DENIED = 'its proxy, or the service behind it, answered 403';

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
      refusal: numberOf(flat, 'status') === 403 ? DENIED : undefined,
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
      refusal: status === '403' ? DENIED : undefined,
    }),
  };
}
