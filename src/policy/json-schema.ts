import * as z from 'zod';
import { ROUTES } from './path.ts';
import { policySchema } from './schema.ts';
import { host } from './sections.ts';

/** The policy's shape as JSON Schema (draft 7, which YAML language servers support), so that editors complete keys and
 * describe them. It is as strict as the shape alone can be; `meshgate validate` checks the rest. */
export function policyJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(policySchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === (host as z.core.$ZodType)) asPatterns(jsonSchema as Mapping);
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
