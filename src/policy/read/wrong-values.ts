import { type Bare, choose, elementOf, keysOf, kindOf, type Schema, takes, valuesOf } from '../forms/descend.ts';
import { type Path, quote, ROUTES } from '../forms/path.ts';
import type { Report } from './report.ts';
import { advise, nearest, oneOf } from './suggest.ts';
import { find, hole, replace, type Tree } from './tree.ts';
import type { Expanded } from './variables.ts';

/** Reports a value that does not fit its schema, and replaces it by the value that was probably meant, or by a hole. */
export function mendValue(report: Report, path: Path, schema: Bare, value: unknown): boolean {
  const node = find(report.tree, path);
  if (!node) return false;
  if (mendReading(report, path, schema, node)) return true;
  const chosen = choose(schema, value);
  const values = chosen && valuesOf(chosen);
  const expanded = node.kind === 'scalar' ? node.expanded : undefined;
  if (values && typeof value === 'string' && !expanded) {
    report.add(path, enumMessage(value, values, schema));
    report.mention(node);
    const meant = nearest(value, values) ?? (values.length === 1 ? values[0] : undefined);
    replace(report.tree, path, meant === undefined ? hole(node.at) : { kind: 'scalar', at: node.at, value: meant });
    return true;
  }
  const element = elementOf(schema);
  if (element && belongsInList(element, value)) {
    const items = typeof value === 'string' && !expanded ? itemsOf(value, node) : [node];
    report.add(
      path,
      `${show(expanded ? unshown(expanded) : value)} must be in a list; write [${items.map(itemText).join(', ')}]`,
    );
    replace(report.tree, path, { kind: 'list', at: node.at, items });
    return true;
  }
  const shown = expanded ? unshown(expanded) : report.conceals(value) ? SECRET : value;
  report.add(path, messageFor(shown, chosen ?? schema, schema));
  report.mention(node);
  if (path.length === 0) return false;
  replace(report.tree, path, hole(node.at));
  return true;
}

/** Gives a value with variables its other reading, if only this one is of the kind that the schema accepts. */
function mendReading(report: Report, path: Path, { schema }: Bare, node: Tree): boolean {
  const other = node.kind === 'scalar' ? node.expanded?.other : undefined;
  if (node.kind !== 'scalar' || other === undefined || node.value === other) return false;
  if (takes(schema, node.value) || !takes(schema, other)) return false;
  replace(report.tree, path, { ...node, value: other });
  return true;
}

/** Returns the elements of a list in which one bracket or both are missing. */
function itemsOf(text: string, { at }: Tree): Tree[] {
  const items = text
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((it) => it.trim().replace(/^(["'])(.*)\1$/, '$2'));
  return items.filter((it) => it !== '').map((value) => ({ kind: 'scalar', at, value }));
}

function itemText(item: Tree): string {
  if (item.kind !== 'scalar') return '{ … }';
  if (item.expanded) return `"${item.expanded.source}"`;
  return item.value === '*' ? '"*"' : String(item.value);
}

/** A value that errors do not repeat. */
class Unshown {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const SECRET = new Unshown('this text');

const unshown = ({ source }: Expanded) => new Unshown(`the value of ${quote(source)}`);

function belongsInList(element: Schema, value: unknown): boolean {
  const kind = kindOf(value);
  const isEmpty = kind === 'mapping' && Object.keys(value as object).length === 0;
  return kind !== 'list' && kind !== 'null' && !isEmpty && takes(element, value);
}

function enumMessage(value: string, values: readonly string[], { hint }: Bare): string {
  const guess = nearest(value, values);
  const instead = guess === undefined && hint ? `write ${hint.fix?.(value) ?? hint.write}` : advise(value, values);
  return `${quote(value)} is not ${hint?.what ?? 'known here'}; ${instead}`;
}

function messageFor(value: unknown, chosen: Bare, { hint: outer }: Bare): string {
  const hint = chosen.hint ?? outer;
  if (hint && value === null) return `the value is missing; write ${hint.write}`;
  if (hint && Array.isArray(value) && value.length === 0) return `the list is empty; write ${hint.write}`;
  const fix = value instanceof Unshown ? undefined : hint?.fix?.(value);
  if (hint) return `${show(value)} is not ${hint.what}; write ${fix ?? hint.write}`;
  const values = valuesOf(chosen);
  if (values) return `${show(value)} is not known here; write ${oneOf(values)}`;
  const keys = keysOf(chosen);
  const below = keys ? oneOf([...keys.keys()].filter((key) => key !== ROUTES)) : 'names, each with its own mapping,';
  return `${value === null ? 'the value is missing' : `${show(value)} is not a mapping`}; write ${below} below it`;
}

export function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (value instanceof Unshown) return value.text;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'a mapping' : String(value);
}
