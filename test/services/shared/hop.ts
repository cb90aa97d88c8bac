import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

/** The address at which another service is called for a person, and the certificate for it. */
export interface Hop {
  /** URL of the service's host at the gateway's inner listener. */
  readonly url: string;
  /** Name or address of the inner listener here. */
  readonly gateway: string;
  /** Certificate and key of this workload in one PEM; read again each time, because it is renewed. */
  readonly svidFile: string;
  readonly caFile: string;
}

export interface HopAnswer {
  readonly status: number;
  readonly text: string;
}

/** Calls another service for the caller of a request: with the request's assertion, and this workload's certificate. */
export function askFor(incoming: IncomingMessage, { url, gateway, svidFile, caFile }: Hop): Promise<HopAnswer> {
  const { hostname, host, port, pathname } = new URL(url);
  const passed = ['x-meshgate-assertion', 'traceparent'].flatMap((name) => {
    const value = incoming.headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  const svid = readFileSync(svidFile);
  const options = {
    ...{ host: gateway, port, path: pathname, servername: hostname },
    ...{ cert: svid, key: svid, ca: readFileSync(caFile) },
    headers: { Host: host, Accept: 'application/json', ...Object.fromEntries(passed) },
  };
  return new Promise((resolve, reject) => {
    const query = request(options, async (answer) => {
      try {
        let text = '';
        for await (const chunk of answer) text += String(chunk);
        resolve({ status: answer.statusCode ?? 0, text });
      } catch (error) {
        reject(error as Error);
      }
    });
    query.on('error', reject);
    query.end();
  });
}
