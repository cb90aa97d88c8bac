import { FIELDS, type Field, PARTS } from './fields.ts';

/** The JSON Schema of one field. A value that was cut ends with U+FFFD. */
function fieldSchema({ name, kind, most, form, says, needs }: Field): object {
  const description = needs === undefined ? says : `${says} The field exists only ${PARTS[needs].replaceAll('`', '')}.`;
  if (kind !== 'number')
    return { description, type: 'string', ...(form ? { pattern: form } : { maxLength: most + 1 }) };
  return { description, type: name === 'duration' ? 'number' : 'integer', minimum: 0 };
}

/** Returns the JSON Schema of a line of the log. */
export const lineSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A line of the log of meshgate',
  description:
    'One JSON object for each request. Later versions only add fields: a field keeps its name, its type and its meaning. So a reader ignores fields that it does not know.',
  type: 'object',
  required: FIELDS.filter(({ needs }) => needs === undefined).map(({ name }) => name),
  properties: Object.fromEntries(FIELDS.map((field) => [field.name, fieldSchema(field)])),
});
