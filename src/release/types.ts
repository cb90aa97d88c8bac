/** TypeScript types of the policy file, from its JSON Schema: dist/policy.d.ts, which the package exports. */
import { SECTIONS } from '../policy/compose/team-file.ts';

/** The part of JSON Schema that the policy's schema uses. */
interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly required?: readonly string[];
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly default?: unknown;
}

/** Keywords that have a type, and those that only bound or describe a value. */
const KNOWN =
  /^(\$ref|anyOf|const|enum|type|items|properties|patternProperties|additionalProperties|required|definitions|description|default|\$schema|title|pattern|propertyNames|uniqueItems|dependencies|oneOf|allOf|(exclusive)?(min|max)\w+)$/i;

/** Parts of the schema that have a name of their own. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  Gateway: ['properties', 'gateway'],
  Provider: ['properties', 'providers', 'additionalProperties'],
  Agent: ['properties', 'agents', 'additionalProperties'],
  Mesh: ['properties', 'mesh'],
  Service: ['properties', 'services', 'additionalProperties'],
  Team: ['properties', 'teams', 'additionalProperties'],
  Profile: ['properties', 'profiles', 'items'],
  Host: ['properties', 'hosts', 'additionalProperties'],
  Route: ['properties', 'hosts', 'additionalProperties', 'patternProperties', '^/'],
  PolicyTest: ['properties', 'tests', 'items'],
};

const HEAD = `/** The policy file of meshgate as YAML or JSON holds it. "meshgate validate" checks more than these types can. */

`;

const OVERLAY = `
/** A file that "--overlay" merges into the policy: it has the keys that it changes, and \`null\` removes a key. */
export type Overlay = Changes<Policy>;

/** The file of a team. */
export type TeamFile = Pick<Partial<Policy>, ${SECTIONS.map((name) => JSON.stringify(name)).join(' | ')}>;

type Changes<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: Changes<T[Key]> | null }
    : T;

export {};
`;

const capital = (name: string) => name[0]!.toUpperCase() + name.slice(1);
/** What two schemas of one type have in common: a place can have a description of its own. */
const essence = ({ description: _, default: __, ...schema }: Schema) => JSON.stringify(schema);

/** Renders the declarations. Throws if the schema uses a keyword that has no type here. */
export function policyTypes(schema: Schema): string {
  const at = (path: readonly string[]) =>
    path.reduce<unknown>((it, key) => (it as Record<string, unknown>)[key], schema) as Schema;
  const definitions = Object.entries(schema.definitions ?? {}).map(([name, it]) => [capital(name), it] as const);
  const named = [...Object.entries(NAMED).map(([name, path]) => [name, at(path)] as const), ...definitions];
  const names = new Map(named.map(([name, it]) => [essence(it), name]));
  const declarations = [['Policy', schema] as const, ...named].map(([name, it]) => {
    const body = it.properties === undefined ? `type ${name} = ${typeOf(it, '', names)};` : '';
    return `${comment(it, '')}export ${body || `interface ${name} ${mappingOf(it, '', names)}`}\n`;
  });
  return HEAD + declarations.join('\n') + OVERLAY;
}

type Names = ReadonlyMap<string, string>;

/** The type of a part: by its name if it has one. */
function typeAt(schema: Schema, indent: string, names: Names): string {
  return names.get(essence(schema)) ?? typeOf(schema, indent, names);
}

function typeOf(schema: Schema, indent: string, names: Names): string {
  const strange = Object.keys(schema).find((key) => !KNOWN.test(key));
  if (strange !== undefined) throw new Error(`src/release/types.ts has no type for the keyword ${strange}: add it`);
  if (schema.$ref !== undefined) return capital(schema.$ref.replace('#/definitions/', ''));
  if (schema.anyOf !== undefined) return schema.anyOf.map((it) => typeAt(it, indent, names)).join(' | ');
  if (schema.enum !== undefined) return schema.enum.map((it) => JSON.stringify(it)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  switch (schema.type) {
    case 'array':
      return `ReadonlyArray<${typeAt(schema.items ?? {}, indent, names)}>`;
    case 'object':
      return schema.properties === undefined && schema.patternProperties === undefined
        ? `Readonly<Record<string, ${typeAt(schema.additionalProperties || {}, indent, names)}>>`
        : mappingOf(schema, indent, names);
    case 'integer':
      return 'number';
    default:
      return schema.type ?? 'unknown';
  }
}

function mappingOf(schema: Schema, indent: string, names: Names): string {
  const inner = `${indent}  `;
  const keys = Object.entries(schema.properties ?? {}).map(([key, it]) => {
    const optional = schema.required?.includes(key) ? '' : '?';
    return `${comment(it, inner)}${inner}readonly ${key}${optional}: ${typeAt(it, inner, names)};\n`;
  });
  const patterns = Object.entries(schema.patternProperties ?? {}).map(([pattern, it]) => {
    if (pattern !== '^/') throw new Error(`src/release/types.ts has no type for keys that match ${pattern}: add it`);
    return `${comment(it, inner)}${inner}readonly [path: \`/\${string}\`]: ${typeAt(it, inner, names)};\n`;
  });
  return `{\n${[...keys, ...patterns].join('')}${indent}}`;
}

/** The description as TSDoc, with the default. */
function comment({ description, default: usual }: Schema, indent: string): string {
  const value = usual === undefined ? '' : `Default: \`${typeof usual === 'string' ? usual : JSON.stringify(usual)}\`.`;
  const text = [description, value].filter(Boolean).join(' ').replaceAll('*/', '*\\/');
  return text === '' ? '' : `${indent}/** ${text} */\n`;
}
