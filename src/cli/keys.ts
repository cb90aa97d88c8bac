import { buildCommand, buildRouteMap } from '@stricli/core';
import { newSigningKeys, replaceSigningKeys, rotateSigningKeys } from '../assertion/rotate.ts';
import { PUBLISHED_BEFORE_SIGNING_S } from '../limits.ts';
import { PUBLISHED_BEFORE_SEALING_S } from '../session/limits.ts';
import { isRing, newRing, replaceRing, rotateRing } from '../session/rotate-ring.ts';
import { action, type Context, described, NO, parseDuration, WrongUse, YES } from './context.ts';
import { reasonOf, utf8 } from './load.ts';
import { codeOf, type Runtime } from './runtime.ts';

interface NewFlags {
  readonly session: boolean;
}

interface RotateFlags {
  readonly early: boolean;
  readonly leaked: boolean;
  readonly absolute?: number;
}

/** The user that nginx runs as in the image. */
const IMAGE_USER = 10101;

/** Longest life of a session if the policy does not set it. */
const ABSOLUTE_S = 24 * 3600;

/** The text of a file; `undefined` if there is none. */
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
    if (codeOf(error) === 'EPERM') {
      throw new WrongUse(
        `${file}: it is another user's, and the gateway may need it to be: run this as that user, or as root`,
      );
    }
    throw new WrongUse(`${file}: ${reasonOf(error)}`);
  }
}

/** `meshgate keys new`: a file of signing keys, or of session keys. */
async function newKeys(runtime: Runtime, { session }: NewFlags, file: string): Promise<number> {
  if (textOf(runtime, file) !== undefined) {
    throw new WrongUse(`${file} is there already; "meshgate keys rotate ${file}" moves on by one key`);
  }
  replace(runtime, file, session ? newRing(runtime.now()) : await newSigningKeys(runtime.now()));
  runtime.err(
    session
      ? `${file}: two session keys: the first seals, the second is there to seal next\n`
      : `${file}: two keys: the first signs, the second is published to sign next\n`,
  );
  runtime.err(`only its owner can read it, and the gateway's user must: in the image, chown ${IMAGE_USER} ${file}\n`);
  return YES;
}

/** The text of a rotated file, with a sentence about it. */
type Rotation = { readonly text: string; readonly said: string } | { readonly error: string };

async function rotateSession(text: string, now: number, { early, absolute }: RotateFlags): Promise<Rotation> {
  const rotated = await rotateRing(text, now, absolute ?? ABSOLUTE_S, early);
  if (!rotated.ok) return rotated;
  const gone = rotated.gone === 0 ? '' : `; ${rotated.gone} that nothing is sealed with any more went`;
  return {
    text: rotated.text,
    said: rotated.seals
      ? `the next session key seals, another is there to seal next, those before open what they sealed${gone}`
      : 'a second session key is there to seal next; the first seals on',
  };
}

async function rotateSigning(text: string, now: number, { early, absolute }: RotateFlags): Promise<Rotation> {
  if (absolute !== undefined) throw new WrongUse('--absolute is for session keys, and these sign assertions');
  const rotated = await rotateSigningKeys(text, now, early);
  if (!rotated.ok) return rotated;
  return {
    text: rotated.text,
    said: rotated.signs
      ? 'the next key signs, another is published to sign next, the one before is published still'
      : 'a second key is published to sign next; the first signs on',
  };
}

/** Replaces the keys of a leaked file by new ones. */
async function replaceKeys(text: string, now: number, { early, absolute }: RotateFlags): Promise<Rotation> {
  if (early || absolute !== undefined) {
    throw new WrongUse('--leaked keeps no key and waits for none: --early and --absolute have no effect beside it');
  }
  const sessions = isRing(text);
  const replaced = await (sessions ? replaceRing : replaceSigningKeys)(text, now);
  if (!replaced.ok) return replaced;
  return {
    text: replaced.text,
    said: sessions
      ? 'two new session keys, and none of those that leaked: put the file in place at once; everybody signs in again'
      : 'two new keys, and none of those that leaked: put the file in place at once; services fetch the new keys',
  };
}

/** `meshgate keys rotate`: the next key begins to sign, or to seal. */
async function rotateKeys(runtime: Runtime, flags: RotateFlags, file: string): Promise<number> {
  const text = textOf(runtime, file);
  if (text === undefined) throw new WrongUse(`${file} is not there; "meshgate keys new ${file}" makes it`);
  const rotate = flags.leaked ? replaceKeys : isRing(text) ? rotateSession : rotateSigning;
  const rotation = await rotate(text, runtime.now(), flags);
  if ('error' in rotation) {
    runtime.err(`${file}: ${rotation.error}\n`);
    return NO;
  }
  replace(runtime, file, rotation.text);
  runtime.err(`${file}: ${rotation.said}\n`);
  return YES;
}

const fileArgument = {
  kind: 'tuple',
  parameters: [
    {
      parse: String,
      placeholder: 'FILE',
      brief: 'The file of gateway.assertion.keys_file or gateway.session.keys_file',
    },
  ],
} as const;

const newCommand = buildCommand<NewFlags, [string], Context>({
  func: action(newKeys),
  parameters: {
    flags: {
      session: { kind: 'boolean', default: false, brief: 'Keys that seal sessions, and not ones that sign assertions' },
    },
    positional: fileArgument,
  },
  docs: {
    brief: 'Make a file of signing keys, or of session keys',
    fullDescription: described(
      'Makes a JWKS with two new keys, readable by its owner alone: P-256 key pairs that sign assertions, or with --session keys of 256 bits that seal session cookies. The first key signs or seals, the second is there so that it can do so next.',
      ['meshgate keys new /run/secrets/assertion.jwks', 'meshgate keys new --session /run/secrets/session.jwks'],
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
        brief: `The next key signs or seals even if it is there for less than ${PUBLISHED_BEFORE_SIGNING_S / 60} or ${PUBLISHED_BEFORE_SEALING_S / 60} minutes`,
      },
      leaked: {
        kind: 'boolean',
        default: false,
        brief: 'The file has leaked: two new keys, and none of those that are in it',
      },
      absolute: {
        kind: 'parsed',
        parse: parseDuration,
        optional: true,
        placeholder: 'DURATION',
        brief: 'Of session keys: gateway.session.absolute of the policy (default 24h)',
      },
    },
    positional: fileArgument,
  },
  docs: {
    brief: 'Let the next key sign or seal, and add another',
    fullDescription: described(
      'Rotates by one key, in place and at once: the second key signs or seals, a new one is added to do so next. Of keys that sign assertions the one that signed stays published, older ones go. Of session keys those that sealed stay until each cookie that they sealed is past its absolute end. Gateways read the file again within seconds. If a file has leaked, --leaked withdraws every key that is in it: nothing that was signed or sealed by one of them passes any more.',
      [
        'meshgate keys rotate /run/secrets/assertion.jwks',
        'meshgate keys rotate --absolute 7d /run/secrets/session.jwks',
        'meshgate keys rotate --leaked /run/secrets/session.jwks',
      ],
    ),
  },
});

export const keysCommands = buildRouteMap<string, Context>({
  routes: { new: newCommand, rotate: rotateCommand },
  docs: { brief: 'Make and rotate the keys that assertions are signed and sessions are sealed with' },
});
