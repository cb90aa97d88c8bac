/** The rendered policy: written by `meshgate render --target nginx` beside the bundle. */
declare module '*/policy.js' {
  const table: import('../rules/types.ts').Table;
  export default table;
}

/** What the sign-in knows of it beside that. */
declare module '*/signin-policy.js' {
  const table: import('../session/signin-table.ts').SigninTable;
  export default table;
}

/** What those know of it who ask providers about tokens. */
declare module '*/client-policy.js' {
  const table: import('../rules/client-table.ts').ClientTable;
  export default table;
}

/** What health knows of it. */
declare module '*/watched.js' {
  const watched: import('../health/types.ts').Watched;
  export default watched;
}
