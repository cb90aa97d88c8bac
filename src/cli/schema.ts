import { overlayJsonSchemaText, policyJsonSchemaText } from '../policy/index.ts';
import { command, YES } from './common/context.ts';

/** `meshgate schema`. */
export const schemaCommand = command({
  brief: 'Print the JSON Schema of a policy, for editors',
  text: 'Prints the JSON Schema of a policy, so that an editor completes keys and explains them. With --overlay, prints the schema of an overlay. "meshgate validate" checks much more.',
  examples: [
    'meshgate schema > meshgate.schema.json',
    'meshgate schema --overlay > overlay.schema.json',
    '# yaml-language-server: $schema=meshgate.schema.json      (first line of the policy, for VS Code and others)',
  ],
  flags: {
    overlay: {
      kind: 'boolean',
      default: false,
      brief: 'Print the schema of an overlay: no key is required, and null removes a key',
    },
  },
  run(runtime, { overlay }) {
    runtime.out(overlay ? overlayJsonSchemaText() : policyJsonSchemaText());
    return YES;
  },
});
