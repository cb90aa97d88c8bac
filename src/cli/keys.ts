import { newSigningKeys, replaceSigningKeys, rotateSigningKeys } from '../assertion/rotate.ts';
import { PUBLISHED_BEFORE_SIGNING_S } from '../base/limits.ts';
import { isRing, newRing, replaceRing, rotateRing } from '../session/keys/rotate-ring.ts';
import { PUBLISHED_BEFORE_SEALING_S } from '../session/limits.ts';
import {
  argument,
  command,
  commands,
  type FlagsOf,
  flag,
  NO,
  parseDuration,
  toggle,
  WrongUse,
  YES,
} from './common/context.ts';
import { decoded, reasonOf } from './common/load.ts';
import { codeOf, type Runtime } from './machine/runtime.ts';

/** The numeric id of nginx's user in the image. */
const IMAGE_USER = 10101;

/** Maximum lifetime of a session if the policy does not set one. */
const ABSOLUTE_S = 24 * 3600;

const keysFile = argument('FILE', 'The file of gateway.assertion.keys_file or gateway.session.keys_file');

const rotateFlags = {
  early: toggle(
    `The next key signs or seals even if it has existed for less than ${PUBLISHED_BEFORE_SIGNING_S / 60} or ${PUBLISHED_BEFORE_SEALING_S / 60} minutes`,
  ),
  leaked: toggle('The file has leaked: replace all its keys by two new keys'),
  absolute: flag('DURATION', 'For session keys: gateway.session.absolute of the policy (default 24h)', parseDuration),
};

type RotateFlags = FlagsOf<typeof rotateFlags>;

/** Reads the text of a file; undefined if the file does not exist. */
function textOf(runtime: Runtime, file: string): string | undefined {
  try {
    return decoded(file, runtime.read(file));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error instanceof WrongUse ? error : new WrongUse(`${file}: ${reasonOf(error)}`);
  }
}

function replace(runtime: Runtime, file: string, text: string): void {
  try {
    runtime.replace(file, text);
  } catch (error) {
    const known: Readonly<Record<string, string>> = {
      EPERM: 'it belongs to another user, perhaps the user of the gateway: run this as that user, or as root',
      ENOENT: 'its folder does not exist: make the folder first',
    };
    throw new WrongUse(`${file}: ${known[codeOf(error) ?? ''] ?? reasonOf(error)}`);
  }
}

/** Says what a rotation changed. */
type Rotation = { readonly text: string; readonly reported: string } | { readonly error: string };

async function rotateSession(text: string, now: number, { early, absolute }: RotateFlags): Promise<Rotation> {
  const rotated = await rotateRing(text, now, absolute ?? ABSOLUTE_S, early);
  if (!rotated.ok) return rotated;
  if (!rotated.seals)
    return { ...rotated, reported: 'a second session key is added and will seal next; the first still seals' };
  const gone = rotated.gone === 0 ? '' : `; ${rotated.gone} old keys that no valid cookie needs were removed`;
  const reported = `the next session key seals now, another one will seal next, and earlier keys open what they sealed${gone}`;
  return { ...rotated, reported };
}

async function rotateSigning(text: string, now: number, { early, absolute }: RotateFlags): Promise<Rotation> {
  if (absolute !== undefined) throw new WrongUse('--absolute is only for session keys, and these keys sign assertions');
  const rotated = await rotateSigningKeys(text, now, early);
  if (!rotated.ok) return rotated;
  const reported = rotated.signs
    ? 'the next key signs now, another one is published and will sign next, and the previous key stays published'
    : 'a second key is published and will sign next; the first still signs';
  return { ...rotated, reported };
}

/** Replaces all keys of a leaked file by new keys. */
async function replaceKeys(text: string, now: number, { early, absolute }: RotateFlags): Promise<Rotation> {
  if (early || absolute !== undefined)
    throw new WrongUse('--leaked replaces all keys at once: --early and --absolute have no effect with it');
  const isSession = isRing(text);
  const replaced = await (isSession ? replaceRing : replaceSigningKeys)(text, now);
  if (!replaced.ok) return replaced;
  const [kind, then] = isSession ? [' session', 'all people sign in again'] : ['', 'services fetch the new keys'];
  const reported = `two new${kind} keys replace the leaked ones: put the file in place at once; ${then}`;
  return { ...replaced, reported };
}

/** `meshgate keys new`: writes a file of signing keys or of session keys. */
const newCommand = command({
  brief: 'Make a file of signing keys, or of session keys',
  text: 'Makes a JWKS with two new keys, which only its owner can read. The keys are P-256 key pairs that sign assertions or, with --session, 256-bit keys that seal session cookies. The first key signs or seals; the second key will do so after the next rotation.',
  examples: ['meshgate keys new /run/secrets/assertion.jwks', 'meshgate keys new --session /run/secrets/session.jwks'],
  flags: {
    session: toggle('Make keys that seal sessions instead of keys that sign assertions'),
  },
  args: [keysFile],
  async run(runtime, { session }, file) {
    if (textOf(runtime, file) !== undefined) {
      throw new WrongUse(`${file} exists already; "meshgate keys rotate ${file}" rotates by one key`);
    }
    replace(runtime, file, session ? newRing(runtime.now()) : await newSigningKeys(runtime.now()));
    runtime.err(
      session
        ? `${file}: two session keys: the first seals, the second will seal next\n`
        : `${file}: two keys: the first signs, the second is published and will sign next\n`,
    );
    const made = runtime.look(file);
    if (!('owner' in made) || made.owner !== IMAGE_USER) {
      const what = `for the image, run "chown ${IMAGE_USER} ${file}" as root`;
      runtime.err(`only its owner can read it, but the gateway's user must: ${what}\n`);
    }
    return YES;
  },
});

/** `meshgate keys rotate`: makes the next key the one that signs or seals. */
const rotateCommand = command({
  brief: 'Let the next key sign or seal, and add another one',
  text: 'Rotates by one key and replaces the file at once: the second key begins to sign or seal, and a new key is added for the next rotation. A key that signed assertions stays published until the next rotation. A session key stays until each cookie that it sealed has reached its absolute end. Gateways read the file again within seconds. If a file has leaked, --leaked removes every key in it: the gateway and the services then reject everything that one of them signed or sealed.',
  examples: [
    'meshgate keys rotate /run/secrets/assertion.jwks',
    'meshgate keys rotate --absolute 7d /run/secrets/session.jwks',
    'meshgate keys rotate --leaked /run/secrets/session.jwks',
  ],
  flags: rotateFlags,
  args: [keysFile],
  async run(runtime, flags, file) {
    const text = textOf(runtime, file);
    if (text === undefined) throw new WrongUse(`${file} does not exist; "meshgate keys new ${file}" makes it`);
    const rotate = flags.leaked ? replaceKeys : isRing(text) ? rotateSession : rotateSigning;
    const rotation = await rotate(text, runtime.now(), flags);
    if ('error' in rotation) {
      runtime.err(`${file}: ${rotation.error}\n`);
      return NO;
    }
    replace(runtime, file, rotation.text);
    runtime.err(`${file}: ${rotation.reported}\n`);
    return YES;
  },
});

export const keysCommands = commands('Make and rotate the keys that sign assertions and seal sessions', {
  new: newCommand,
  rotate: rotateCommand,
});
