/*
 * Long inputs that make a regular expression slow, if any do: for each of its quantifiers a text that leads to it, then
 * many repetitions, then a text that does not match. Backtracking takes more than linear time if two quantifiers beside
 * or inside each other can match the same characters, and if a match may begin at any of them.
 */

type Node =
  | { readonly kind: 'one'; readonly source: string }
  | { readonly kind: 'group'; readonly options: readonly (readonly Node[])[]; readonly silent: boolean }
  | { readonly kind: 'many'; readonly of: Node; readonly least: number; readonly most: number };

/** Reads a pattern as far as its quantifiers go. */
class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  options(): Node[][] {
    const options: Node[][] = [[]];
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#source[this.#at] === '|') {
        this.#at++;
        options.push([]);
      } else options.at(-1)?.push(this.#quantified(this.#atom()));
    }
    return options;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #atom(): Node {
    const open = this.#take(/\((?:\?(?:<[=!]|<\w+>|[:=!]))?/y);
    if (open !== undefined) {
      const options = this.options();
      this.#at++;
      return { kind: 'group', options, silent: /[=!]$/.test(open) };
    }
    const source = this.#take(
      /\[(?:\\.|[^\]\\])*\]|\\(?:u\{[^}]*\}|u....|x..|[pP]\{[^}]*\}|k<\w+>|.)|[\s\S]/y,
    ) as string;
    return { kind: 'one', source };
  }

  #quantified(of: Node): Node {
    const text = this.#take(/[*+?]\??|\{\d+(?:,\d*)?\}\??/y);
    if (text === undefined) return of;
    const [, least, comma, most] = /^\{(\d+)(,?)(\d*)\}/.exec(text) ?? [];
    if (least === undefined)
      return { kind: 'many', of, least: text[0] === '+' ? 1 : 0, most: text[0] === '?' ? 1 : Number.POSITIVE_INFINITY };
    const end = comma === '' ? Number(least) : most === '' ? Number.POSITIVE_INFINITY : Number(most);
    return { kind: 'many', of, least: Number(least), most: end };
  }
}

const CHARACTERS = [...Array.from({ length: 127 }, (_, i) => String.fromCharCode(i)), '\u0080', '\ud800', '日'];

const matched = new Map<string, readonly string[]>();

/** Characters that one element of a pattern takes; nothing for anchors. */
function charactersOf(source: string, flags: string): readonly string[] {
  const key = `${source} ${flags}`;
  const known = matched.get(key);
  if (known !== undefined) return known;
  let found: readonly string[] = [];
  if (!/^(?:[$^]|\\[bB\d]|\\k.*)$/.test(source)) {
    const one = new RegExp(`^(?:${source})$`, flags.replace(/[gym]/g, ''));
    found = CHARACTERS.filter((it) => one.test(it));
  }
  matched.set(key, found);
  return found;
}

/** A short text that a part of a pattern takes, with this character wherever it may stand. */
function textOf(node: Node, flags: string, wanted: string): string {
  if (node.kind === 'one') {
    const characters = charactersOf(node.source, flags);
    return characters.includes(wanted) ? wanted : (characters.find((it) => /\w/.test(it)) ?? characters[0] ?? '');
  }
  if (node.kind === 'many') return textOf(node.of, flags, wanted).repeat(Math.max(node.least, 0));
  if (node.silent) return '';
  const texts = node.options.map((option) => option.map((it) => textOf(it, flags, wanted)).join(''));
  return texts.find((text) => text.includes(wanted)) ?? texts.find((text) => text !== '') ?? '';
}

/** The repeated part, and the text that leads to it. */
interface Pump {
  readonly before: string;
  readonly repeated: string;
}

/** A bounded repetition costs at most this many times as much, so it is not tried. */
const MANY = 1000;

/** One character of each kind: those that the same elements of the pattern take are alike. */
function kindsOf(sources: ReadonlySet<string>, flags: string): readonly string[] {
  const kinds = new Map<string, string>();
  const sets = [...sources].map((source) => new Set(charactersOf(source, flags)));
  for (const character of CHARACTERS) {
    const kind = sets.map((set) => (set.has(character) ? 1 : 0)).join('');
    if (!kinds.has(kind) || /[a-z ]/.test(character)) kinds.set(kind, character);
  }
  return [...kinds.values()];
}

function sourcesIn(options: readonly (readonly Node[])[], found: Set<string>): void {
  for (const node of options.flat()) {
    if (node.kind === 'one') found.add(node.source);
    else sourcesIn(node.kind === 'group' ? node.options : [[node.of]], found);
  }
}

function pumpsOf({ source, flags }: RegExp): readonly Pump[] {
  const options = new Reader(source).options();
  const sources = new Set<string>();
  sourcesIn(options, sources);
  const kinds = kindsOf(sources, flags);
  const found = new Map<string, Pump>();
  const add = (before: string, repeated: string) => {
    if (repeated !== '') found.set(`${before}\n${repeated}`, { before, repeated });
  };
  const visit = (all: readonly (readonly Node[])[], before: string): void => {
    for (const option of all) {
      let lead = before;
      for (const node of option) {
        if (node.kind === 'many' && node.most > MANY) {
          for (const kind of kinds) {
            const repeated = textOf(node.of, flags, kind);
            if (!repeated.includes(kind)) continue;
            add(lead, repeated);
            // A match may begin at what leads to it, again and again.
            add('', lead + repeated);
          }
        }
        if (node.kind === 'many') visit([[node.of]], lead);
        if (node.kind === 'group') visit(node.options, lead);
        lead += textOf(node, flags, '');
      }
      add('', lead);
    }
  };
  visit(options, '');
  for (const kind of kinds) add('', kind);
  return [...found.values()];
}

/** Beginnings of inputs: some of these match nothing in most patterns. */
const BEFORE = ['', '!', '\u0001'];

/** Some fit nowhere in most patterns, one ends a line, and one ends no text. */
const AFTER = ['', '\u0000', '\n', ' ! !', '\n\n\u0000'];

/** All inputs of about this length for a pattern. */
export function inputsOf(pattern: RegExp): (length: number) => readonly string[] {
  const pumps = pumpsOf(pattern);
  const begins = /^\^(?!.*\|)/.test(pattern.source) && !pattern.multiline ? [''] : BEFORE;
  return (length) =>
    pumps.flatMap(({ before, repeated }) => {
      const text = before + repeated.repeat(Math.ceil(length / repeated.length));
      return begins.flatMap((lead) => AFTER.map((after) => lead + text + after));
    });
}
