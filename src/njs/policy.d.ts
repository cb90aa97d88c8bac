/** The rendered policy: written by `meshgate render --target nginx` beside the bundle. */
declare module '*/policy.js' {
  const table: import('../rules/types.ts').Table;
  export default table;
}
