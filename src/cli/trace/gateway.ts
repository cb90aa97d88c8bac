import { defined, type Flat, member, numberOf, pathOnly, precisionOf, type Reading, timeOf } from './hop.ts';
import { requestId, traceId } from './ids.ts';

/** The fields that every hop has. All others say who made the request, and how it was decided (docs/log.md). */
const SHARED = new Set([
  ...['time', 'request_id', 'trace_id', 'span_id', 'server.address', 'http.request.method', 'url.path'],
  ...['http.response.status_code', 'duration', 'bytes'],
]);

/** Reads a line of the gateway's own log. Its time is when the response was complete, in whole seconds. */
export function readGateway(flat: Flat): Reading | undefined {
  if (flat['meshgate.policy'] === undefined || flat['http.route'] === undefined) return undefined;
  const time = member(flat, 'time');
  const [end, duration] = [timeOf(time), (numberOf(flat, 'duration') ?? 0) * 1000];
  const path = pathOnly(member(flat, 'url.path'));
  return {
    format: 'meshgate',
    place: 'gateway',
    ids: defined({ trace: traceId(member(flat, 'trace_id')), request: requestId(member(flat, 'request_id')) }),
    precision: precisionOf(time),
    duration,
    facts: defined(
      Object.fromEntries(Object.keys(flat).flatMap((name) => (SHARED.has(name) ? [] : [[name, member(flat, name)]]))),
    ) as Record<string, string>,
    ...defined({
      time: end === undefined ? undefined : end - duration,
      status: numberOf(flat, 'http.response.status_code'),
      method: member(flat, 'http.request.method'),
      host: member(flat, 'server.address'),
      path,
      rule: member(flat, 'meshgate.rule'),
      refusal: member(flat, 'meshgate.reason'),
    }),
  };
}
