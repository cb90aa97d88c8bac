import type { Received } from '../services/shared/received.ts';
import { type Box, type ContainerSpec, startContainer } from './container.ts';
import { send } from './http.ts';
import { nodeImage } from './images.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

export type { Received };

const adminPort = 9901;
const tlsFile = '/etc/service/tls.pem';

/** Calls an admin port; returns the parsed answer. An answer other than 200 is an error. */
// biome-ignore lint/suspicious/noExplicitAny: each service's admin API has its own answers
export async function callAdmin(box: Box, method: string, path: string, body?: unknown): Promise<any> {
  const target = { host: box.host, port: adminPort, tls: false, name: 'admin' };
  const answer = await send(target, { method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (answer.status !== 200) throw new Error(`${box.alias}: ${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json();
}

/** Starts one of test/services/ by its file's name. */
export function startService(
  stage: Stage,
  file: string,
  spec: Partial<ContainerSpec> & { alias: string },
): Promise<Box> {
  return startContainer(stage, {
    image: nodeImage,
    command: ['node', `/srv/${file}.mjs`],
    ready: /^admin listens/m,
    ...spec,
  });
}

/** An upstream that answers with what it received; see test/services/echo.ts for the options in a query. */
export class Echo {
  readonly box: Box;
  readonly alias: string;

  constructor(box: Box) {
    this.box = box;
    this.alias = box.alias;
  }

  /** Every request since the start or the last {@link clear}. */
  requests(): Promise<Received[]> {
    return callAdmin(this.box, 'GET', '/requests');
  }

  /** Bytes that were not an HTTP request. */
  malformed(): Promise<string[]> {
    return callAdmin(this.box, 'GET', '/malformed');
  }

  async clear(): Promise<void> {
    await callAdmin(this.box, 'DELETE', '/requests');
  }

  /** How many requests are held open under this key (`echo-hold=KEY`). */
  async held(key: string): Promise<number> {
    return (await callAdmin(this.box, 'GET', '/held'))[key] ?? 0;
  }

  /** Waits until this many requests are held. */
  async waitForHeld(key: string, count: number): Promise<void> {
    await until(async () => (await this.held(key)) >= count, {
      what: `${count} requests held at ${this.alias}`,
    });
  }

  /** Releases them. */
  async release(key: string): Promise<void> {
    await callAdmin(this.box, 'POST', `/release?key=${encodeURIComponent(key)}`);
  }
}

export interface EchoOptions {
  /** Name in the network, default `echo`; plain HTTP on port 8080. */
  readonly alias?: string;
  readonly aliases?: readonly string[];
  /** Also TLS on port 8443: certificate and key in one PEM, default one of the stage's mesh CA for its aliases. */
  readonly tls?: boolean | { readonly pem: string };
  /** Requires a client certificate of this CA (PEM) there. */
  readonly clientCa?: string;
  /** Writes a line for each request to its standard output: JSON, or as Tomcat with the pattern of Confluence. */
  readonly accessLog?: 'json' | 'tomcat';
}

export async function startEcho(stage: Stage, options: EchoOptions = {}): Promise<Echo> {
  const alias = options.alias ?? 'echo';
  const names = [alias, ...(options.aliases ?? [])];
  const pem = typeof options.tls === 'object' ? options.tls.pem : (await stage.meshCa.server(names)).pem;
  const box = await startService(stage, 'echo', {
    alias,
    aliases: options.aliases ?? [],
    files: {
      ...(options.tls ? { [tlsFile]: pem } : {}),
      ...(options.clientCa === undefined ? {} : { '/etc/service/client-ca.pem': options.clientCa }),
    },
    env: {
      NAME: alias,
      ...(options.tls ? { TLS_PORT: '8443' } : {}),
      ...(options.accessLog === undefined ? {} : { ACCESS_LOG: options.accessLog }),
      ...(options.clientCa === undefined ? {} : { CLIENT_CA_FILE: '/etc/service/client-ca.pem' }),
    },
  });
  return new Echo(box);
}

/** Values of a header in a received request. */
export function valuesOf(received: Received, name: string): string[] {
  const lower = name.toLowerCase();
  return received.headers.filter(([other]) => other.toLowerCase() === lower).map(([, value]) => value);
}
