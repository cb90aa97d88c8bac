/** Replaces a function that jose needs and njs's QuickJS does not have. esbuild injects this file where the name is
 * used. The function clones only plain JSON values (JWKs). */
export const structuredClone = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
