/** The time of a cosignature: one of the future would look new for ever, and C2SP demands one. */
import { expect, test } from 'vitest';
import { isoTime } from '../../../src/audit/log/clocks.ts';
import { parseVkey } from '../../../src/audit/log/note.ts';
import { type CosigningMachine, cosign, cosignedAt } from '../../../src/audit/witness/witnesses.ts';
import { meshgate } from '../cli/fake.ts';
import { filesOf, sealedLog, signatureLine } from './sealed-log.ts';

const NOW = 1_800_000_000;
const [DAY, LAST] = [86_400, Number.MAX_SAFE_INTEGER];
const wrong = [
  ['of the year 2100', 4_102_444_800],
  ['of tomorrow', NOW + DAY],
  ['of two minutes later', NOW + 120],
  ['of 2^53 - 1', LAST],
  ['zero', 0],
] as const;
const log = sealedLog('times', 20, { unsealed: 0 });
const note = Buffer.from(log.folder.checkpoint!).toString();
const body = note.slice(0, note.indexOf('\n\n') + 1);
const cosigned = (time: number) => signatureLine(log.witness, body, time);
const key = parseVkey(log.witness.vkey);

/** A log folder in memory, and a witness that answers with a time. */
function machine(time: number) {
  const files = new Map<string, Uint8Array>(Object.entries(log.folder));
  const made: CosigningMachine = {
    load: (name) => files.get(name),
    put: (name, text) => void files.set(name, Buffer.from(text)),
    now: () => NOW,
    post: async () => ({ status: 200, type: 'text/plain', text: cosigned(time) }),
  };
  return { made, files };
}
const witness = { url: 'https://witness.example.com', key: log.witness.vkey };
const file = `witness/witness.example.com_w-${key.id}`;

test.each(wrong)(
  'a cosignature whose time is %s is not kept, and does not make the log look cosigned',
  async (_, time) => {
    const { made, files } = machine(time);
    await expect(cosign(made, witness)).rejects.toThrow(/^its cosignature is not kept: its? /);
    expect(files.has(file)).toBe(false);
    files.set(file, Buffer.from(note + cosigned(time)));
    expect(cosignedAt(made, key)).toBeUndefined();
  },
);

test('a wrong cosignature that is there already is replaced', async () => {
  const { made, files } = machine(NOW);
  files.set(file, Buffer.from(note + cosigned(4_102_444_800)));
  await cosign(made, witness);
  expect(cosignedAt(made, key)).toBe(NOW);
});

test('a clock that is a few seconds ahead is no problem', async () => {
  const { made } = machine(NOW + 30);
  await cosign(made, witness);
  expect(cosignedAt(made, key)).toBe(NOW + 30);
});

test.each(wrong)('audit verify says no to a cosignature whose time is %s', async (_, time) => {
  const files = filesOf({ ...log.folder, [file]: Buffer.from(note + cosigned(time)) });
  const args = ['audit', 'verify', '--log-folder', '/audit', '--key', log.keys[0]!.vkey];
  const ran = await meshgate([...args, '--witness', log.witness.vkey], { files, now: NOW });
  expect([ran.code, ran.err]).toEqual([1, '']);
  expect(ran.out).toMatch(
    /the cosignature of witness\.example\.com\/w\+[0-9a-f]{8} (?:does not count: its? |is not valid)/,
  );
});

test('a time beyond all dates is a text', () => {
  expect([isoTime(LAST), isoTime(Number.NaN), isoTime(0)]).toEqual([
    'beyond all dates',
    'beyond all dates',
    '1970-01-01T00:00:00Z',
  ]);
});
