/** The witness: what it cosigns, and what it refuses. Logs and signatures are made without the code under test. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Tree } from '../../../src/audit/log/merkle.ts';
import { importSigner, parseVkey } from '../../../src/audit/log/note.ts';
import { Witness, type WitnessStore } from '../../../src/audit/witness/cosign.ts';
import { checkpointOf, type NoteKey, noteKey, ORIGIN, signatureLine } from './sealed-log.ts';

const entries = (count: number, seed = 'a') => Array.from({ length: count }, (_, at) => `${seed} ${at}`);
const log = noteKey();
const sha256 = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaf = (entry: string) => sha256(Buffer.of(0), Buffer.from(entry));

/** MTH and PROOF of RFC 6962 section 2.1. */
function hashOf(all: readonly string[]): Buffer {
  if (all.length === 1) return leaf(all[0]!);
  const split = splitOf(all.length);
  return sha256(Buffer.of(1), hashOf(all.slice(0, split)), hashOf(all.slice(split)));
}
const splitOf = (count: number) => 2 ** Math.floor(Math.log2(count - 1));
function subproof(older: number, all: readonly string[], isComplete: boolean): Buffer[] {
  if (older === all.length) return isComplete ? [] : [hashOf(all)];
  const split = splitOf(all.length);
  return older <= split
    ? [...subproof(older, all.slice(0, split), isComplete), hashOf(all.slice(split))]
    : [...subproof(older - split, all.slice(split), false), hashOf(all.slice(0, split))];
}
const proofOf = (older: number, all: readonly string[]) =>
  older === 0 || older > all.length ? [] : subproof(older, all, true);

const request = (
  old: number,
  all: readonly string[],
  {
    keys = [log],
    proof = proofOf(old, all),
    origin = ORIGIN,
  }: { keys?: NoteKey[]; proof?: Buffer[]; origin?: string } = {},
) => `old ${old}\n${proof.map((it) => `${it.toString('base64')}\n`).join('')}\n${checkpointOf(all, keys, origin)}`;

function setup(store?: Partial<WitnessStore>) {
  const own = noteKey('witness.example.com/w', 4);
  const kept = new Map<string, Tree>();
  const jwk = own.privateKey.export({ format: 'jwk' });
  const all = {
    load: (origin: string) => kept.get(origin),
    store: (origin: string, tree: Tree) => void kept.set(origin, tree),
    ...store,
  };
  const made = importSigner(own.name, jwk, 4).then(
    (signer) => new Witness(signer, [parseVkey(log.vkey)], all, () => 1_800_000_000.7),
  );
  const add = async (text: string | Uint8Array) =>
    (await made).answer('POST', '/add-checkpoint', Buffer.from(text as string));
  return { own, kept, add, made };
}

/** Whether the answer has the cosignature of the witness for a checkpoint: C2SP tlog-cosignature, by Node's own Ed25519. */
function isCosigned(body: string, { own }: ReturnType<typeof setup>, all: readonly string[]): boolean {
  const [, name, base64 = ''] = /^— (\S+) (\S+)\n$/.exec(body) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  const time = Number(bytes.readBigUInt64BE(4));
  const message = `cosignature/v1\ntime ${time}\n${checkpointOf(all, [log]).split('\n\n')[0]}\n`;
  const isSigned = verify(null, Buffer.from(message), createPublicKey(own.privateKey), bytes.subarray(12));
  return isSigned && name === own.name && bytes.subarray(0, 4).equals(own.id) && time === 1_800_000_000;
}

test('cosigns a new log, and each checkpoint that continues it', async () => {
  const witness = setup();
  let old = 0;
  for (const size of [1, 2, 7, 8, 9, 9, 64, 100]) {
    const { status, body } = await witness.add(request(old, entries(size)));
    expect({ size, status, isCosigned: isCosigned(body, witness, entries(size)) }).toEqual({
      size,
      status: 200,
      isCosigned: true,
    });
    old = size;
  }
});

test('says the size that it has cosigned if the old size is another one', async () => {
  const { add } = setup();
  expect(await add(request(3, entries(9)))).toMatchObject({ status: 409, body: '0\n', type: 'text/x.tlog.size' });
  await add(request(0, entries(9)));
  for (const old of [0, 3, 10])
    expect(await add(request(old, entries(20)))).toMatchObject({ status: 409, body: '9\n', type: 'text/x.tlog.size' });
});

test.each([
  ['a fork that has grown', request(9, [...entries(8), 'other', ...entries(5)]), 422],
  ['a fork of the same size', request(9, [...entries(8), 'other']), 422],
  ['a rollback', request(0, entries(5)), 409],
  ['a rollback with the right old size', request(9, entries(5)), 400],
  ['a proof that is missing', request(9, entries(20), { proof: [] }), 422],
  [
    'a proof with one more hash',
    request(9, entries(20), { proof: [...proofOf(9, entries(20)), Buffer.alloc(32)] }),
    422,
  ],
  ['the proof of an empty log', request(0, entries(9), { proof: [Buffer.alloc(32)] }), 409],
  ['another key', request(9, entries(20), { keys: [noteKey()] }), 403],
  ['an unknown log', request(9, entries(20), { keys: [noteKey('b.example.com/x')], origin: 'b.example.com/x' }), 404],
  ['the key of a known log for another origin', request(9, entries(20), { origin: 'b.example.com/x' }), 404],
  ['an altered root', request(9, entries(20)).replace(/^(.*\n20\n)./m, '$1'), 400],
  ['no empty line', 'old 9\n', 400],
  ['no old size', request(9, entries(20)).replace('old 9', 'new 9'), 400],
  ['an old size with a leading zero', request(9, entries(20)).replace('old 9', 'old 09'), 400],
  ['a proof that is not base64', request(9, entries(20)).replace('\n', '\n*\n'), 400],
  ['64 lines of proof', request(9, entries(20), { proof: Array.from({ length: 64 }, () => Buffer.alloc(32)) }), 400],
  ['nothing', '', 400],
  ['bytes that are not UTF-8', Buffer.of(0xff, 0xfe), 400],
])('refuses %s, and goes on with the newest checkpoint', async (_, text, status) => {
  const { add, kept } = setup();
  await add(request(0, entries(9)));
  const before = kept.get(ORIGIN);
  const answer = await add(text);
  expect(answer.status).toBe(status);
  expect(answer.body).not.toContain('—');
  expect(kept.get(ORIGIN)).toEqual(before);
  expect((await add(request(9, entries(20)))).status).toBe(200);
});

test('tells its operator of forks and rollbacks, and not of other mistakes', async () => {
  const { add } = setup();
  await add(request(0, entries(9)));
  const says = async (text: string) => (await add(text)).says?.text;
  expect(await says(request(9, [...entries(8), 'other']))).toMatch(/ has signed two logs of 9 leaves: /);
  expect(await says(request(9, [...entries(8), 'other', 'more']))).toMatch(/the 10 leaves do not begin with the 9/);
  expect(await says(request(0, entries(5)))).toMatch(/has sent 5 leaves after 9: it was rolled back/);
  expect(await says(request(0, entries(20)))).toBeUndefined();
  expect(await says('x')).toBeUndefined();
});

test('names the key that has signed and the one that it knows, and says what to do', async () => {
  const { add } = setup();
  const other = noteKey();
  const id = (key: NoteKey) => key.id.toString('hex');
  expect((await add(request(0, entries(9), { keys: [other] }))).body).toBe(
    `the key ${id(other)} of ${ORIGIN} has signed it, and this witness knows ${id(log)}: start it with --log and the newest key of the log\n`,
  );
});

test('of two logs that come at once, cosigns one', async () => {
  for (let round = 0; round < 20; round++) {
    const { add } = setup();
    await add(request(0, entries(9)));
    const two = [request(9, entries(20)), request(9, [...entries(9), ...entries(11, 'b')])];
    const statuses = await Promise.all(two.map(async (text) => (await add(text)).status));
    expect(statuses.sort()).toEqual([200, 409]);
  }
});

test.each([
  [
    'cannot store it',
    {
      store: () => {
        throw new Error('full');
      },
    },
  ],
  [
    'cannot read what it has cosigned',
    {
      load: () => {
        throw new Error('damaged');
      },
    },
  ],
])('cosigns nothing if it %s', async (_, store) => {
  const { add } = setup(store as Partial<WitnessStore>);
  const { status, body, says } = await add(request(0, entries(9)));
  expect({ status, body }).toEqual({ status: 500, body: 'the witness cannot store its state\n' });
  expect(says?.text).toContain(ORIGIN);
});

test('has one path, and one method', async () => {
  const witness = await setup().made;
  expect((await witness.answer('GET', '/add-checkpoint', Buffer.alloc(0))).status).toBe(405);
  expect((await witness.answer('POST', '/', Buffer.alloc(0))).status).toBe(404);
});

test('refuses a checkpoint of an empty log with another root, and the proof of one, with 422', async () => {
  const { add, kept } = setup();
  const text = `${ORIGIN}\n0\n${Buffer.alloc(32).toString('base64')}\n`;
  const body = `old 0\n\n${text}\n${signatureLine(log, text)}`;
  expect((await add(body)).status).toBe(422);
  expect((await add(request(0, entries(9), { proof: [Buffer.alloc(32)] }))).status).toBe(422);
  expect(kept.size).toBe(0);
});

test('prints a few hundred bytes about a request, whatever signatures a stranger adds', async () => {
  const { add } = setup();
  await add(request(0, entries(9)));
  const forked = request(9, [...entries(8), 'other', 'more']);
  const line = `\u2014 example.com/x ${Buffer.alloc(70).toString('base64')}\n`;
  const { says } = await add(`${forked}${line.repeat(80)}`);
  expect(says?.text).toContain('the 10 leaves do not begin with the 9');
  expect(says?.text).toContain(ORIGIN);
  expect(says!.text.length).toBeLessThan(1000);
  expect((await add(forked)).says?.about).toBe(says?.about);
});
