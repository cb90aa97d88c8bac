/** Writes docs/policy-reference.md from the JSON Schema of a policy: a table for each mapping. */

export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** What a pattern is called: by texts that it accepts and rejects, because patterns have no names in a schema. */
const FORMS: readonly (readonly [word: string, accepts: readonly string[], rejects: readonly string[]])[] = [
  ['duration', ['30s', '1d'], ['8k', 'staff']],
  ['size', ['8k', '8m'], ['30s', 'staff']],
  ['rate', ['20/s'], ['20', 'staff']],
  ['file', ['/run/tls/tls.crt'], ['staff', 'https://login.example.com']],
  ['URL', ['https://login.example.com'], ['staff', '/run/tls']],
  ['address range', ['10.9.0.0/24'], ['10.9.0.0', 'staff']],
  ['SPIFFE id', ['spiffe://example.org/ns/edge/sa/wiki'], ['staff', '/run/tls']],
];

function formOf(pattern: string): string {
  const is = new RegExp(pattern);
  const found = FORMS.find(([, yes, no]) => yes.every((it) => is.test(it)) && !no.some((it) => is.test(it)));
  return found?.[0] ?? 'text';
}

const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
/** Numbers that a schema states only because JavaScript has no larger ones. */
const isBound = (value?: number) => value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;

interface Section {
  readonly places: string[];
  readonly schema: Schema;
}

const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** The mapping without its description: equal mappings share a table. */
const shapeOf = ({ description: _, default: _default, ...shape }: Schema) => JSON.stringify(shape);

class Reference {
  readonly sections = new Map<string, Section>();

  /** Notes the mappings in a schema, in the order of the file. */
  collect(schema: Schema, place: string): void {
    if (schema.properties !== undefined || schema.patternProperties !== undefined) {
      const known = this.sections.get(shapeOf(schema));
      if (known !== undefined) {
        known.places.push(place);
        return;
      }
      this.sections.set(shapeOf(schema), { places: [place], schema });
    }
    const below = place === 'the policy' ? '' : `${place}.`;
    for (const [key, it] of Object.entries(schema.properties ?? {})) this.collect(it, `${below}${key}`);
    for (const it of Object.values(schema.patternProperties ?? {})) this.collect(it, `${below}PATH`);
    if (typeof schema.additionalProperties === 'object') this.collect(schema.additionalProperties, `${below}NAME`);
    for (const it of schema.anyOf ?? []) this.collect(it, place);
    if (schema.items !== undefined) this.collect(schema.items, `${place}[]`);
  }

  /** The type of a value, as a cell says it. */
  typeOf(schema: Schema): string {
    if (schema.$ref !== undefined) return '[fact](#fact)';
    if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map((it) => this.typeOf(it)))].join(' or ');
    if (schema.const !== undefined) return code(schema.const);
    if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
    if (schema.type === 'array') return `list: ${this.typeOf(schema.items ?? {})}`;
    const section = this.sections.get(shapeOf(schema));
    if (section !== undefined) return `[mapping](#${anchorOf(section.places[0] ?? '')})`;
    if (typeof schema.additionalProperties === 'object') return `by name: ${this.typeOf(schema.additionalProperties)}`;
    if (schema.type === 'string') return schema.pattern === undefined ? 'text' : formOf(schema.pattern);
    if (schema.type === 'integer' || schema.type === 'number') {
      const { minimum, maximum } = schema;
      const from = isBound(minimum) ? ` from ${minimum}` : '';
      return `${schema.type}${from}${isBound(maximum) ? ` to ${maximum}` : ''}`;
    }
    return schema.type === 'null' ? '`null`' : (schema.type ?? 'any value');
  }

  table({ places, schema }: Section): string {
    const [place = '', ...others] = places;
    const keys = [
      ...Object.entries(schema.properties ?? {}),
      ...Object.values(schema.patternProperties ?? {}).map((it) => ['/PATH', it] as const),
    ];
    const hasDefaults = keys.some(([, it]) => it.default !== undefined);
    const cellsOf = (key: string, it: Schema) => {
      const usual = it.default === undefined ? '' : code(it.default);
      const needed = schema.required?.includes(key) ? 'Required. ' : '';
      const meaning = `${needed}${it.description ?? this.typeMeaning(it)}`.replace(/[|*]/g, '\\$&');
      return `${this.typeOf(it)} |${hasDefaults ? ` ${usual} |` : ''} ${meaning} |`;
    };
    const someOf = schema.allOf?.flatMap((it) => it.anyOf ?? []);
    const list = (all: readonly Schema[]) => all.map((it) => code(it.required?.[0])).join(', ');
    const rows = Map.groupBy(keys, ([key, it]) => cellsOf(key, it));
    return [
      `## ${place}`,
      '',
      ...(others.length === 0 ? [] : [`Also: ${others.map(code).join(', ')}.`, '']),
      ...(schema.oneOf === undefined ? [] : [`It has one of ${list(schema.oneOf)}.`, '']),
      ...(someOf === undefined ? [] : [`It has at least one of ${list(someOf)}.`, '']),
      `| key | type | ${hasDefaults ? 'default | ' : ''}meaning |`,
      `| --- | --- | --- |${hasDefaults ? ' --- |' : ''}`,
      ...[...rows].map(([cells, same]) => `| ${same.map(([key]) => code(key)).join(', ')} | ${cells}`),
      '',
    ].join('\n');
  }

  /** A list or a reference has the meaning of its elements. */
  private typeMeaning(schema: Schema): string {
    const below = schema.additionalProperties ?? schema.items;
    return typeof below === 'object' ? (below.description ?? '') : '';
  }
}

/** The page. */
export function referenceOf(schema: Schema, head: string): string {
  const reference = new Reference();
  reference.collect(schema, 'the policy');
  for (const [name, it] of Object.entries(schema.definitions ?? {})) reference.collect(it, name);
  return [head, ...[...reference.sections.values()].map((section) => reference.table(section))].join('\n');
}
