import { readLine } from '../../audit/lines/line.ts';
import { isoTime } from '../../audit/log/clocks.ts';
import { type Proven, parseProof, verifyProof } from '../../audit/log/line-proof.ts';
import { Malformed } from '../../audit/log/malformed.ts';
import { foreign } from '../../base/hostile-text.ts';
import { argument, command, formatFlag, NO, WrongUse, YES } from '../common/context.ts';
import { readText } from '../common/load.ts';
import type { Paint } from '../common/print.ts';
import { keyFlag, keyOf, witnessFlag, witnessKeys } from './sealed-folder.ts';

/** Describes the request of a line, and what the gateway decided; undefined if it is not a line of the log. */
function requestText(line: string): string | undefined {
  const read = readLine(line);
  if ('mistake' in read) return undefined;
  const { time, method, host, path, user, provider, agent, rule, reason } = read;
  const caller = user === '' ? 'a caller without an id' : `${user} of ${provider}`;
  const acting = agent === '' ? '' : `, through the agent ${agent}`;
  const decision = reason === '' ? `allowed by ${rule || 'no rule'}` : `refused: ${reason}`;
  return `at ${time}, ${method} https://${host}${path} by ${caller}${acting}: ${decision}`;
}

function provenText({ entry, index, checkpoint, chain }: Proven, paint: Paint): string {
  const line = Buffer.from(entry).toString();
  const request = requestText(line);
  const key = chain.keys[chain.keys.length - 1] as Proven['chain']['keys'][number];
  const keys =
    chain.keys.length === 1 ? 'the key that was given' : `key ${chain.keys.length}, which the first key leads to`;
  const cosigned = checkpoint.signed.flatMap(({ key: { name }, time }) =>
    time === undefined ? [] : [`witness ${foreign(name)} had seen this log at ${isoTime(time)}`],
  );
  return [
    `${paint('good', 'yes')}: this line is entry ${index} of the log ${foreign(checkpoint.origin)}`,
    ...(request === undefined ? [] : [`  ${foreign(request, Number.POSITIVE_INFINITY)}`]),
    foreign(line, Number.POSITIVE_INFINITY),
    `signed: a checkpoint of ${checkpoint.size} entries, by ${foreign(`${key.name}+${key.id}`)} (${keys})`,
    ...(cosigned.length === 0 ? ['witness: none was verified'] : cosigned),
    '',
  ].join('\n');
}

const provenJson = ({ entry, index, checkpoint, chain }: Proven) => ({
  valid: true,
  origin: checkpoint.origin,
  index,
  size: checkpoint.size,
  line: Buffer.from(entry).toString(),
  keys: chain.keys.map(({ name, id }) => `${name}+${id}`),
  cosigned: checkpoint.signed.flatMap(({ key: { name }, time }) =>
    time === undefined ? [] : [{ witness: name, time }],
  ),
});

/** `meshgate audit check`: verifies a proof offline. */
export const auditCheckCommand = command({
  brief: 'Verify the proof of a line, with the first key of the log and nothing else',
  text: 'Verifies a proof of "meshgate audit prove": that the log with this key has sealed the line, at this place. With --witness, the proof must also have a cosignature of each of these witnesses. Nothing is asked over the network.',
  exits: { 0: 'proven', 1: 'not proven' },
  examples: [
    'meshgate audit check line.tlog-proof --key first.vkey',
    'meshgate audit check line.tlog-proof --key first.vkey --witness witness.vkey --format json',
  ],
  flags: { key: keyFlag, witness: witnessFlag, format: formatFlag },
  args: [argument('PROOF', 'The proof; - reads standard input')],
  async run(runtime, { key, witness }, file) {
    if (key === undefined) throw new WrongUse('give the first key of the log with --key');
    const [first, witnesses] = [keyOf(runtime, key), witnessKeys(runtime, witness)];
    const text = readText(runtime, file, 'the proof');
    try {
      const proven = await verifyProof(parseProof(text), first, witnesses, runtime.now());
      const absent = witnesses.find((one) => !proven.checkpoint.signed.some((it) => it.key === one));
      if (absent !== undefined) throw new Malformed(`${absent.name}+${absent.id} has not cosigned the checkpoint`);
      return { code: YES, value: provenJson(proven), text: (paint) => provenText(proven, paint) };
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      const { message } = error;
      return {
        code: NO,
        value: { valid: false, problem: message },
        text: (paint) => `${paint('bad', 'no')}: ${foreign(message, Number.POSITIVE_INFINITY)}\n`,
      };
    }
  },
});
