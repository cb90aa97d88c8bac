import { quote } from '../forms/path.ts';
import { hole, type Mapping, type Tree, type TreeProblem } from '../read/tree.ts';

/** The values of a profile's parameters by name: `host`, `roles.user`, `options.tokens`. A value that is undefined is
 * not set. */
export type Values = ReadonlyMap<string, Tree | undefined>;

const NAME = '(?:roles|options)\\.\\w+|\\w+';
const ONE = new RegExp(`^\\$(${NAME})$`);
const ALL = new RegExp(`\\$(?:\\$|(${NAME})?)`, 'g');

const MISTAKE =
  'after $ comes the name of a parameter, as in $host or $options.tokens; write $$ for the character itself';

/** Replaces the parameters in a part of a profile. A value that is only a parameter becomes the parameter's value; a list
 * is added to the list around it. An entry or an element whose parameter is not set is left out. */
export function fill(part: Mapping, values: Values, problem: (problem: TreeProblem) => void): Mapping {
  return new Filling(values, problem).map(part);
}

class Filling {
  readonly #values: Values;
  readonly #problem: (problem: TreeProblem) => void;

  constructor(values: Values, problem: (problem: TreeProblem) => void) {
    this.#values = values;
    this.#problem = problem;
  }

  map({ entries, ...rest }: Mapping): Mapping {
    const filled = [...entries].flatMap(([key, { at, node }]) => {
      const value = this.#node(node);
      return value === undefined ? [] : [[this.#text(key, at), { at, node: value }] as const];
    });
    return { ...rest, entries: new Map(filled) };
  }

  #node(node: Tree): Tree | undefined {
    if (node.kind === 'map') return this.map(node);
    if (node.kind === 'list') return { ...node, items: node.items.flatMap((item) => this.#items(item)) };
    const { value, at } = node;
    if (typeof value !== 'string' || !value.includes('$')) return node;
    const name = ONE.exec(value)?.[1];
    return name === undefined ? { ...node, value: this.#text(value, at) } : this.#value(name, at);
  }

  #items(item: Tree): readonly Tree[] {
    const filled = this.#node(item);
    if (filled === undefined) return [];
    return item.kind === 'scalar' && filled.kind === 'list' ? filled.items : [filled];
  }

  #value(name: string, at: number): Tree | undefined {
    if (this.#values.has(name)) return this.#values.get(name);
    const known = [...this.#values.keys()].join(', ');
    this.#problem({ at, path: [], message: `no parameter ${quote(name)}; write one of ${known}` });
    return hole(at);
  }

  /** A text with its parameters replaced. */
  #text(text: string, at: number): string {
    return text.replace(ALL, (form, name: string | undefined) => {
      if (form === '$$') return '$';
      if (name === undefined) {
        this.#problem({ at, path: [], message: MISTAKE });
        return '';
      }
      const value = this.#value(name, at);
      if (value?.kind === 'scalar' && ['string', 'number', 'undefined'].includes(typeof value.value))
        return String(value.value);
      if (value === undefined || value.kind !== 'scalar') {
        this.#problem({ at, path: [], message: `${form} is a part of a text, so its value must be a text too` });
      }
      return String((value as { value?: unknown } | undefined)?.value ?? '');
    });
  }
}
