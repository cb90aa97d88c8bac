const SECONDS = { s: 1, m: 60, h: 3600, d: 86400 } as const;

/** The number of seconds of a duration such as `5m`, whose form was checked before. */
export const seconds = (duration: string): number =>
  Number(duration.slice(0, -1)) * SECONDS[duration.slice(-1) as keyof typeof SECONDS];

/** Splits `host:port` or `[v6]:port`. The port may be absent in both forms. The result keeps the brackets. */
export function hostPort(text: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const match = /^(.*?)(?::(\d+))?$/.exec(text.startsWith('[') ? text.slice(text.indexOf(']') + 1) : text);
  const host = text.startsWith('[') ? text.slice(0, text.indexOf(']') + 1) : (match?.[1] ?? text);
  return { host, port: match?.[2] === undefined ? defaultPort : Number(match[2]) };
}

/** The number of requests per second of a rate such as `60/m`, whose form was checked before. */
export function perSecond(rate: string): number {
  const [count = '', unit] = rate.split('/');
  return Number(count) / SECONDS[unit as keyof typeof SECONDS];
}

const BYTES = { k: 1 << 10, m: 1 << 20, g: 1 << 30 } as const;

/** The number of bytes of a size such as `100m`, whose form was checked before. */
export const bytes = (size: string): number => Number(size.slice(0, -1)) * BYTES[size.slice(-1) as keyof typeof BYTES];
