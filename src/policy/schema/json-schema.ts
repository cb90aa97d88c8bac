import * as z from 'zod';
import { cardOf, cardsOf, type Key, type Relations, relationsOf, togethers } from '../forms/mapping.ts';
import { ROUTES } from '../forms/path.ts';
import { host } from './host.ts';
import { policySchema } from './policy.ts';

type JsonSchema = Record<string, unknown>;

/** The schema of policies as JSON Schema draft 7, for editors. `meshgate validate` checks more. */
export function policyJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(policySchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === (host as z.core.$ZodType)) asPatterns(jsonSchema as Mapping);
      // zod omits the default of a text that a schema transforms into a number.
      const usual = z.globalRegistry.get(zodSchema)?.default ?? jsonSchema.default;
      // An empty mapping or list as a default does not help the author of a policy.
      if (usual === undefined || (Object.keys(Object(usual)).length === 0 && typeof usual === 'object'))
        delete jsonSchema.default;
      else jsonSchema.default = usual as typeof jsonSchema.default;
      const card = cardOf(zodSchema);
      const said = [jsonSchema.description, ...(card === undefined ? [] : relationTexts(relationsOf(card)))];
      if (said.length > 1) jsonSchema.description = said.filter((it) => it !== undefined).join(' ');
      Object.assign(jsonSchema, together(zodSchema), dependencies(cardsOf(zodSchema) ?? {}));
    },
  });
  return { ...schema, title: 'meshgate policy' };
}

/** The text of docs/policy.schema.json, which `meshgate schema` prints. */
export const policyJsonSchemaText = (): string => `${JSON.stringify(policyJsonSchema(), null, 2)}\n`;

/** The schema of an overlay: it has the keys of a policy, but none of them is required, and `null` removes a key. A list
 * replaces the policy's list, so its elements are as in a policy. */
export const overlayJsonSchemaText = (): string =>
  `${JSON.stringify({ ...partial(policyJsonSchema()), title: 'meshgate overlay' }, null, 2)}\n`;

/** Names of keys as a sentence has them: `url|insecure_url`, `match/service`, `/gateway/store`. */
const inWords = (others: object, and: string): string =>
  Object.keys(others)
    .map((names) =>
      names
        .replaceAll('|', ' or ')
        .replace(/^\/|(?<= )\//g, '')
        .replaceAll('/', '.'),
    )
    .join(and);

/** The relations of a key to others, as sentences. */
function relationTexts(relations: Relations): readonly string[] {
  const { requires, noEffectWithout, excludes, unique, onlyInMesh, notInMesh, neededInMesh } = relations;
  return [
    requires && `Needs ${inWords(requires, ' and ')}.`,
    noEffectWithout && `Only with ${inWords(noEffectWithout, ' and ')}.`,
    excludes && `Not with ${inWords(excludes, ' or ')}.`,
    unique && 'No two are the same.',
    onlyInMesh && `Only in a mesh of kind ${inWords(onlyInMesh, ' or ')}.`,
    notInMesh && `Not in a mesh of kind ${inWords(notInMesh, ' or ')}.`,
    neededInMesh && `Required in a mesh of kind ${inWords(neededInMesh, ' or ')}.`,
  ].filter((it) => it !== undefined);
}

/** What holds for the keys of a mapping together. */
function together(schema: z.core.$ZodType): JsonSchema {
  const { notEmpty, oneOf, someOf } = togethers.get(schema) ?? {};
  return {
    ...(notEmpty !== undefined && { minProperties: 1 }),
    ...(oneOf && { oneOf: oneOf.keys.map(having) }),
    // An editor would show `anyOf` itself as a choice of forms.
    ...(someOf && { allOf: [{ anyOf: someOf.keys.map(having) }] }),
  };
}

/** A mapping that has a key, or a key below it. */
function having(name: string): JsonSchema {
  const [key = '', ...below] = name.split('/');
  return { required: [key], ...(below.length > 0 && { properties: { [key]: having(below.join('/')) } }) };
}

const havingOne = (names: string): JsonSchema =>
  names.includes('|') ? { anyOf: names.split('|').map(having) } : having(names);

/** What must be there, or must not be there, beside keys of a mapping. A path of the whole policy is only in the text. */
function dependencies(cards: Readonly<Record<string, Key>>): JsonSchema {
  const all = Object.entries(cards).flatMap(([key, { card }]): [string, JsonSchema][] => {
    const { requires, noEffectWithout, excludes } = relationsOf(card);
    const beside = (others: object = {}) => Object.keys(others).filter((names) => !names.startsWith('/'));
    const conditions = [
      ...beside({ ...requires, ...noEffectWithout }).map(havingOne),
      ...beside(excludes).map((names) => ({ not: havingOne(names) })),
    ];
    const [first, ...more] = conditions;
    return first === undefined ? [] : [[key, more.length === 0 ? first : { allOf: conditions }]];
  });
  return all.length === 0 ? {} : { dependencies: Object.fromEntries(all) };
}

const BELOW = ['properties', 'patternProperties'] as const;

/** The parts of a schema that say which keys belong together. An overlay may have any of them. */
const TOGETHER = ['required', 'dependencies', 'minProperties', 'oneOf', 'allOf'];

function partial(schema: JsonSchema): JsonSchema {
  const entire = Object.fromEntries(Object.entries(schema).filter(([name]) => !TOGETHER.includes(name)));
  for (const key of BELOW) {
    if (entire[key] === undefined) continue;
    const entries = Object.entries(entire[key] as Record<string, JsonSchema>);
    entire[key] = Object.fromEntries(entries.map(([name, it]) => [name, removable(it)]));
  }
  if (typeof entire.additionalProperties === 'object') {
    entire.additionalProperties = removable(entire.additionalProperties as JsonSchema);
  }
  if (Array.isArray(entire.anyOf)) entire.anyOf = entire.anyOf.map(partial);
  return entire;
}

const removable = (schema: JsonSchema): JsonSchema => ({ anyOf: [partial(schema), { type: 'null' }] });

interface Mapping {
  properties: Record<string, { additionalProperties?: unknown }>;
  patternProperties?: Record<string, unknown>;
  required?: string[];
}

/** Moves the routes of a host to the same level as its other keys, as in the file. */
function asPatterns(schema: Mapping): void {
  const routes = schema.properties[ROUTES];
  delete schema.properties[ROUTES];
  delete schema.required;
  schema.patternProperties = { '^/': routes?.additionalProperties ?? {} };
}
