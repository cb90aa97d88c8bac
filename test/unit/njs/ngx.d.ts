/**
 * The parts of njs that modules under `src/njs/` use, for tests that load them in Node: njs's own types would replace
 * Node's `Headers` and `Response`.
 */

interface NgxSharedDict<V extends string | number = string | number> {
  get(key: string): V | undefined;
  has(key: string): boolean;
  set(key: string, value: V, ttl?: number): unknown;
  add(key: string, value: V, ttl?: number): boolean;
  incr: V extends number ? (key: string, by: V, init?: V, ttl?: number) => number : never;
  delete(key: string): boolean;
  keys(max?: number): string[];
  items(max?: number): [string, V][];
  size(): number;
  freeSpace(): number;
  readonly capacity: number;
  clear(): void;
}

interface NgxFetchOptions {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface NginxHTTPRequest {
  readonly uri?: string;
  readonly method: string;
  readonly headersIn: Readonly<Record<string, string | undefined>>;
  readonly headersOut: Record<string, string | string[] | undefined>;
  /** Status of the response. */
  status?: number;
  readonly requestText?: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly httpVersion?: string;
  send(part: string): void;
  return(status: number, body?: string): void;
}

declare const ngx: {
  readonly shared: Readonly<Record<string, NgxSharedDict>>;
  readonly ERR: number;
  readonly WARN: number;
  readonly INFO: number;
  log(level: number, line: string): void;
  fetch(url: string, options?: NgxFetchOptions): Promise<Response>;
};
