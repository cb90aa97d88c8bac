export { policyJsonSchema, policyJsonSchemaText } from './json-schema.ts';
export { formatError, type Parsed, parsePolicy } from './parse.ts';
export type * from './types.ts';
