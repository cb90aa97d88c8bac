import * as z from 'zod';
import { ROUTES } from '../forms/path.ts';
import { host } from './host.ts';
import { policySchema } from './policy.ts';

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

type JsonSchema = Record<string, unknown>;

const BELOW = ['properties', 'patternProperties'] as const;

function partial({ required: _, ...schema }: JsonSchema): JsonSchema {
  const entire: JsonSchema = { ...schema };
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
