import { type Gateway, replaceIn } from './gateway.ts';
import { send } from './http.ts';
import type { Files } from './policy.ts';
import type { Records } from './sessions.ts';

/** Served instead of a host, so that no host's settings apply. */
const location = `    location = /.test/memory {
        access_log off;
        client_body_buffer_size 256k;
        js_content memory.turn;
    }
`;

const code = `
const turn = (r) => {
  const { zone, key } = r.args;
  const dict = ngx.shared[zone];
  if (r.method === 'OPTIONS') {
    const found = dict.keys().filter((one) => one.startsWith(key + '\\n')).map((one) => dict.get(one) ?? 0);
    return r.return(200, String(found.reduce((sum, one) => sum + one, 0)));
  }
  if (r.method === 'PUT') dict.set(key, r.requestText);
  if (r.method === 'DELETE') dict.keys().filter((one) => RegExp(key).test(one)).forEach((one) => dict.delete(one));
  const value = dict.get(key);
  r.return(value === undefined ? 204 : 200, value === undefined ? '' : String(value));
};

export default { turn };
`;

/** Rendered files with access to nginx's shared memory, for a gateway whose test makes a {@link Memory} of it. */
export function withMemory(rendered: Files): Files {
  const imported = replaceIn(rendered, 'http.conf', /^js_path .*\n/m, '$&js_import memory from memory.js;\n');
  const served = replaceIn(imported, 'servers.conf', /^ {4}location \/ \{/m, `${location}$&`);
  return { ...served, 'memory.js': code };
}

/**
 * The shared memory of a gateway, so that a test sets or reads a state instead of waiting for a time to pass.
 */
export class Memory {
  readonly #gateway: Gateway;
  readonly #host: string;

  /** @param host any of the policy's */
  constructor(gateway: Gateway, host: string) {
    this.#gateway = gateway;
    this.#host = host;
  }

  get(zone: string, key: string): Promise<string | undefined> {
    return this.#ask('GET', zone, key);
  }

  async set(zone: string, key: string, value: string): Promise<void> {
    await this.#ask('PUT', zone, key, value);
  }

  /** The number of something that all workers hold together. */
  async held(name: string): Promise<number> {
    return Number(await this.#ask('OPTIONS', 'meshgate_locks', name));
  }

  /** Deletes all keys that match: the gateway decides how it joins the parts of a key. */
  async forget(zone: string, keys: RegExp): Promise<void> {
    await this.#ask('DELETE', zone, keys.source);
  }

  /** The session data of a gateway without a store. */
  get records(): Records {
    const zone = 'meshgate_sessions';
    return { get: (sid) => this.get(zone, sid), put: (sid, sealed) => this.set(zone, sid, sealed) };
  }

  async #ask(method: string, zone: string, key: string, body?: string): Promise<string | undefined> {
    const { status, text } = await send(this.#gateway.target(this.#host), {
      method,
      path: `/.test/memory?zone=${zone}&key=${encodeURIComponent(key)}`,
      headers: { Host: 'memory.invalid' },
      ...(body !== undefined && { body }),
    });
    if (status !== 200 && status !== 204) throw new Error(`${method} ${zone} ${key}: ${status} ${text}`);
    return status === 200 ? text : undefined;
  }
}
