import { lineColumn, lineStarts, readYaml, type YamlList, type YamlMap, type YamlNode } from '../../base/yaml.ts';

/* Removes parts of a policy file. The rest of its text stays as it is, with comments and line breaks. */

type Collection = YamlList | YamlMap;

/** An item of a list, or an entry of a mapping with its key. */
interface Item {
  readonly at: number;
  readonly end: number;
  readonly value: YamlNode;
}

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

const itemsOf = (collection: Collection): readonly Item[] =>
  collection.kind === 'list'
    ? collection.items.map((value) => ({ at: value.at, end: value.end, value }))
    : collection.entries.map(({ key, value }) => ({ at: key.at, end: value.end, value }));

/** The nodes of a policy file that can be removed. */
export class PolicyParts {
  readonly text: string;
  readonly #items = new Map<string, Holder>();
  readonly #keys = new Map<string, Holder>();
  readonly #holders = new Map<YamlNode, Holder>();
  readonly #removed = new Map<Collection, Set<number>>();

  constructor(text: string) {
    this.text = text;
    const starts = lineStarts(text);
    const visit = (parent: YamlNode): void => {
      if (parent.kind !== 'list' && parent.kind !== 'map') return;
      for (const [index, { at, value }] of itemsOf(parent).entries()) {
        const { line, column } = lineColumn(starts, at);
        (parent.kind === 'map' ? this.#keys : this.#items).set(`${line}:${column}`, { parent, index });
        this.#holders.set(value, { parent, index });
        visit(value);
      }
    };
    readYaml(text).documents.forEach(visit);
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
    const item = parent === undefined ? undefined : itemsOf(parent)[index as number]?.value;
    const list = item?.kind === 'map' ? item.entries.find((it) => it.key.text === key)?.value : undefined;
    if (list?.kind !== 'list') return false;
    const found = list.items.flatMap((it, place) =>
      it.kind === 'scalar' && words.includes(String(it.value)) ? [place] : [],
    );
    return found.length > 0 && found.map((place) => this.#remove({ parent: list, index: place })).every(Boolean);
  }

  #remove(holder: Holder | undefined): boolean {
    if (holder === undefined) return false;
    const { parent, index } = holder;
    const removed = this.#removed.get(parent) ?? new Set();
    this.#removed.set(parent, removed.add(index));
    // A collection without items is removed as a whole.
    if (removed.size < itemsOf(parent).length) return true;
    this.#removed.delete(parent);
    return this.#remove(this.#holders.get(parent));
  }

  /** The removed parts, in the order of the text; undefined if a part cannot be removed without its neighbours. */
  cuts(): readonly Cut[] | undefined {
    const all = [...this.#removed].flatMap(([parent, indexes]): readonly (Cut | undefined)[] =>
      parent.isFlow ? this.#flowCuts(parent, indexes) : [...indexes].map((it) => this.#lines(parent, it)),
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
      const [first, end] = [items[i] as Item, items[last] as Item];
      const from = before === undefined ? first.at : before.end;
      const to = before === undefined && after !== undefined ? after.at : end.end;
      cuts.push({ from, to });
      i = last;
    }
    return cuts;
  }

  /** The lines of an item on lines of its own. */
  #lines(parent: Collection, index: number): Cut | undefined {
    const { at, end } = itemsOf(parent)[index] as Item;
    let start = at;
    if (parent.kind === 'list') {
      start = this.text.slice(0, start).trimEnd().length - 1;
      if (this.text[start] !== '-') return undefined;
    }
    const from = this.text.lastIndexOf('\n', start - 1) + 1;
    if (this.text.slice(from, start).trim() !== '') return undefined;
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
