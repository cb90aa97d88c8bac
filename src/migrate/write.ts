import { foreign } from '../base/hostile-text.ts';
import type { Draft, Value } from './new-policy.ts';

/** Texts that YAML reads as texts without quotes, in block and flow style. */
const PLAIN =
  /^(?:[A-Za-z][\w./@-]*|https?:\/\/[\w.-]+(?::\d+)?(?:\/[\w.~-]+)*\/?|\/[\w./-]*|\d+[smhdkg]|\d+\/[smhd])$/;

/** Words that YAML 1.1 or 1.2 reads as something else. */
const WORDS = /^(?:true|false|yes|no|on|off|null|y|n)$/i;

/** Returns a text as a YAML scalar that every parser reads as this text. */
function scalar(text: string): string {
  // A policy would read `${` as the beginning of a variable.
  return PLAIN.test(text) && !WORDS.test(text) ? text : JSON.stringify(text.replaceAll('${', '$${'));
}

const keyOf = (key: string): string => (/^(?:[A-Za-z][\w.-]*|\/[\w./-]*\*?)$/.test(key) ? key : JSON.stringify(key));

/** Returns a value in flow style. */
function flow(value: Value): string {
  if (typeof value === 'string') return scalar(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  const members = Object.entries(value as { readonly [key: string]: Value });
  return members.length === 0 ? '{}' : `{ ${members.map(([key, it]) => `${keyOf(key)}: ${flow(it)}`).join(', ')} }`;
}

/** Lines of a mapping in block style. Its values are in flow style from this level on. */
class Writer {
  readonly lines: string[] = [];
  readonly #comments: Draft['comments'];

  constructor({ comments }: Draft) {
    this.#comments = comments;
  }

  comments(place: string, indent: string): void {
    for (const text of this.#comments.get(place) ?? []) {
      for (const line of text.split('\n')) this.lines.push(`${indent}# ${foreign(line, 2000)}`);
    }
  }

  /** Writes one key. A mapping or list that is longer than a line has a line for each of its members. */
  key(place: string, key: string, value: Value, indent: string): void {
    this.comments(place, indent);
    const entire = `${indent}${keyOf(key)}: ${flow(value)}`;
    const isSplit = typeof value === 'object' && value !== null && (entire.length > 120 || this.#isCommented(place));
    const members = isSplit ? Object.entries(value) : [];
    if (members.length === 0) {
      this.lines.push(entire);
      return;
    }
    this.lines.push(`${indent}${keyOf(key)}:`);
    for (const [name, inner] of members as [string, Value][]) {
      if (!Array.isArray(value)) this.key(`${place}.${name}`, name, inner, `${indent}  `);
      else {
        this.comments(`${place}.${name}`, `${indent}  `);
        this.lines.push(`${indent}  - ${flow(inner)}`);
      }
    }
  }

  #isCommented(place: string): boolean {
    return [...this.#comments.keys()].some((it) => it.startsWith(`${place}.`));
  }

  section(name: string, members: { readonly [key: string]: Value }): void {
    if (Object.keys(members).length === 0) return;
    this.comments(name, '');
    this.lines.push(`${name}:`);
    for (const [key, value] of Object.entries(members)) this.key(`${name}.${key}`, key, value, '  ');
  }
}

/** Writes a policy as YAML, with its comments. */
export function policyText(draft: Draft): string {
  const writer = new Writer(draft);
  writer.comments('', '');
  writer.lines.push('version: 1');
  const { gateway, providers, roles, services, headers, hosts } = draft;
  for (const [name, members] of Object.entries({ gateway, providers, roles, services, headers })) {
    writer.section(name, members);
  }
  writer.comments('hosts', '');
  writer.lines.push('hosts:');
  for (const [name, { keys, routes }] of Object.entries(hosts)) {
    writer.comments(`hosts.${name}`, '  ');
    writer.lines.push(`  ${keyOf(name)}:`);
    for (const [key, value] of Object.entries({ ...keys, ...routes })) {
      writer.key(`hosts.${name}.${key}`, key, value, '    ');
    }
  }
  return `${writer.lines.join('\n')}\n`;
}
