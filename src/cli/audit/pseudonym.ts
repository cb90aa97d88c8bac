import { pseudonymKeys, pseudonymOf } from '../../caller/pseudonym.ts';
import { argument, command, flag, WrongUse, YES } from '../common/context.ts';
import { decoded, reasonOf } from '../common/load.ts';
import type { Runtime } from '../machine/runtime.ts';

/** Reads the keys of pseudonyms. No error contains a part of the file. */
function keysIn(runtime: Runtime, file: string): ReturnType<typeof pseudonymKeys> {
  let text: string;
  try {
    text = decoded(file, runtime.read(file));
  } catch (error) {
    throw error instanceof WrongUse ? error : new WrongUse(`${file}: ${reasonOf(error)}`);
  }
  try {
    return pseudonymKeys(text);
  } catch {
    throw new WrongUse(`${file}: this is no file of keys from "meshgate keys new --session"`);
  }
}

/** `meshgate audit pseudonym`: prints the names that a person has in the log. */
export const auditPseudonymCommand = command({
  brief: 'Print the pseudonyms of a person, to find the lines about the person',
  text: 'Prints the pseudonyms that a person has in a log with gateway.audit.pseudonyms: one for each key of the file, the current one first. Give the subject as services receive it, with the prefix of the provider. The pseudonym of an actor, and of a value of a claim (--provider claims), is found in the same way.',
  examples: [
    'meshgate audit pseudonym okta-ada --provider okta --key-file /run/secrets/pseudonyms.jwks',
    'grep -F "$(meshgate audit pseudonym okta-ada --provider okta --key-file pseudonyms.jwks)" access.log',
  ],
  flags: {
    provider: { ...flag('NAME', 'The provider that vouched for the person'), optional: false },
    keyFile: { ...flag('FILE', 'The file of gateway.audit.pseudonyms'), optional: false },
  },
  args: [argument('SUBJECT', 'The subject of the person')],
  run(runtime, { provider, keyFile }, subject) {
    const keys = keysIn(runtime, keyFile as string);
    for (const key of keys) runtime.out(`${pseudonymOf(key, provider as string, subject)}\n`);
    return Promise.resolve(YES);
  },
});
