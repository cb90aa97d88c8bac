import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const schema = JSON.parse(readFileSync(new URL('../../docs/log.schema.json', import.meta.url), 'utf8'));
const isValid = new Ajv2020().compile({ ...schema, additionalProperties: false });

/** Throws if a line of the log is not as docs/log.schema.json says, or if it has a field that the schema does not have.
 * @param lines the output of the gateway's container */
export function expectValidLines(lines: readonly string[]): void {
  for (const text of lines) {
    if (!text.startsWith('{"time":"') || isValid(JSON.parse(text))) continue;
    throw new Error(
      `this line of the log is not as docs/log.schema.json says: ${text}\n${JSON.stringify(isValid.errors)}`,
    );
  }
}
