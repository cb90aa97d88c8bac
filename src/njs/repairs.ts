/** A function that jose expects and njs's QuickJS lacks. esbuild injects this file where the name is used. Only plain
 * JSON values (JWKs) are cloned here. */
export const structuredClone = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
