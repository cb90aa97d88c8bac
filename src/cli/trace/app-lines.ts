import { defined, type Flat, member, numberOf, pathOnly, precisionOf, type Reading, timeOf } from './hop.ts';
import { idsIn, lastIdsIn, requestId, traceId } from './ids.ts';

/** The names of members that loggers use: OpenTelemetry, ECS, logback, pino, zap, Serilog, Google Cloud. */
const NAMES = {
  trace: ['trace_id', 'traceId', 'trace.id', 'traceID', 'TraceId', 'otelTraceID', 'logging.googleapis.com/trace'],
  traceparent: ['traceparent', 'headers.traceparent', 'req.headers.traceparent', 'http.request.header.traceparent'],
  request: [
    ...['request_id', 'requestId', 'x_request_id', 'x-request-id', 'http.request.id', 'RequestId', 'req.id', 'reqId'],
    ...['headers.x-request-id', 'req.headers.x-request-id'],
  ],
  time: ['time', 'timestamp', '@timestamp', 'ts', 'Timestamp', '@t', 'datetime', 'date'],
  status: ['http.response.status_code', 'status', 'statusCode', 'status_code', 'res.statusCode', 'StatusCode'],
  method: ['http.request.method', 'method', 'req.method', 'http.method', 'request.method', 'RequestMethod'],
  path: ['url.path', 'path', 'req.url', 'url', 'uri', 'http.target', 'request.uri', 'RequestPath', 'url.original'],
  host: ['server.address', 'host.name', 'req.headers.host', 'headers.host'],
  user: ['user.id', 'user', 'user.name', 'username', 'enduser.id', 'mdc.user'],
  message: ['message', 'msg', '@m', 'body', 'event.original'],
  level: ['level', 'log.level', 'severity', 'levelname', '@l'],
  logger: ['logger', 'logger_name', 'log.logger', 'service.name'],
  milliseconds: ['duration_ms', 'responseTime', 'elapsed_ms', 'latency_ms', 'Elapsed'],
};

/** The time of a JSON line: a date, or seconds, milliseconds, microseconds or nanoseconds since the epoch. */
function timeIn(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{9,}(?:\.\d+)?$/.test(text)) return timeOf(text);
  let value = Number(text) * 1000;
  // More digits are no time in any unit.
  if (value > 1e24) return undefined;
  while (value > 1e14) value /= 1000;
  return value;
}

/** Reads a line of an application as JSON, by the names of members that are usual. */
export function readAppJson(flat: Flat): Reading {
  const time = member(flat, ...NAMES.time);
  const nanoseconds = numberOf(flat, 'event.duration');
  return {
    format: 'JSON',
    ids: defined({
      trace: traceId(member(flat, ...NAMES.traceparent)) ?? traceId(member(flat, ...NAMES.trace)),
      request: requestId(member(flat, ...NAMES.request)),
    }),
    precision: time !== undefined && /^\d+$/.test(time) && time.length > 10 ? 1 : precisionOf(time),
    facts: defined({
      level: member(flat, ...NAMES.level),
      logger: member(flat, ...NAMES.logger),
      message: member(flat, ...NAMES.message),
      user: member(flat, ...NAMES.user),
    }) as Record<string, string>,
    ...defined({
      time: timeIn(time),
      duration: numberOf(flat, ...NAMES.milliseconds) ?? (nanoseconds === undefined ? undefined : nanoseconds / 1e6),
      status: numberOf(flat, ...NAMES.status),
      method: member(flat, ...NAMES.method),
      host: member(flat, ...NAMES.host),
      path: pathOnly(member(flat, ...NAMES.path)),
    }),
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const CLF_TIME = /\[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d)\]/;
const REQUEST = /"?\b([A-Z]{3,20}) (\/\S*|\*|https?:\/\/\S+) HTTP\/[\d.]+"? (\d{3}|-)(?: |$)/;

/** Reads a line of an access log with the time and request of the Common Log Format. Tomcat, and so Confluence, Jetty
 * and Apache write it. The ids stand behind what the client
 * wrote. */
export function readAccessLog(line: string): Reading | undefined {
  const at = CLF_TIME.exec(line);
  const request = REQUEST.exec(line);
  if (at === null || request === null) return undefined;
  const [stamp, day, month = '', year, clock = '', hours, minutes] = at;
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
  const [all, method = '', target, status] = request;
  // Before the request stand the address and, in the format of Confluence after the time, the person.
  const before = `${line.slice(0, at.index)} ${line.slice(at.index + stamp.length, request.index)}`.trim().split(/\s+/);
  const after = line.slice(request.index + all.length);
  const user = before.filter((word) => word !== '-' && !/^[\d.]+$|:|exec-\d+$/.test(word))[0];
  const took = /(?:^|\s)(\d+)ms\b/.exec(after)?.[1];
  return {
    format: 'access log',
    ids: lastIdsIn(`${line.slice(0, request.index)} ${after}`),
    precision: precisionOf(clock),
    facts: defined({ user }) as Record<string, string>,
    method,
    ...defined({
      time: timeOf(`${year}-${number}-${day}T${clock}${hours}:${minutes}`),
      duration: took === undefined ? undefined : Number(took),
      status: status === '-' ? undefined : Number(status),
      path: pathOnly(target),
    }),
  };
}

const ISO_TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/;

/** Reads any other line, such as a line of log4j with the trace id in its pattern. */
export function readText(line: string): Reading {
  // Without a zone, Date.parse would use the zone of this machine.
  const stamp = ISO_TIME.exec(line)?.[0].replace(' ', 'T').replace(',', '.');
  const zoned = stamp === undefined || /(?:Z|[+-]\d\d:?\d\d)$/.test(stamp) ? stamp : `${stamp}Z`;
  const time = timeOf(zoned);
  return {
    format: 'text',
    ids: idsIn(line),
    precision: precisionOf(stamp),
    facts: { message: line },
    ...(time !== undefined && { time }),
  };
}
