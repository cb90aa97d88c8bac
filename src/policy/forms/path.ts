import { shown } from './unseen.ts';

/** The place of a value in a policy: the keys and list indexes from the root. */
export type Path = readonly (string | number)[];

/** The key of a host's routes while a policy is checked. It separates them from the host's other keys. */
export const ROUTES = '/';

export const routePath = (host: string, path: string): Path => ['hosts', host, ROUTES, path];

/** Writes a path as errors show it: `hosts."wiki.example.com"."/*".allow[1].role`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const [index, step] of path.entries()) {
    if (index === 2 && path[0] === 'hosts' && step === ROUTES) continue;
    if (typeof step === 'number') text += `[${step}]`;
    else
      text += `${text === '' ? '' : '.'}${/^[A-Za-z_]\w*$/.test(step) ? step : shown(JSON.stringify(step.slice(0, 120)))}`;
  }
  return text;
}

/** A text from the file, as errors show it. A long text is not shown, because it may be a secret. */
export const quote = (text: string): string =>
  text.length > 80 ? `a text of ${text.length} characters` : shown(JSON.stringify(text));
