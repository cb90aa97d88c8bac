import { KEY_NOT_TEXT, NotYaml, readYaml, type YamlMap, type YamlNode } from '../../base/yaml.ts';
import { MAX_POLICY_BYTES } from '../forms/bounds.ts';
import { findUnseen } from '../forms/unseen.ts';
import type { Problem } from './tree.ts';
import { findUnclosed } from './unclosed.ts';

/** The text of a policy as YAML nodes, as far as it could be parsed. */
export interface PolicyYaml {
  /** The top-level nodes. There are several if the sections were parsed one by one. */
  readonly roots: readonly YamlNode[];
  readonly problems: readonly Problem[];
  /** The text of the sections that could not be parsed. Names in this text may be in use. */
  readonly unread: readonly string[];
}

/** No policy has more sections than this, so a text with more sections is not parsed section by section. */
const MAX_SECTIONS = 32;

/** Parses YAML 1.2. After a syntax error, it parses each section by itself and keeps the valid ones. */
export function readPolicyYaml(text: string): PolicyYaml {
  if (text.length > MAX_POLICY_BYTES) return failed(0, `the file is longer than ${MAX_POLICY_BYTES} bytes; split it`);
  const unseen = findUnseen(text);
  if (unseen !== undefined) return failed(unseen.at, unseen.message);
  const second = secondDocument(text);
  const entire = parse(text.slice(0, second));
  if (entire instanceof NotYaml) return readSections(text, problem(text, entire));
  const others = second === undefined ? [] : [{ at: second, message: ONE_POLICY }];
  return { ...entire, problems: [...entire.problems, ...others], unread: [] };
}

const failed = (at: number, message: string): PolicyYaml => ({ roots: [], problems: [{ at, message }], unread: [] });

/** Reads one document, whose unknown tags are problems. */
function parse(text: string): Omit<PolicyYaml, 'unread'> | NotYaml {
  try {
    const { documents, tags } = readYaml(text);
    const unknown = tags.filter(({ isKnown }) => !isKnown);
    const root = documents[0];
    return {
      roots: root === undefined ? [] : [root],
      problems: unknown.map(({ at }) => ({ at, message: UNKNOWN_TAG })),
    };
  } catch (error) {
    if (error instanceof NotYaml) return error;
    throw error;
  }
}

/** The offset of the line at which a second document begins. */
function secondDocument(text: string): number | undefined {
  const isBlank = (line: string) => /^\s*(?:[#%].*)?$/.test(line);
  const marks = [...text.matchAll(/^---(?!\S)/gm)].map(({ index }) => index);
  return marks.find((at, nth) => nth > 0 || !text.slice(0, at).split('\n').every(isBlank));
}

function readSections(text: string, first: Problem): PolicyYaml {
  const starts = [...text.matchAll(/^["']?[A-Za-z_][\w-]*(?![\w-])["']?[ \t]*(?::(?=\s|$)|\S*$)/gm)].map(
    (match) => match.index,
  );
  const roots: YamlNode[] = [];
  const problems: Problem[] = [];
  const unread: string[] = [];
  if (starts.length > MAX_SECTIONS) return failed(first.at, first.message);
  for (const [index, start] of starts.entries()) {
    const section = text.slice(start, starts[index + 1]);
    // The spaces before the section keep the offsets equal to those in the file.
    const alone = `${' '.repeat(Math.max(0, start - 1))}${start > 0 ? '\n' : ''}${section}`;
    const read = parse(alone);
    const found = read instanceof NotYaml ? problem(alone, read) : undefined;
    if (!(read instanceof NotYaml) && read.roots[0]?.kind === 'map') {
      roots.push(...read.roots);
      problems.push(...read.problems);
      continue;
    }
    unread.push(section);
    const error = explain(text, start, found ?? { at: start, message: `not YAML: ${ADVICE.key}` });
    if (!error.message.includes(BAD_ALIAS)) problems.push(error);
  }
  return { roots, problems: problems.length > 0 ? problems : [explain(text, 0, first)], unread };
}

function explain(text: string, start: number, found: Problem): Problem {
  if (text.startsWith('${', found.at - 1)) return { at: found.at - 1, message: `not YAML: ${UNQUOTED}` };
  const unclosed = findUnclosed(text, start, found.at);
  return unclosed ? { at: unclosed.at, message: `not YAML: ${unclosed.message}` } : found;
}

const BAD_ALIAS = 'no anchor';

const UNQUOTED = 'inside braces and brackets, a value with a variable must be in quotes, as in "${NAME}"';

const ONE_POLICY =
  'a file contains only one policy, and nothing below this line would have an effect; remove the line ---, or write another file';

const UNKNOWN_TAG = 'not YAML: this tag is not known; leave it out, and put the value in quotes if it is text';

/** What to write instead. */
const ADVICE = {
  alias: `${BAD_ALIAS} of this name stands before this alias; write the value itself`,
  block: 'a mapping cannot begin here; put it on lines of its own, or put the value in quotes',
  depth: 'nested too deeply; write plain lists and mappings, a few levels deep',
  flow: 'inside braces or brackets write { key: value } and [item]; is a brace or bracket left open above?',
  escape: 'this is not an escape in double quotes; use single quotes',
  indent: 'this line is indented differently from its neighbours; indent them with the same number of spaces',
  key: 'a key must be on one line; is a colon missing?',
  missing: 'something is not closed; add the missing quote, comma, brace, bracket or colon',
  notText: 'a key must be a plain word; put it in quotes',
  property: 'an anchor or tag stands in the wrong place; leave it out',
  start: 'a plain value cannot begin with this character; put it in quotes',
  tab: 'tabs cannot indent; use spaces',
  token: 'this cannot stand here; is a quote, brace or bracket left open or closed twice?',
} as const;

/** The advice for what the YAML library says, by a part of its text. */
const REASONS: readonly (readonly [reason: RegExp, advice: keyof typeof ADVICE])[] = [
  [/(?:alias|anchor) node must contain/, 'alias'],
  [/maxDepth/, 'depth'],
  [/escape sequence|hexadecimal/, 'escape'],
  [/tab characters/, 'tab'],
  [/multiline key|':' after a mapping key/, 'key'],
  [/missed comma|unexpected end|whitespace character is expected/, 'missing'],
  [new RegExp(KEY_NOT_TEXT), 'notText'],
  [/propert|tag|anchor/, 'property'],
];

/** Says what to write instead of a text that is not YAML. */
function problem(text: string, { at, message }: NotYaml): Problem {
  const advise = (advice: keyof typeof ADVICE, place = at) => ({ at: place, message: `not YAML: ${ADVICE[advice]}` });
  const line = text.lastIndexOf('\n', at - 1) + 1;
  const before = text.slice(line, at);
  const advice = REASONS.find(([reason]) => reason.test(message))?.[1];
  if (/[@`%]/.test(text[at] ?? '')) return advise('start');
  if (text[at] === ':' && message !== KEY_NOT_TEXT) {
    if (advice === 'missing') return advise('flow', at - (before.split(/[,:{[]/).pop() ?? '').trimStart().length);
    const start = startOf(text, at);
    return advise(/:\s/.test(text.slice(text.lastIndexOf('\n', start) + 1, start)) ? 'block' : 'key', start);
  }
  if (advice === 'key') return advise('key', startOf(text, at));
  if (advice === 'alias') return advise('alias', at - 1);
  if (advice !== undefined) return advise(advice);
  if (message === 'deficient indentation' && before.includes('\t')) return advise('tab');
  return before.trim() === '' && at < text.length ? advise('indent', line) : advise('token');
}

/** The beginning of the value or key that ends at an offset. */
function startOf(text: string, end: number): number {
  const read = parse(text.slice(0, end));
  if (read instanceof NotYaml) return firstLine(text, end);
  let node = read.roots[0];
  while (node !== undefined && (node.kind === 'list' || node.kind === 'map') && !node.isFlow) {
    const last: YamlNode | undefined = node.kind === 'list' ? node.items.at(-1) : lastOf(node.entries.at(-1));
    if (last === undefined) break;
    node = last;
  }
  return node?.at ?? end;
}

/** The beginning of a key that has several lines: the lines before it without a colon belong to it. */
function firstLine(text: string, end: number): number {
  let start = text.lastIndexOf('\n', end - 1) + 1;
  while (start > 0) {
    const above = text.lastIndexOf('\n', start - 2) + 1;
    if (/:(?=\s)|^\s*$/.test(text.slice(above, start))) break;
    start = above;
  }
  return start + (/^ */.exec(text.slice(start, end))?.[0].length ?? 0);
}

/** The value of an entry; its key if it has no value. */
const lastOf = (entry: YamlMap['entries'][number] | undefined): YamlNode | undefined =>
  entry?.value.end === entry?.key.end ? entry?.key : entry?.value;
