import { policyJsonSchemaText } from '../policy/index.ts';
import { command, YES } from './context.ts';

/** `meshgate schema`. */
export const schemaCommand = command({
  brief: 'Print the JSON Schema of a policy, for editors',
  text: 'Prints the JSON Schema of a policy, so that an editor completes keys and explains them. "meshgate validate" checks much more.',
  examples: [
    'meshgate schema > meshgate.schema.json',
    '# yaml-language-server: $schema=meshgate.schema.json      (first line of the policy, for VS Code and others)',
  ],
  flags: {},
  run(runtime) {
    runtime.out(policyJsonSchemaText());
    return YES;
  },
});
