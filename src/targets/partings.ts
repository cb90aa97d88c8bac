const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/**
 * Where two values part, the first place of each branch.
 *
 * @param path of both values, as the lines name it
 */
export function partings(own: unknown, live: unknown, path: string): readonly string[] {
  if (!isRecord(own) || !isRecord(live) || Array.isArray(own) !== Array.isArray(live)) {
    return own === live ? [] : [`${path} is ${shown(live)}, and not ${shown(own)}`];
  }
  const keys = [...new Set([...Object.keys(own), ...Object.keys(live)])];
  const step = (key: string) => (Array.isArray(own) ? `[${key}]` : path === '' ? key : `.${key}`);
  return keys.flatMap((key) => partings(own[key], live[key], path + step(key)));
}
