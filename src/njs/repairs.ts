/** Replaces a function that jose needs and njs's QuickJS does not have. esbuild adds this file where code uses the
 * name. The function clones only plain JSON values (JWKs). */
export const structuredClone = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
