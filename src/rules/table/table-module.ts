/** Returns a string literal in ASCII, without characters that a script tag or an old parser would misread. */
const string = (text: string): string =>
  JSON.stringify(text).replace(/[<\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Returns a value as a JavaScript literal. An object without a prototype stays without it: a lookup of an outside name
 * must find only entries of the policy. Other objects have a prototype, so that they share a shape in QuickJS. */
function literal(value: unknown, indent: string): string {
  if (typeof value === 'string') return string(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError(`policy.js: ${value} is not a JSON number`);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    if (value.every((item) => typeof item !== 'object'))
      return `[${value.map((item) => literal(item, inner)).join(', ')}]`;
    return `[\n${value.map((item) => inner + literal(item, inner)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object') throw new TypeError(`policy.js: a ${typeof value} cannot be part of a table`);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${key === '__proto__' ? '["__proto__"]' : string(key)}: ${literal(item, inner)}`);
  if (Object.getPrototypeOf(value) === null) entries.unshift('__proto__: null');
  if (entries.length === 0) return '{}';
  return `{\n${entries.map((entry) => inner + entry).join(',\n')}\n${indent}}`;
}

/** Returns the text of a module such as policy.js: one literal, without code from the policy. */
export const tableModule = (table: object): string =>
  `// Rendered by meshgate from the policy; do not edit.\nexport default ${literal(table, '')};\n`;
