import { parseCheckpoint } from '../../audit/log/checkpoint.ts';
import {
  COSIGNATURE,
  formatVkey,
  generateKey,
  importSigner,
  isKeyName,
  parseNote,
  type Signer,
} from '../../audit/log/note.ts';
import { codeOf, type Disk, ifThere } from '../../audit/seal/disk.ts';
import { Refused } from '../../audit/seal/fatal.ts';
import { SealLock } from '../../audit/seal/lock.ts';
import { ReportedProblems } from '../../audit/seal/reported-problems.ts';
import { MAX_REQUEST_BYTES } from '../../audit/witness/add-checkpoint.ts';
import { Witness, type WitnessStore } from '../../audit/witness/cosign.ts';
import { command, flag, NO, several, WrongUse, YES } from '../common/context.ts';
import { type Listening, systemServe } from '../machine/http-server.ts';
import { keyOf } from './sealed-folder.ts';

const DEFAULT_LISTEN = '127.0.0.1:7878';

/** Seconds between two signs of life in the folder. */
const BEAT = 0.45;

function addressOf(text: string): { readonly address: string; readonly port: number } {
  const [, v6, v4, port] = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new WrongUse(`--listen ${text} is not an address and a port: write ${DEFAULT_LISTEN} or [::1]:7878`);
  return { address: (v6 ?? v4) as string, port: Number(port) };
}

/** Returns the key of the witness. At the first start, it makes one. */
async function openSigner(disk: Disk, folder: string, name: string | undefined): Promise<Signer> {
  const path = `${folder}/key`;
  const bytes = ifThere(() => disk.load(path));
  if (bytes === undefined) {
    if (ifThere(() => disk.names(`${folder}/logs`).length) ?? 0)
      throw new Refused(
        `${path} is not there, but the witness has cosigned before: restore it, or begin in another folder`,
      );
    if (name === undefined)
      throw new WrongUse(
        'give the witness a name with --name: it stands in each cosignature, as in witness.example.com/w',
      );
    if (!isKeyName(name)) throw new WrongUse(`--name ${name} has a space or a plus: write witness.example.com/w`);
    disk.put(path, `${JSON.stringify({ ...(await generateKey()), name })}\n`, 0o600);
    return openSigner(disk, folder, name);
  }
  const jwk = parseJson(bytes) as { readonly name?: unknown } | undefined;
  if (typeof jwk?.name !== 'string') throw new Refused(`${path} is not the key of a witness`);
  if (name !== undefined && name !== jwk.name)
    throw new WrongUse(`the witness in ${folder} has the name ${jwk.name}: leave --name out, or name another folder`);
  return importSigner(jwk.name, jwk, COSIGNATURE).catch((error: Error) => {
    throw new Refused(`${path} cannot be used: ${error.message}`);
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

/** Keeps the newest checkpoint of each log as a file. A file that cannot be read is an error, and not a new log. */
function storeIn(disk: Disk, folder: string, lock: SealLock): WitnessStore {
  const file = (origin: string) => `${folder}/logs/${Buffer.from(origin).toString('base64url').slice(0, 250)}`;
  return {
    load(origin) {
      const bytes = ifThere(() => disk.load(file(origin)));
      if (bytes === undefined) return undefined;
      try {
        const checkpoint = parseCheckpoint(parseNote(bytes).text);
        if (checkpoint.origin === origin) return checkpoint;
      } catch {
        // The error below says it.
      }
      throw new Error(`${file(origin)} is not a checkpoint of this log: restore it`);
    },
    store(origin, _, checkpoint) {
      lock.check();
      disk.put(file(origin), checkpoint, 0o600);
    },
  };
}

/** `meshgate audit witness`: cosigns the checkpoints of other logs. */
export const auditWitnessCommand = command({
  brief: 'Run a witness, which cosigns the checkpoints of other gateways',
  text: 'Serves POST /add-checkpoint (C2SP tlog-witness), until SIGTERM or SIGINT. It cosigns a checkpoint of a log with a known key, if the log continues the newest checkpoint that it has cosigned; the folder has one file for each log. So a log with a cosignature cannot be rewritten or cut off without a sign, even if its key is stolen. At the first start, it makes its key, and prints the key with which others verify cosignatures. Without --log, it only prints this key, so that a gateway can name it before the gateway has a log. Put a proxy with TLS in front of it if the network is not yours.',
  examples: [
    'meshgate audit witness --folder /var/lib/witness --name witness.example.com/w',
    'meshgate audit witness --folder /var/lib/witness --log gw-0.vkey',
    'meshgate audit witness --folder /var/lib/witness --listen 10.0.0.5:7878 --log gw-0.vkey --log gw-1.vkey',
  ],
  flags: {
    folder: flag('FOLDER', 'The folder of the key and of the checkpoints that were cosigned'),
    log: several(flag('VKEY', 'The key of a log: its text, or a file with it; may be repeated')),
    name: flag('NAME', 'The name of the witness; needed at the first start'),
    listen: flag('ADDRESS:PORT', `Where to listen (default ${DEFAULT_LISTEN})`),
  },
  args: [],
  async run(runtime, { folder, log = [], name, listen = DEFAULT_LISTEN }) {
    const [{ sealing }, serve] = [runtime, systemServe()];
    if (sealing === undefined || serve === undefined)
      throw new WrongUse('this engine cannot listen: run this command on Node');
    if (folder === undefined) throw new WrongUse('name the folder of the witness with --folder');
    const keys = log.map((one) => keyOf(runtime, one));
    const at = addressOf(listen);
    const { disk } = sealing;
    const say = (text: string) => runtime.err(`meshgate: ${text}\n`);
    let lock: SealLock | undefined;
    let listening: Listening | undefined;
    const printKey = (signer: Signer) => runtime.out(`${formatVkey(signer.key)}\n`);
    try {
      disk.makeFolder(`${folder}/logs`, 0o700);
      // A witness that runs has the lock, and its key is there.
      if (log.length === 0 && ifThere(() => disk.stat(`${folder}/key`)) !== undefined) {
        printKey(await openSigner(disk, folder, name));
        return YES;
      }
      lock = await SealLock.take({ ...sealing, sleep: (seconds) => runtime.sleep(seconds) }, folder);
      const signer = await openSigner(disk, folder, name);
      if (log.length === 0) {
        printKey(signer);
        return YES;
      }
      const witness = new Witness(signer, keys, storeIn(disk, folder, lock), () => runtime.now());
      const printed = new ReportedProblems();
      const isStopped = sealing.stopped();
      listening = await serve({ ...at, maxBody: MAX_REQUEST_BYTES }, async ({ method, path, body }) => {
        const answer = await witness.answer(method, path, body);
        const { says } = answer;
        if (says !== undefined && printed.isDue(says.about, runtime.now())) say(says.text);
        return answer;
      });
      printKey(signer);
      say(`the witness listens on ${listening.at}; the key above verifies its cosignatures`);
      for (; !isStopped(); await runtime.sleep(BEAT)) lock.beat();
      return YES;
    } catch (error) {
      if (error instanceof WrongUse || (codeOf(error) === undefined && !(error instanceof Refused))) throw error;
      say(
        error instanceof Refused
          ? error.message.replace('another sealer', 'another witness')
          : `cannot run the witness: ${(error as Error).message}`,
      );
      return NO;
    } finally {
      await listening?.close();
      lock?.free();
    }
  },
});
