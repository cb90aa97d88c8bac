/** The rendered policy. `meshgate render --target nginx` writes it beside the bundle. */
declare module '*/policy.js' {
  const table: import('../rules/types.ts').Table;
  export default table;
}

/** The part of the policy for the sign-in. */
declare module '*/signin-policy.js' {
  const table: import('../session/signin-table.ts').SigninTable & {
    /** The names under which something is stored, to compare them with those of the policy before. */
    readonly names: import('../rules/table/stored.ts').StoredNames;
  };
  export default table;
}

/** The part of the policy for asking providers about tokens. */
declare module '*/client-policy.js' {
  const table: import('../rules/table/client-table.ts').ClientTable;
  export default table;
}

/** The part of the policy for the health check. */
declare module '*/watched.js' {
  const watched: import('../health/types.ts').HealthConfig;
  export default watched;
}
