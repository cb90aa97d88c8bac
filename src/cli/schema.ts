import { buildCommand } from '@stricli/core';
import { policyJsonSchemaText } from '../policy/index.ts';
import { action, type Context, described, YES } from './context.ts';
import type { Runtime } from './runtime.ts';

/** `meshgate schema`: prints the policy's JSON Schema, for editors. */
export function schema(runtime: Runtime): number {
  runtime.out(policyJsonSchemaText());
  return YES;
}

export const schemaCommand = buildCommand<Record<never, never>, [], Context>({
  func: action(schema),
  parameters: {},
  docs: {
    brief: 'Print the JSON Schema of a policy, for editors',
    fullDescription: described(
      'Prints the JSON Schema of a policy, so that an editor completes keys and explains them. "meshgate validate" checks much more.',
      [
        'meshgate schema > meshgate.schema.json',
        '# yaml-language-server: $schema=meshgate.schema.json      (first line of the policy, for VS Code and others)',
      ],
    ),
  },
});
