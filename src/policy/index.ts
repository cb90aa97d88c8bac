export { formatError, type Parsed, parsePolicy } from './parse.ts';
export type * from './types.ts';
