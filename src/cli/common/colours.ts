import type { Runtime } from '../machine/runtime.ts';

const CODES = { good: 32, bad: 31, dim: 2, strong: 1 } as const;

export type Style = keyof typeof CODES;

export type Paint = (style: Style, text: string) => string;

/** Whether the output uses colours: on a terminal that has them, unless `NO_COLOR` is set (no-color.org). */
export function hasColours({ terminal, env }: Pick<Runtime, 'terminal' | 'env'>): boolean {
  return terminal && !env.NO_COLOR && env.TERM !== undefined && env.TERM !== 'dumb';
}

export function painter(runtime: Pick<Runtime, 'terminal' | 'env'>): Paint {
  const colours = hasColours(runtime);
  return (style, text) => (colours ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text);
}
