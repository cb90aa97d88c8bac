import { dump, loadAll } from 'js-yaml';
import { Foreign } from './types.ts';

/** What stands above everything that is rendered as YAML. */
export const HEAD = '# Rendered by meshgate from the policy; do not edit.\n';

/** A value as a YAML document. Every string is in quotes: plain `y`, `on` and numbers are taken for what they look like. */
export function toYaml(value: unknown): string {
  return dump(value, { forceQuotes: true, lineWidth: -1, noRefs: true, quoteStyle: 'double', skipInvalid: true });
}

/** Objects as one file, a document each. */
export function documents(objects: readonly unknown[]): string {
  return HEAD + objects.map(toYaml).join('---\n');
}

/** A rendered file is deep, and nobody's is deeper. */
const DEEPEST = 100;

/**
 * The documents of a file, YAML or JSON; those that are empty are left out. The reader with positions, which policies
 * are read with, takes ten times as long: too long for what thousands of rules render to.
 *
 * @throws Foreign for what is no YAML, and for aliases, which could make a small file endless
 */
export function documentsIn(name: string, text: string): readonly unknown[] {
  try {
    return loadAll(text, { maxAliases: 0, maxDepth: DEEPEST }).filter((it) => it !== null && it !== undefined);
  } catch (error) {
    const { reason, mark } = error as { readonly reason?: string; readonly mark?: { readonly line: number } };
    const why = reason ?? (error as Error).message;
    throw new Foreign(`not YAML${mark ? `, line ${mark.line + 1}` : ''}: ${why}`, name);
  }
}
