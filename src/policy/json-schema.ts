import * as z from 'zod';
import { host } from './host.ts';
import { ROUTES } from './path.ts';
import { policySchema } from './schema.ts';

/** The policy's shape as JSON Schema (draft 7, which YAML language servers support), so that editors complete keys and
 * describe them. It is as strict as the shape alone can be; `meshgate validate` checks the rest. */
export function policyJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(policySchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === (host as z.core.$ZodType)) asPatterns(jsonSchema as Mapping);
      // zod leaves out the default of a text that becomes a number.
      const usual = z.globalRegistry.get(zodSchema)?.default ?? jsonSchema.default;
      // An editor gains nothing from an empty mapping or list.
      if (usual === undefined || (Object.keys(Object(usual)).length === 0 && typeof usual === 'object'))
        delete jsonSchema.default;
      else jsonSchema.default = usual as typeof jsonSchema.default;
    },
  });
  return { ...schema, title: 'meshgate policy' };
}

/** The text of docs/policy.schema.json, which `meshgate schema` prints. */
export function policyJsonSchemaText(): string {
  return `${JSON.stringify(policyJsonSchema(), null, 2)}\n`;
}

interface Mapping {
  properties: Record<string, { additionalProperties?: unknown }>;
  patternProperties?: Record<string, unknown>;
  required?: string[];
}

/** In a file the routes of a host stand beside its other keys. */
function asPatterns(schema: Mapping): void {
  const routes = schema.properties[ROUTES];
  delete schema.properties[ROUTES];
  delete schema.required;
  schema.patternProperties = { '^/': routes?.additionalProperties ?? {} };
}
