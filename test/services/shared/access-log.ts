import type { IncomingMessage, ServerResponse } from 'node:http';

const format = process.env.ACCESS_LOG;

/** With ACCESS_LOG=json or tomcat, writes a line to the access log when the response is finished. */
export function logAccess(request: IncomingMessage, response: ServerResponse): void {
  if (format === undefined) return;
  const began = new Date();
  response.on('finish', () => log(format, request, response, began));
}

/** Writes the line of an application's log about a request, which it knows by the headers of the gateway. */
function log(format: string, request: IncomingMessage, response: ServerResponse, began: Date): void {
  const { method, url = '', headers } = request;
  const [parent, id, user] = ['traceparent', 'x-request-id', 'x-forwarded-user'].map((name) => headers[name] ?? '-');
  const [took, status] = [Date.now() - began.getTime(), response.statusCode];
  if (format === 'json') {
    const line = {
      time: began,
      level: 'info',
      msg: 'request',
      method,
      url,
      status,
      responseTime: took,
      traceparent: parent,
    };
    console.log(JSON.stringify(line));
    return;
  }
  const [, weekday = '', day, month, year, clock] = /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(began.toUTCString()) ?? [];
  const time = weekday && `[${day}/${month}/${year}:${clock} +0000]`;
  const address = request.socket.remoteAddress?.replace('::ffff:', '');
  const size = response.getHeader('content-length') ?? '-';
  console.log(
    `${time} ${user} http-nio-8090-exec-1 ${address} ${method} ${url} HTTP/${request.httpVersion} ${status} ${took}ms ${size} - ${headers['user-agent'] ?? '-'} ${parent} ${id}`,
  );
}
