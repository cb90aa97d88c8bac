import { Refused } from '../../audit/seal/fatal.ts';
import { Sealer } from '../../audit/seal/sealer.ts';
import { readSettings, type SealSettings } from '../../audit/seal/settings.ts';
import { Submitter } from '../../audit/witness/submitter.ts';
import { originOf } from '../../policy/schema/audit.ts';
import { digestOf, policyText } from '../../rules/digest.ts';
import { argument, command, Failed, flag, toggle, WrongUse, YES } from '../common/context.ts';
import { loadValid, readText } from '../common/load.ts';
import { type Source, sourceFlags, sourceOf } from '../common/source.ts';
import type { Runtime } from '../machine/runtime.ts';
import { witnessMachine } from '../machine/witness-requests.ts';

/** Seconds between two looks at the log. */
const TURN = 0.45;

const flags = {
  ...sourceFlags,
  log: flag('FILE', 'The log that nginx writes (default: gateway.audit.log)'),
  folder: flag('FOLDER', 'The folder of the sealed log (default: gateway.audit.folder)'),
  keyFolder: flag('FOLDER', 'The folder of the signing key (default: private in the folder of the sealed log)'),
  once: toggle('Seals what is there, and ends'),
} as const;

/** Reads the settings from the rendered policy, or from a policy. */
function settingsOf(runtime: Runtime, file: string | undefined, source: Source): SealSettings {
  if (file?.endsWith('.json')) return readSettings(readText(runtime, file, 'the settings'), file);
  const loaded = loadValid(runtime, source);
  const { audit } = loaded.policy.gateway;
  if (audit === undefined)
    throw new WrongUse(`${source.file} has no gateway.audit: add it, or name audit/seal.json of a rendered policy`);
  const text = policyText(loaded.policy, loaded.rules);
  const { log, folder, witnesses } = audit;
  return { log, folder, origin: originOf(audit), witnesses, compiled: { digest: digestOf(text), text } };
}

export const sealCommand = command({
  brief: 'Seal the log: grow a Merkle log of its lines, and sign its checkpoints',
  text: 'Follows the log that nginx writes, over rotations, until SIGTERM or SIGINT. Each line becomes a leaf of the transparency log in the folder (C2SP tlog-tiles), and while lines come, a checkpoint is signed each second. The witnesses of the policy are asked for cosignatures. At the first start, it makes the signing key, and prints the key that verifies the log. In the image, this is meshgate-seal.',
  examples: ['meshgate audit seal build/audit/seal.json', 'meshgate audit seal --once meshgate.yaml'],
  flags,
  args: [{ ...argument('FILE', 'audit/seal.json of the rendered policy, or the policy'), optional: true }],
  async run(runtime, { log, folder, keyFolder, once, ...of }, file) {
    const { sealing, ask } = runtime;
    if (sealing === undefined || ask === undefined)
      throw new WrongUse('this engine has no timers: run meshgate-seal, or this command on Node');
    try {
      const found = settingsOf(runtime, file, sourceOf(runtime, file, of));
      const settings = { ...found, ...(log && { log }), ...(folder && { folder }), ...(keyFolder && { keyFolder }) };
      const say = (text: string) => runtime.err(`meshgate: ${text}\n`);
      const sealer = await Sealer.open(settings, {
        ...sealing,
        now: () => runtime.now() * 1000,
        say,
        sleep: (seconds) => runtime.sleep(seconds),
      });
      const machine = witnessMachine(sealing.disk, settings.folder, ask, () => runtime.now());
      const submitter = new Submitter(settings.witnesses ?? [], machine, say);
      for (const isStopped = sealing.stopped(); !once && !isStopped(); ) {
        await sealer.turn();
        submitter.turn();
        await runtime.sleep(TURN);
      }
      await sealer.end();
      await submitter.end();
      return YES;
    } catch (error) {
      throw error instanceof Refused ? new Failed(error.message) : error;
    }
  },
});
