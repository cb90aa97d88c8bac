import { type Document, isMap, type Node, type ParsedNode, parseDocument, type YAMLError } from 'yaml';
import { MAX_POLICY_BYTES } from '../forms/bounds.ts';
import { findUnseen } from '../forms/unseen.ts';
import type { Problem } from './tree.ts';
import { findUnclosed } from './unclosed.ts';

/** The text of a policy as YAML nodes, as far as it could be parsed. */
export interface Yaml {
  /** The top-level nodes. There are several if the sections were parsed one by one. */
  readonly roots: readonly Node[];
  readonly problems: readonly Problem[];
  /** The text of the sections that could not be parsed. Names in this text may be in use. */
  readonly unread: readonly string[];
}

/** No policy has more sections than this, so a text with more sections is not parsed section by section. */
const MAX_SECTIONS = 32;

/** Parses YAML 1.2. After a syntax error, it parses each section by itself and keeps the valid ones. */
export function readYaml(text: string): Yaml {
  if (text.length > MAX_POLICY_BYTES) return failed(0, `the file is longer than ${MAX_POLICY_BYTES} bytes; split it`);
  const unseen = findUnseen(text);
  if (unseen !== undefined) return failed(unseen.at, unseen.message);
  const entire = parse(text);
  if (typeof entire === 'string') return failed(0, entire);
  const others = entire.errors.filter(({ code }) => code === 'MULTIPLE_DOCS').map(problem);
  const first = entire.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
  if (first !== undefined) return readSections(text, first);
  return { roots: rootsOf(entire), problems: [...entire.warnings.map(problem), ...others], unread: [] };
}

const failed = (at: number, message: string): Yaml => ({ roots: [], problems: [{ at, message }], unread: [] });

function parse(text: string): Document.Parsed<ParsedNode, true> | string {
  try {
    const options = { prettyErrors: false, stringKeys: true, uniqueKeys: false, logLevel: 'error' } as const;
    return parseDocument(text, options) as Document.Parsed<ParsedNode, true>;
  } catch {
    // The YAML library is recursive: if the text is nested too deeply, the error of the call stack arrives here.
    return 'not readable as YAML; write plain lists and mappings, a few levels deep';
  }
}

const rootsOf = ({ contents }: Document.Parsed<ParsedNode, true>): Node[] =>
  contents === null ? [] : [contents as Node];

function readSections(text: string, first: YAMLError): Yaml {
  const starts = [...text.matchAll(/^["']?[A-Za-z_][\w-]*(?![\w-])["']?[ \t]*(?::(?=\s|$)|\S*$)/gm)].map(
    (match) => match.index,
  );
  const roots: Node[] = [];
  const problems: Problem[] = [];
  const unread: string[] = [];
  if (starts.length > MAX_SECTIONS) return failed(problem(first).at, problem(first).message);
  for (const [index, start] of starts.entries()) {
    const section = text.slice(start, starts[index + 1]);
    // The spaces before the section keep the offsets equal to those in the file.
    const document = parse(`${' '.repeat(Math.max(0, start - 1))}${start > 0 ? '\n' : ''}${section}`);
    const found = typeof document === 'string' ? { at: start, message: document } : firstProblem(document, start);
    const error = found && explain(text, start, found);
    if (error === undefined && typeof document !== 'string' && isMap(document.contents)) {
      roots.push(document.contents as Node);
      problems.push(...document.warnings.map(problem));
      continue;
    }
    unread.push(section);
    if (error && !error.message.includes(BAD_ALIAS)) problems.push(error);
  }
  return { roots, problems: problems.length > 0 ? problems : [explain(text, 0, problem(first))], unread };
}

function firstProblem(document: Document.Parsed<ParsedNode, true>, start: number): Problem | undefined {
  const [error] = document.errors;
  if (error) return problem(error);
  return isMap(document.contents) ? undefined : { at: start, message: `not YAML: ${ADVICE.MULTILINE_IMPLICIT_KEY}` };
}

function explain(text: string, start: number, found: Problem): Problem {
  if (text.startsWith('${', found.at - 1)) return { at: found.at - 1, message: `not YAML: ${UNQUOTED}` };
  const unclosed = findUnclosed(text, start, found.at);
  return unclosed ? { at: unclosed.at, message: `not YAML: ${unclosed.message}` } : found;
}

const BAD_ALIAS = 'no anchor';

const UNQUOTED = 'inside braces and brackets, a value with a variable must be in quotes, as in "${NAME}"';

/** Advice for each error code of the YAML library: what to write instead. */
const ADVICE: Partial<Record<YAMLError['code'], string>> = {
  BAD_ALIAS: `${BAD_ALIAS} of this name stands before this alias; write the value itself`,
  BAD_DQ_ESCAPE: 'this is not an escape in double quotes; use single quotes',
  BAD_INDENT: 'this line is indented differently from its neighbours; indent them with the same number of spaces',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place; leave it out',
  BAD_SCALAR_START: 'a plain value cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot begin here; put it on lines of its own, or put the value in quotes',
  BLOCK_IN_FLOW: 'inside braces or brackets write { key: value } and [item]; is a brace or bracket left open above?',
  KEY_OVER_1024_CHARS: 'this key is too long; is a quote or bracket left open?',
  MISSING_CHAR: 'something is not closed; add the missing quote, comma, brace, bracket or colon',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is a colon missing?',
  MULTIPLE_DOCS:
    'a file contains only one policy, and nothing below this line would have an effect; remove the line ---, or write another file',
  NON_STRING_KEY: 'a key must be a plain word; put it in quotes',
  RESOURCE_EXHAUSTION: 'nested too deeply; write plain lists and mappings, a few levels deep',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'this tag is not known; leave it out, and put the value in quotes if it is text',
  UNEXPECTED_TOKEN: 'this cannot stand here; is a quote, brace or bracket left open or closed twice?',
};

function problem(error: YAMLError): Problem {
  const isYaml = error.code === 'MULTIPLE_DOCS';
  const message = ADVICE[error.code] ?? 'write plain lists and mappings';
  return { at: error.pos[0], message: isYaml ? message : `not YAML: ${message}` };
}
