import { overlayJsonSchemaText, policyJsonSchemaText } from '../policy/index.ts';
import { auditCommands } from './audit/command.ts';
import { command, commands, toggle, YES } from './common/context.ts';
import { type CommandDefinition, definitionsOf } from './common/definitions.ts';
import { diffCommand } from './diff/command.ts';
import { driftCommands } from './drift/command.ts';
import { explainCommand } from './explain/command.ts';
import { initCommand } from './init.ts';
import { keysCommands } from './keys.ts';
import { loginCommand } from './login/command.ts';
import type { Runtime } from './machine/runtime.ts';
import { migrateCommands } from './migrate.ts';
import { program } from './program.ts';
import { proveCommand } from './prove/command.ts';
import { ANY_TARGET, renderCommand } from './render/command.ts';
import { replayCommand } from './replay/command.ts';
import { revokeCommand } from './revoke.ts';
import { statusCommand } from './status/command.ts';
import { testCommand } from './test/command.ts';
import { tightenCommand } from './tighten/command.ts';
import { tokenCommand } from './token/command.ts';
import { traceCommand } from './trace/command.ts';
import { validateCommand } from './validate/command.ts';

/** `meshgate schema`. */
const schemaCommand = command({
  brief: 'Print the JSON Schema of a policy, for editors',
  text: 'Prints the JSON Schema of a policy, so that an editor completes keys and explains them. With --overlay, prints the schema of an overlay. "meshgate validate" checks much more.',
  examples: [
    'meshgate schema > meshgate.schema.json',
    'meshgate schema --overlay > overlay.schema.json',
    '# yaml-language-server: $schema=meshgate.schema.json      (first line of the policy, for VS Code and others)',
  ],
  flags: {
    overlay: toggle('Print the schema of an overlay: no key is required, and null removes a key'),
  },
  run(runtime, { overlay }) {
    runtime.out(overlay ? overlayJsonSchemaText() : policyJsonSchemaText());
    return YES;
  },
});

/** The version in package.json; a test compares the two. */
export const VERSION = '0.1.0';

const root = commands(
  'Plain nginx as the identity-aware front door of a service mesh',
  {
    init: initCommand,
    validate: validateCommand,
    render: renderCommand,
    explain: explainCommand,
    token: tokenCommand,
    test: testCommand,
    diff: diffCommand,
    prove: proveCommand,
    login: loginCommand,
    schema: schemaCommand,
    keys: keysCommands,
    revoke: revokeCommand,
    status: statusCommand,
    trace: traceCommand,
    drift: driftCommands,
    migrate: migrateCommands,
    audit: auditCommands,
    replay: replayCommand,
    tighten: tightenCommand,
  },
  [
    'Plain nginx as the identity-aware front door of a service mesh.',
    '',
    'Results go to standard output, messages to standard error. Exit codes: 0 yes, 1 no (denied, invalid), 2 wrong use; for diff and prove also 3, neither yes nor no.',
    '"meshgate COMMAND --help" has examples.',
  ].join('\n'),
);

/** Returns what the documentation says about each command, in the order of the help. */
export const commandDefinitions = (): readonly CommandDefinition[] => definitionsOf(root);

const meshgate = program(root, 'meshgate', VERSION);

/** Runs the command that the arguments name, and returns its exit code. */
export function main(system: Runtime): Promise<number> {
  // A flag with an optional value: without one, the parser would take the next argument for it.
  return meshgate(
    system,
    system.args.map((it) => (it === '--fail-on-gap' ? `${it}=${ANY_TARGET}` : it)),
  );
}
