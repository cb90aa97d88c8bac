const SECONDS = { s: 1, m: 60, h: 3600, d: 86400 } as const;

/** Seconds of a checked duration such as `5m`. */
export function seconds(duration: string): number {
  return Number(duration.slice(0, -1)) * SECONDS[duration.slice(-1) as keyof typeof SECONDS];
}

/** Host and port of `host:port`, `[v6]:port` or either without its port; brackets stay. */
export function hostPort(text: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const match = /^(.*?)(?::(\d+))?$/.exec(text.startsWith('[') ? text.slice(text.indexOf(']') + 1) : text);
  const host = text.startsWith('[') ? text.slice(0, text.indexOf(']') + 1) : (match?.[1] ?? text);
  return { host, port: match?.[2] === undefined ? defaultPort : Number(match[2]) };
}

/** Requests per second of a checked rate such as `60/m`. */
export function perSecond(rate: string): number {
  const [count = '', unit] = rate.split('/');
  return Number(count) / SECONDS[unit as keyof typeof SECONDS];
}

const BYTES = { k: 1 << 10, m: 1 << 20, g: 1 << 30 } as const;

/** Bytes of a checked size such as `100m`. */
export function bytes(size: string): number {
  return Number(size.slice(0, -1)) * BYTES[size.slice(-1) as keyof typeof BYTES];
}
