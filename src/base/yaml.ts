import {
  COLLECTION_STYLE,
  CORE_SCHEMA,
  dump,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  NOT_RESOLVED,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
  YAMLException,
} from 'js-yaml';

/* The only reader of YAML 1.2, and the only writer of values. The reader keeps the places of all values. */

interface Placed {
  /** The offset of the value's first character, behind an anchor or a tag. */
  readonly at: number;
  /** The offset behind its last character, without comments and line breaks behind it. */
  readonly end: number;
  readonly anchor: string | undefined;
}

export interface YamlScalar extends Placed {
  readonly kind: 'scalar';
  readonly value: unknown;
  /** The text that was read as a value; undefined if nothing is written. */
  readonly text: string | undefined;
  /** The text is not in quotes, and not a block of lines. */
  readonly isPlain: boolean;
}

export interface YamlList extends Placed {
  readonly kind: 'list';
  /** The list is in brackets. */
  readonly isFlow: boolean;
  readonly items: readonly YamlNode[];
}

export interface YamlMap extends Placed {
  readonly kind: 'map';
  /** The mapping is in braces. */
  readonly isFlow: boolean;
  /** Keys can be repeated. */
  readonly entries: readonly { readonly key: YamlScalar; readonly value: YamlNode }[];
}

export interface YamlAlias extends Placed {
  readonly kind: 'alias';
  readonly name: string;
}

export type YamlNode = YamlScalar | YamlList | YamlMap | YamlAlias;

export interface YamlText {
  /** The root of each document. */
  readonly documents: readonly YamlNode[];
  readonly tags: readonly { readonly at: number; readonly isKnown: boolean }[];
}

/** Says where a text is not YAML, and why. */
export class NotYaml extends Error {
  readonly at: number;

  constructor(at: number, reason: string) {
    super(reason);
    this.at = at;
  }
}

/** The maximum nesting that is read. */
const DEEPEST = 100;

/** The reason of {@link NotYaml} for a key that is a list, a mapping or an alias. */
export const KEY_NOT_TEXT = 'a key is not a text';

/** Reads all documents of a text.
 * @throws NotYaml at the first mistake */
export function readYaml(text: string): YamlText {
  try {
    return new Reader(text, parseEvents(text, { maxDepth: DEEPEST })).read();
  } catch (error) {
    if (error instanceof YAMLException) throw new NotYaml(error.mark?.position ?? 0, error.reason);
    throw error;
  }
}

/** What stands before a value: spaces, comments, and the character that announces it. */
const COLON = /(?:\s|#.*\n)*:[ \t]*/y;
const DASH = /(?:\s|#.*\n)*-[ \t]*/y;
const CLOSING = /(?:[\s,]|#.*\n)*([\]}])/y;

const NAMES = 'tag:yaml.org,2002:';

class Reader {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #tags: { at: number; isKnown: boolean }[] = [];
  #next = 0;
  /** The offset behind everything that was read. */
  #end = 0;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  read(): YamlText {
    const documents: YamlNode[] = [];
    while (this.#next < this.#events.length) {
      // An event begins each document, and one ends it.
      this.#next += 1;
      documents.push(this.#node());
      this.#next += 1;
    }
    return { documents, tags: this.#tags };
  }

  /** @param before - what stands before the value, also if nothing is written
   * @param otherwise - the offset of a value without text and without anything before it */
  #node(before?: RegExp, otherwise = 0): YamlNode {
    const event = this.#events[this.#next++];
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event, before, otherwise);
      case EVENT_ID.SEQUENCE:
        return this.#list(event);
      case EVENT_ID.MAPPING:
        return this.#map(event);
      case EVENT_ID.ALIAS: {
        this.#end = event.anchorEnd;
        const name = this.#text.slice(event.anchorStart, event.anchorEnd);
        return { kind: 'alias', at: event.anchorStart - 1, end: this.#end, anchor: undefined, name };
      }
      default:
        throw new NotYaml(this.#end, 'a value is missing');
    }
  }

  #list(event: SequenceEvent): YamlList {
    const isFlow = this.#open(event);
    const items: YamlNode[] = [];
    while (!this.#closes()) items.push(this.#node(DASH));
    return { kind: 'list', at: event.start, end: this.#close(event, ']'), anchor: this.#anchor(event), isFlow, items };
  }

  #map(event: MappingEvent): YamlMap {
    const isFlow = this.#open(event);
    const entries: { key: YamlScalar; value: YamlNode }[] = [];
    while (!this.#closes()) {
      const key = this.#node();
      if (key.kind !== 'scalar') throw new NotYaml(key.at, KEY_NOT_TEXT);
      const value = this.#node(COLON, key.at);
      entries.push({ key, value });
    }
    return { kind: 'map', at: event.start, end: this.#close(event, '}'), anchor: this.#anchor(event), isFlow, entries };
  }

  #open(event: SequenceEvent | MappingEvent): boolean {
    const isFlow = event.style === COLLECTION_STYLE.FLOW;
    this.#end = isFlow ? event.start + 1 : event.start;
    const tag = this.#tag(event);
    if (tag !== undefined) this.#tagged(event, tag === (event.type === EVENT_ID.MAPPING ? 'map' : 'seq'));
    return isFlow;
  }

  #closes(): boolean {
    return this.#events[this.#next]?.type === EVENT_ID.POP;
  }

  /** Ends a collection. The library does not say where its bracket is. `[a: 1]` has a mapping without braces. */
  #close({ style }: SequenceEvent | MappingEvent, bracket: string): number {
    this.#next += 1;
    if (style === COLLECTION_STYLE.FLOW && this.#skip(CLOSING)?.[1] === bracket) this.#end = CLOSING.lastIndex;
    return this.#end;
  }

  #scalar(event: ScalarEvent, before: RegExp | undefined, otherwise: number): YamlScalar {
    const isPlain = event.style === SCALAR_STYLE.PLAIN;
    const anchor = this.#anchor(event);
    if (event.valueStart < 0) {
      const isAnnounced = before !== undefined && this.#skip(before) !== null;
      if (isAnnounced) this.#end = before.lastIndex;
      this.#end = Math.max(this.#end, event.tagEnd, event.anchorEnd);
      const value = event.tagStart < 0 ? null : this.#value(event, '');
      const at = before === COLON && !isAnnounced ? otherwise : this.#end;
      return { kind: 'scalar', at, end: this.#end, anchor, value, text: undefined, isPlain };
    }
    const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
    const quote = isPlain || isBlock ? 0 : 1;
    const at = isBlock ? this.#blockStart(event.valueStart) : event.valueStart - quote;
    this.#end = event.valueEnd + quote;
    const text = getScalarValue(this.#text, event);
    return { kind: 'scalar', at, end: this.#end, anchor, value: this.#value(event, text), text, isPlain };
  }

  /** The offset of the | or > of a block, in the line before its text. */
  #blockStart(valueStart: number): number {
    const from = this.#text.lastIndexOf('\n', valueStart - 2) + 1;
    const found = this.#text.slice(from, valueStart).search(/(?<!\S)[|>][-+\d]*(?:[ \t]+#.*)?\s*$/);
    return found < 0 ? valueStart : from + found;
  }

  #value(event: ScalarEvent, text: string): unknown {
    const tag = this.#tag(event);
    if (tag === undefined && event.style === SCALAR_STYLE.PLAIN) {
      return CORE_SCHEMA.resolveImplicitScalarTag(text).value;
    }
    const known = tag === undefined ? undefined : CORE_SCHEMA.lookupScalarTag(NAMES + tag);
    const value = known === undefined ? NOT_RESOLVED : known.resolve(text, true, NAMES + tag);
    if (tag !== undefined) this.#tagged(event, value !== NOT_RESOLVED);
    return value === NOT_RESOLVED ? text : value;
  }

  /** The name of a tag of YAML's own, as in `!!str`; another tag has no name. */
  #tag({ tagStart, tagEnd }: ScalarEvent | SequenceEvent | MappingEvent): string | undefined {
    if (tagStart < 0) return undefined;
    const tag = this.#text.slice(tagStart, tagEnd);
    return tag.startsWith('!!') ? tag.slice(2) : '';
  }

  #tagged({ tagStart }: ScalarEvent | SequenceEvent | MappingEvent, isKnown: boolean): void {
    this.#tags.push({ at: tagStart, isKnown });
  }

  #anchor({ anchorStart, anchorEnd }: ScalarEvent | SequenceEvent | MappingEvent): string | undefined {
    return anchorStart < 0 ? undefined : this.#text.slice(anchorStart, anchorEnd);
  }

  #skip(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#end;
    return pattern.exec(this.#text);
  }
}

/** How many values all aliases of a document stand for at most. A short text can have very many. */
const MAX_ALIASED = 100_000;

/** Returns a node as plain values.
 * @param isStrict - aliases and repeated keys are mistakes, and merge keys are keys as others; otherwise the last of
 * equal keys counts, and `<<` merges as kubectl, Helm and Docker do
 * @throws NotYaml */
export function plainValue(root: YamlNode, isStrict: boolean): unknown {
  const anchors = new Map<string, { readonly value: unknown; readonly size: number }>();
  let size = 0;
  let aliased = 0;
  const plain = (node: YamlNode): unknown => {
    size += 1;
    if (node.kind === 'scalar') return node.value;
    if (node.kind === 'list') return node.items.map(anchored);
    if (node.kind === 'map') return mapping(node);
    const { value, size: more } = anchors.get(node.name) ?? { value: undefined, size: -1 };
    if (isStrict || more < 0) throw new NotYaml(node.at, isStrict ? 'an alias' : 'no anchor of this name');
    size += more;
    aliased += more;
    if (aliased > MAX_ALIASED) throw new NotYaml(node.at, 'too many values');
    return value;
  };
  const mapping = ({ entries }: YamlMap): unknown => {
    const made = new Map<string, unknown>();
    for (const [index, { key, value }] of entries.entries()) {
      const name = key.text ?? '';
      const plainly = anchored(value);
      if (isStrict && made.has(name)) throw new NotYaml(key.at, 'a key is repeated');
      if (isStrict || !key.isPlain || name !== '<<') made.set(name, plainly);
      // Programs differ in which of two values counts then.
      else if (index > 0) throw new NotYaml(key.at, 'a merge key after other keys');
      else for (const [from, it] of mergedOf(plainly, value.at)) made.set(from, it);
    }
    return Object.fromEntries(made);
  };
  const anchored = (node: YamlNode): unknown => {
    if (node.anchor === undefined) return plain(node);
    // An alias inside its own anchor has no value.
    anchors.delete(node.anchor);
    const before = size;
    const value = plain(node);
    anchors.set(node.anchor, { value, size: size - before });
    return value;
  };
  return anchored(root);
}

/** What a merge key stands for. The first of several mappings counts. */
function mergedOf(value: unknown, at: number): readonly (readonly [string, unknown])[] {
  const all = Array.isArray(value) ? [...value].reverse() : [value];
  return all.flatMap((it) => {
    if (typeof it !== 'object' || it === null || Array.isArray(it)) throw new NotYaml(at, 'not a mapping');
    return Object.entries(it);
  });
}

/** The offsets of the beginnings of the lines of a text. */
export function lineStarts(text: string): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at !== -1; at = text.indexOf('\n', at) + 1 || -1) starts.push(at);
  return starts;
}

/** The line and the column of an offset. Both count from 1. */
export function lineColumn(starts: readonly number[], offset: number): Readonly<Record<'line' | 'column', number>> {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: Math.max(offset - (starts[low] ?? 0), 0) + 1 };
}

/** The line of an offset; it counts from 1. */
export const lineOf = (text: string, offset: number): number => lineColumn(lineStarts(text), offset).line;

/** Writes a value as a YAML document. All strings are quoted: without quotes, `y`, `on` and numbers would not be strings. */
export const toYaml = (value: unknown): string =>
  dump(value, { forceQuotes: true, lineWidth: -1, noRefs: true, quoteStyle: 'double', skipInvalid: true });
