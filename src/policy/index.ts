export { place } from './at.ts';
export { overlayJsonSchemaText, policyJsonSchema, policyJsonSchemaText } from './json-schema.ts';
export { formatError, type Parsed, type PolicyText, parsePolicy, type Stage } from './parse.ts';
export type * from './types.ts';
export { isVariable, type Variables } from './variables.ts';
