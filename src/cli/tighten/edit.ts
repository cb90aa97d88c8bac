import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

/* Removes parts of a policy file. The rest of its text stays as it is, with comments and line breaks. */

type Collection = YAMLMap<Node, Node | null> | YAMLSeq<Node>;

/** The part of the text that is removed; `to` is behind its last character. */
export interface Cut {
  readonly from: number;
  readonly to: number;
}

export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

interface Holder {
  readonly parent: Collection;
  readonly index: number;
}

const itemsOf = (collection: Collection): readonly (Node | Pair<Node, Node | null>)[] => collection.items;

const isPair = (it: Node | Pair<Node, Node | null>): it is Pair<Node, Node | null> => !('range' in it);

const startOf = (item: Node | Pair<Node, Node | null>): number => (isPair(item) ? item.key : item).range?.[0] ?? -1;

/** The end of a node's own text, without comments and line breaks behind it. */
function endOf(item: Node | Pair<Node, Node | null>): number {
  const node = isPair(item) ? (item.value ?? item.key) : item;
  if (isCollection(node) && node.flow !== true) {
    const last = itemsOf(node as Collection).at(-1);
    if (last !== undefined) return endOf(last);
  }
  return node.range?.[1] ?? -1;
}

/** The nodes of a policy file that can be removed. */
export class PolicyParts {
  readonly text: string;
  readonly #items = new Map<string, Holder>();
  readonly #keys = new Map<string, Holder>();
  readonly #holders = new Map<unknown, Holder>();
  readonly #removed = new Map<Collection, Set<number>>();

  constructor(text: string) {
    this.text = text;
    const lines = new LineCounter();
    const { contents } = parseDocument(text, { lineCounter: lines, logLevel: 'silent', stringKeys: true });
    const placeOf = (item: Node | Pair<Node, Node | null>): string => {
      const { line, col } = lines.linePos(startOf(item));
      return `${line}:${col}`;
    };
    const visit = (node: unknown): void => {
      if (!isMap(node) && !isSeq(node)) return;
      const parent = node as Collection;
      for (const [index, item] of itemsOf(parent).entries()) {
        const inner = isPair(item) ? item.value : item;
        (isPair(item) ? this.#keys : this.#items).set(placeOf(item), { parent, index });
        if (inner !== null) this.#holders.set(inner, { parent, index });
        visit(inner);
      }
    };
    visit(contents);
  }

  /** Removes the item of a list. Returns false if there is none at this place. */
  item(at: LineColumn): boolean {
    return this.#remove(this.#items.get(`${at.line}:${at.column}`));
  }

  /** Removes the entry whose key is at this place. Returns false if there is none. */
  entry(at: LineColumn): boolean {
    return this.#remove(this.#keys.get(`${at.line}:${at.column}`));
  }

  /** Removes texts from a list of the item at this place. Returns false if the list has none of them. */
  words(at: LineColumn, key: string, words: readonly string[]): boolean {
    const { parent, index } = this.#items.get(`${at.line}:${at.column}`) ?? {};
    const item = parent === undefined ? undefined : itemsOf(parent)[index as number];
    const list = isMap(item) ? item.get(key, true) : undefined;
    if (!isSeq(list) || isAlias(list)) return false;
    const parentOf = list as unknown as Collection;
    const found = itemsOf(parentOf).flatMap((it, place) =>
      isScalar(it) && words.includes(String(it.value)) ? [place] : [],
    );
    return found.length > 0 && found.map((place) => this.#remove({ parent: parentOf, index: place })).every(Boolean);
  }

  #remove(holder: Holder | undefined): boolean {
    if (holder === undefined) return false;
    const { parent, index } = holder;
    const removed = this.#removed.get(parent) ?? new Set();
    this.#removed.set(parent, removed.add(index));
    // A collection without items is removed as a whole.
    if (removed.size < parent.items.length) return true;
    this.#removed.delete(parent);
    return this.#remove(this.#holders.get(parent));
  }

  /** The removed parts, in the order of the text; undefined if a part cannot be removed without its neighbours. */
  cuts(): readonly Cut[] | undefined {
    const all = [...this.#removed].flatMap(([parent, indexes]): readonly (Cut | undefined)[] =>
      parent.flow === true ? this.#flowCuts(parent, indexes) : [...indexes].map((it) => this.#lines(parent, it)),
    );
    const cuts = all.filter((it) => it !== undefined);
    if (cuts.length < all.length) return undefined;
    return cuts.sort((a, b) => a.from - b.from || b.to - a.to).reduce<readonly Cut[]>(merged, []);
  }

  /** The removed items of a list or mapping in brackets, with their commas. */
  #flowCuts(parent: Collection, removed: ReadonlySet<number>): readonly Cut[] {
    const items = itemsOf(parent);
    const cuts: Cut[] = [];
    for (let i = 0; i < items.length; i++) {
      if (!removed.has(i)) continue;
      let last = i;
      while (removed.has(last + 1)) last += 1;
      const [before, after] = [items[i - 1], items[last + 1]];
      const from = before === undefined ? startOf(items[i] as Node) : endOf(before);
      const to = before === undefined && after !== undefined ? startOf(after) : endOf(items[last] as Node);
      cuts.push({ from, to });
      i = last;
    }
    return cuts;
  }

  /** The lines of an item on lines of its own. */
  #lines(parent: Collection, index: number): Cut | undefined {
    const item = itemsOf(parent)[index] as Node;
    let start = startOf(item);
    if (isSeq(parent)) {
      start = this.text.slice(0, start).trimEnd().length - 1;
      if (this.text[start] !== '-') return undefined;
    }
    const from = this.text.lastIndexOf('\n', start - 1) + 1;
    if (this.text.slice(from, start).trim() !== '') return undefined;
    const end = endOf(item);
    const to = this.text[end - 1] === '\n' ? end : this.text.indexOf('\n', end) + 1;
    return { from, to: to === 0 ? this.text.length : to };
  }
}

/** Adds a part to those before it. A part within another one is removed with it. */
function merged(cuts: readonly Cut[], cut: Cut): readonly Cut[] {
  const last = cuts.at(-1);
  if (last === undefined || cut.from >= last.to) return [...cuts, cut];
  return [...cuts.slice(0, -1), { from: last.from, to: Math.max(last.to, cut.to) }];
}

/** Returns the text without the removed parts. */
export function withoutCuts(text: string, cuts: readonly Cut[]): string {
  let out = '';
  let at = 0;
  for (const { from, to } of cuts) {
    out += text.slice(at, from);
    at = to;
  }
  return out + text.slice(at);
}
