export { place } from './at.ts';
export { expandPolicy } from './expanded.ts';
export { overlayJsonSchemaText, policyJsonSchema, policyJsonSchemaText } from './json-schema.ts';
export {
  formatError,
  type Parsed,
  type PolicyText,
  type ProfileSource,
  parsePolicy,
  type Stage,
  type TeamText,
} from './parse.ts';
export type * from './types.ts';
export { isVariable, type Variables } from './variables.ts';
