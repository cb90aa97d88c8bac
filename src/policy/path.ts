/** Where something is in a policy: keys and list indexes from the root. */
export type Path = readonly (string | number)[];

/** Writes a path as errors show it: `hosts."wiki.example.com"."/*".allow[1].role`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${/^[A-Za-z_]\w*$/.test(step) ? step : JSON.stringify(step)}`;
  }
  return text;
}

/** A path as the key of a map. */
export function pathKey(path: Path): string {
  return JSON.stringify(path);
}
