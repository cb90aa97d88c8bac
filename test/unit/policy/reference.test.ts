/** docs/policy-reference.md is what the schema says. `npx vitest run FILE -u` writes it again. */
import { expect, test } from 'vitest';
import { policyJsonSchema } from '../../../src/policy/index.ts';
import { referenceOf, type Schema } from './reference.ts';

const HEAD = `# All keys of the policy

This page has each key of [the policy](policy.md), with its type, its default and its meaning. It is written from [the schema](policy.schema.json), which editors use too. [The policy](policy.md) explains the keys by task.

- \`NAME\` and \`PATH\` stand for names and paths of your own, and \`[]\` for an element of a list.
- A *duration* is a number with \`s\`, \`m\`, \`h\` or \`d\`. A *size* is a number with \`k\`, \`m\` or \`g\`. A *rate* is a number with \`/s\`, \`/m\`, \`/h\` or \`/d\`.
- A *file* is the absolute path of a file or of a folder, on the machine that reads it.
- A default that depends on other keys is part of the meaning.
`;

test('docs/policy-reference.md has each key of the schema', async () => {
  const page = referenceOf(policyJsonSchema() as Schema, HEAD);
  await expect(page).toMatchFileSnapshot(new URL('../../../docs/policy-reference.md', import.meta.url).pathname);
});

test('a table says type, default, whether a key is required, and where else the mapping is', () => {
  const limit: Schema = {
    type: 'object',
    required: ['rate'],
    properties: {
      rate: { type: 'string', pattern: '^\\d+/[sm]$', description: 'The rate.' },
      burst: { type: 'integer', minimum: 1, maximum: 9007199254740991, default: 5, description: 'At once.' },
    },
  };
  const page = referenceOf(
    { type: 'object', properties: { a: { description: 'First.', ...limit }, b: { description: 'Second.', ...limit } } },
    '# Keys\n',
  );
  expect(page).toBe(`# Keys

## the policy

| key | type | meaning |
| --- | --- | --- |
| \`a\` | [mapping](#a) | First. |
| \`b\` | [mapping](#a) | Second. |

## a

Also: \`b\`.

| key | type | default | meaning |
| --- | --- | --- | --- |
| \`rate\` | rate |  | Required. The rate. |
| \`burst\` | integer from 1 | \`5\` | At once. |
`);
});
