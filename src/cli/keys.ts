import { buildCommand, buildRouteMap } from '@stricli/core';
import { newSigningKeys, rotateSigningKeys } from '../assertion/rotate.ts';
import { PUBLISHED_BEFORE_SIGNING_S } from '../limits.ts';
import { action, type Context, described, NO, WrongUse, YES } from './context.ts';
import { reasonOf, utf8 } from './load.ts';
import { codeOf, type Runtime } from './runtime.ts';

interface RotateFlags {
  readonly early: boolean;
}

/** The text of a file; `undefined` where there is none. */
function textOf(runtime: Runtime, file: string): string | undefined {
  let text: string | undefined;
  try {
    text = utf8(runtime.read(file));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new WrongUse(`${file}: ${reasonOf(error)}`);
  }
  if (text === undefined) throw new WrongUse(`${file}: it is not UTF-8`);
  return text;
}

function replace(runtime: Runtime, file: string, text: string): void {
  try {
    runtime.replace(file, text);
  } catch (error) {
    throw new WrongUse(`${file}: ${reasonOf(error)}`);
  }
}

/** `meshgate keys new`: a file of signing keys. */
async function newKeys(runtime: Runtime, _: Record<never, never>, file: string): Promise<number> {
  if (textOf(runtime, file) !== undefined) {
    throw new WrongUse(`${file} is there already; "meshgate keys rotate ${file}" moves on by one key`);
  }
  replace(runtime, file, await newSigningKeys(runtime.now()));
  runtime.err(`${file}: two keys: the first signs, the second is published to sign next\n`);
  return YES;
}

/** `meshgate keys rotate`: the next key signs. */
async function rotateKeys(runtime: Runtime, { early }: RotateFlags, file: string): Promise<number> {
  const text = textOf(runtime, file);
  if (text === undefined) throw new WrongUse(`${file} is not there; "meshgate keys new ${file}" makes it`);
  const rotated = await rotateSigningKeys(text, runtime.now(), early);
  if (!rotated.ok) {
    runtime.err(`${file}: ${rotated.error}\n`);
    return NO;
  }
  replace(runtime, file, rotated.text);
  runtime.err(
    rotated.signs
      ? `${file}: the next key signs, another is published to sign next, the one before is published still\n`
      : `${file}: a second key is published to sign next; the first signs on\n`,
  );
  return YES;
}

const fileArgument = {
  kind: 'tuple',
  parameters: [{ parse: String, placeholder: 'FILE', brief: 'The JWKS file of gateway.assertion.keys_file' }],
} as const;

const newCommand = buildCommand<Record<never, never>, [string], Context>({
  func: action(newKeys),
  parameters: { flags: {}, positional: fileArgument },
  docs: {
    brief: 'Make a file of signing keys',
    fullDescription: described(
      'Makes a JWKS with two new P-256 key pairs, readable by its owner alone. The first key signs, the second is published so that it can sign next.',
      ['meshgate keys new /run/secrets/assertion.jwks'],
    ),
  },
});

const rotateCommand = buildCommand<RotateFlags, [string], Context>({
  func: action(rotateKeys),
  parameters: {
    flags: {
      early: {
        kind: 'boolean',
        default: false,
        brief: `The next key signs even if it is published for less than ${PUBLISHED_BEFORE_SIGNING_S / 60} minutes`,
      },
    },
    positional: fileArgument,
  },
  docs: {
    brief: 'Let the next key sign, and publish another',
    fullDescription: described(
      'Rotates by one key, in place and at once: the second key signs, a new one is published to sign next, the one that signed stays published, older ones go. Gateways read the file again within seconds. Run twice, it withdraws a key that has leaked.',
      ['meshgate keys rotate /run/secrets/assertion.jwks'],
    ),
  },
});

export const keysCommands = buildRouteMap<string, Context>({
  routes: { new: newCommand, rotate: rotateCommand },
  docs: { brief: 'Make and rotate the keys that assertions are signed with' },
});
