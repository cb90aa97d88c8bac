import type { Mapping, Tree } from '../read/tree.ts';

/** The longest line on which a mapping or a list is written in braces or brackets. */
const WIDTH = 110;

/** Texts that YAML readers read as texts without quotes. */
const PLAIN = /^[A-Za-z_/](?:[\w ./@+*-]|:(?=[\w/]))*$/;

/** Durations, sizes, rates, addresses and networks. */
const MEASURE = /^\d+(?:[smhdkg]|\/[smhd]|(?:\.\d+){3}(?:\/\d+)?)$/;
const NOT_TEXT = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** Prints a policy as people write it: sections below each other, and short mappings on one line. */
export const printPolicy = ({ entries }: Mapping): string =>
  [...entries].map(([key, { node }]) => entry(key, node, 0)).join('\n');

function entry(key: string, node: Tree, indent: number): string {
  const start = `${' '.repeat(indent)}${text(key)}:`;
  const line = `${start} ${flow(node)}\n`;
  const isShort = node.kind === 'scalar' || (indent > 0 && line.length <= WIDTH) || isEmpty(node);
  return isShort ? line : `${start}\n${block(node, indent + 2)}`;
}

function block(node: Exclude<Tree, { kind: 'scalar' }>, indent: number): string {
  if (node.kind === 'map') return [...node.entries].map(([key, it]) => entry(key, it.node, indent)).join('');
  return node.items.map((item) => element(item, indent)).join('');
}

function element(item: Tree, indent: number): string {
  const line = `${' '.repeat(indent)}- ${flow(item)}\n`;
  if (item.kind === 'scalar' || isEmpty(item) || line.length <= WIDTH) return line;
  const lines = block(item, indent + 2);
  return `${' '.repeat(indent)}- ${lines.slice(indent + 2)}`;
}

const isEmpty = (node: Tree): boolean =>
  node.kind === 'map' ? node.entries.size === 0 : node.kind === 'list' && node.items.length === 0;

function flow(node: Tree): string {
  if (node.kind === 'list') return `[${node.items.map(flow).join(', ')}]`;
  if (node.kind === 'scalar') return typeof node.value === 'string' ? text(node.value) : String(node.value ?? null);
  if (node.entries.size === 0) return '{}';
  return `{ ${[...node.entries].map(([key, it]) => `${text(key)}: ${flow(it.node)}`).join(', ')} }`;
}

function text(value: string): string {
  // In a policy, these characters would begin a variable.
  const escaped = value.replaceAll('${', () => '$${');
  const isPlain = MEASURE.test(escaped) || (PLAIN.test(escaped) && !NOT_TEXT.test(escaped) && !escaped.endsWith(' '));
  return isPlain ? escaped : JSON.stringify(escaped);
}
