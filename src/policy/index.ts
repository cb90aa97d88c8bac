export type * from './checked/types.ts';
export { expandPolicy } from './compose/expanded.ts';
export { place } from './forms/at.ts';
export {
  formatError,
  type Parsed,
  type PolicyText,
  type ProfileSource,
  parsePolicy,
  type Stage,
  type TeamText,
} from './parse.ts';
export { isVariable, type Variables } from './read/variables.ts';
export { overlayJsonSchemaText, policyJsonSchema, policyJsonSchemaText } from './schema/json-schema.ts';
