import { createHash } from 'crypto';
import { checkpointText, openCheckpoint, parseCheckpoint, signCheckpoint } from '../../../src/audit/log/checkpoint.ts';
import { leafOf, readSealerLeaf, sealerEntry } from '../../../src/audit/log/leaf.ts';
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
} from '../../../src/audit/log/merkle.ts';
import {
  COSIGNATURE,
  formatNote,
  formatVkey,
  generateKey,
  importSigner,
  parseNote,
  parseVkey,
  signText,
  verifyNote,
} from '../../../src/audit/log/note.ts';
import { entriesOf, nodesOf, TILE_WIDTH, type Tile, tilePath } from '../../../src/audit/log/tiles.ts';
import { GrowingTree } from '../../../src/audit/seal/growing-tree.ts';

/** What the transparency log needs of the engine. The same list runs in Node and inside njs. */
export interface AuditSpec {
  readonly name: string;
  readonly got: () => unknown;
  readonly wanted: unknown;
  /** nginx's module has no Ed25519. */
  readonly needsEd25519?: true;
}

/** Whether an entry stands for a line of the file. */
const standsForLine = (entry: Uint8Array): boolean =>
  [undefined, 'foreign', 'long'].includes(readSealerLeaf(entry)?.kind);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const entry = (index: number): Uint8Array => bytesOf(`entry ${index}`);

/** The message of what is thrown. */
export async function problemOf(action: () => unknown): Promise<string> {
  try {
    return `no error, but ${JSON.stringify(await action())}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Returns MTH(D[from:to]) of RFC 6962 section 2.1, as the section defines it. */
export function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (2 * split < leaves.length) split *= 2;
  return nodeHash(definedRoot(leaves.slice(0, split)), definedRoot(leaves.slice(split)));
}

/** A log in memory: the tree, and all that it has written by path. */
export function grown(count: number, steps: readonly number[] = [count]) {
  const tree = new GrowingTree();
  const files = new Map<string, Uint8Array>();
  for (const step of steps) {
    while (tree.size < step) tree.append(entry(tree.size));
    for (const { tile, bytes } of tree.written()) files.set(tilePath(tile), new Uint8Array(bytes));
  }
  const read = (tile: Tile): Uint8Array => {
    const bytes = files.get(tilePath(tile)) ?? files.get(tilePath({ ...tile, width: TILE_WIDTH }));
    if (bytes === undefined) throw new Error(`${tilePath(tile)} was not written`);
    return bytes;
  };
  return { tree, files, read };
}

/** The leaves that the tests of Certificate Transparency use, and the roots of the first of them. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** The key and the note that C2SP signed-note has as its example. */
export const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
export const EXAMPLE_NOTE = `This is an example message.

\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

/** The private key of RFC 8032 section 7.1, test 1. */
export const TEST_KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};

const spec = (name: string, wanted: unknown, got: () => unknown): AuditSpec => ({ name, got, wanted });
const signed = (name: string, wanted: unknown, got: () => unknown): AuditSpec => ({
  name,
  got,
  wanted,
  needsEd25519: true,
});

/** Sequences of UTF-8 as hex, and their bytes in JSON if these differ (RFC 8259 section 7). */
const IN_JSON: readonly (readonly [string, string?])[] = [
  ['61'],
  ['22', '5c22'],
  ['5c', '5c5c'],
  ['2f'],
  ['08', '5c62'],
  ['09', '5c74'],
  ['0c', '5c66'],
  ['0d', '5c72'],
  ['00', '5c7530303030'],
  ['1f', '5c7530303166'],
  ['7f'],
  ['c280'],
  ['c3a9'],
  ['dfbf'],
  ['e0a080'],
  ['e280a8'],
  ['ed9fbf'],
  ['ee8080'],
  ['efbbbf'],
  ['efbfbd'],
  ['efbfbf'],
  ['f0908080'],
  ['f09f9880'],
  ['f48fbfbf'],
];

/** Sequences that are not UTF-8 (RFC 3629): surrogates, overlong, too high, cut off, and bytes that begin nothing. */
const NOT_UTF8 = [
  ...['eda080', 'edbfbf', 'eda0bdedb880', 'edb880eda0bd', 'c080', 'c1bf', 'e08080', 'e09fbf', 'f0808080', 'f08fbfbf'],
  ...['f4908080', 'f5808080', 'f880808080', '80', 'bf', 'c2', 'e282', 'e2', 'f09f98', 'f09f', 'ff', 'fe', 'c3c3a9'],
];

/** A line that claims to be a leaf of the sealer, and what must be sealed for it. It is made of sequences, each with a
 * letter after it so that none continues the one before. */
function foreignLine(seed: number): { readonly line: Uint8Array; readonly leaf: Uint8Array } {
  let state = seed;
  const below = (end: number): number => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (state >> 8) % end;
  };
  let [text, inJson, isUtf8] = ['', '', true];
  for (let count = below(8); count >= 0; count--) {
    const bad = below(12) === 0 ? NOT_UTF8[below(NOT_UTF8.length)] : undefined;
    const [good, escaped = good] = IN_JSON[below(IN_JSON.length)]!;
    text += `${bad ?? good}61`;
    inJson += `${escaped}61`;
    isUtf8 &&= bad === undefined;
  }
  const line = Buffer.concat([bytesOf('{"meshgate.leaf"'), Buffer.from(text, 'hex')]);
  const sha256 = createHash('sha256').update(line).digest('hex');
  const leaf = isUtf8
    ? [bytesOf('{"meshgate.leaf":"foreign","line":"{\\"meshgate.leaf\\"'), Buffer.from(inJson, 'hex'), bytesOf('"}')]
    : [bytesOf(`{"meshgate.leaf":"long","sha256":"${sha256}","bytes":${line.length}}`)];
  return { line, leaf: Buffer.concat(leaf) };
}

/** Every proof of the trees up to a size: those that are right, and those that verify although one byte differs. */
function allProofs(most: number) {
  const { read } = grown(most);
  const leaves = Array.from({ length: most }, (_, index) => leafHash(entry(index)));
  let [right, wrong, made] = [0, 0, 0];
  const other = (hash: Uint8Array): Uint8Array => Uint8Array.from(hash, (byte, at) => (at === 7 ? byte ^ 1 : byte));
  const count = (verify: (proof: readonly Uint8Array[]) => boolean, proof: readonly Uint8Array[]): void => {
    made++;
    if (verify(proof)) right++;
    const changed = [...proof.keys()].map((at) => proof.map((hash, place) => (place === at ? other(hash) : hash)));
    const longer = [[...proof, leaves[0]!], ...(proof.length > 0 ? [proof.slice(1), proof.slice(0, -1)] : [])];
    wrong += [...changed, ...longer].filter(verify).length;
  };
  for (let size = 1; size <= most; size++) {
    const tree = { size, root: definedRoot(leaves.slice(0, size)) };
    const nodes = nodesOf(most, read);
    for (let index = 0; index < size; index++) {
      count((proof) => isIncluded(index, leaves[index]!, tree, proof), inclusionProof(index, size, nodes));
      const older = { size: index + 1, root: definedRoot(leaves.slice(0, index + 1)) };
      count((proof) => isConsistent(older, tree, proof), consistencyProof(index + 1, size, nodes));
    }
  }
  return { all: made === right, wrong };
}

export const auditSpecs: readonly AuditSpec[] = [
  spec('the roots of the known trees', ROOTS, () => {
    const tree = new GrowingTree();
    return LEAVES.map((leaf) => {
      tree.append(Buffer.from(leaf, 'hex'));
      return hex(tree.root());
    });
  }),
  spec('the root of the empty tree', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', () =>
    hex(new GrowingTree().root()),
  ),
  spec('all proofs of small trees verify, and no changed proof does', { all: true, wrong: 0 }, () => allProofs(20)),
  spec('the root of a tree of several tiles is as defined', true, () => {
    const { tree } = grown(600);
    return hex(tree.root()) === hex(definedRoot(Array.from({ length: 600 }, (_, index) => leafHash(entry(index)))));
  }),
  spec('entries come back from their bundle', 'entry 299', () => {
    const bundle = grown(300).read({ level: 'entries', index: 1, width: 44 });
    return Buffer.from(entriesOf(bundle, 44)[43]!).toString();
  }),
  spec('a line is its own leaf', '{"time":"2026-11-29T00:00:00.000Z"}', () =>
    Buffer.from(leafOf(bytesOf('{"time":"2026-11-29T00:00:00.000Z"}'))).toString(),
  ),
  spec(
    'a line that claims to be a leaf of the sealer is foreign',
    '{"meshgate.leaf":"foreign","line":"{\\"meshgate.leaf\\" : \\"key\\"}"}',
    () => Buffer.from(leafOf(bytesOf('{"meshgate.leaf" : "key"}'))).toString(),
  ),
  spec(
    'a foreign line that is not UTF-8 is sealed as its hash',
    '{"meshgate.leaf":"long","sha256":"504f949ab8f73ef7f041ab49a8fd20ff1bd6dc9f90f47aa41cf6da6b1403d170","bytes":18}',
    () => Buffer.from(leafOf(Buffer.concat([bytesOf('{"meshgate.leaf":'), Buffer.from([0xff])]))).toString(),
  ),
  spec('a foreign line is sealed as its text if it is UTF-8, and as its hash otherwise', [], () =>
    Array.from({ length: 600 }, (_, seed) => foreignLine(seed + 1)).flatMap(({ line, leaf }) =>
      hex(leafOf(line)) === hex(leaf) ? [] : [hex(line)],
    ),
  ),
  spec('bytes that are not UTF-8 are no note', [], () =>
    NOT_UTF8.filter((bytes) => {
      try {
        parseNote(Buffer.concat([bytesOf('text\n'), Buffer.from(bytes, 'hex'), bytesOf(EXAMPLE_NOTE)]));
        return true;
      } catch (error) {
        return (error as Error).message !== 'the note is not UTF-8';
      }
    }),
  ),
  spec('a line of 65,535 bytes is sealed as it is, and one more byte as a hash', [65535, 'long'], () => [
    leafOf(Buffer.alloc(65535, 'a')).length,
    readSealerLeaf(leafOf(Buffer.alloc(65536, 'a')))?.kind,
  ]),
  spec('which entries stand for lines', [true, true, false], () => [
    standsForLine(bytesOf('{"time":"')),
    standsForLine(leafOf(bytesOf('{"meshgate.leaf":"key"}'))),
    standsForLine(sealerEntry({ kind: 'event', event: 'started', time: '2026-11-29T00:00:00Z' })),
  ]),
  spec('a checkpoint reads as it was written', true, () => {
    const text = checkpointText({ origin: 'wiki.example.com/meshgate/gw-0', size: 20852163, root: EMPTY_ROOT });
    return checkpointText(parseCheckpoint(text)) === text;
  }),
  spec('a verifier key reads as it was written', EXAMPLE_KEY, () => formatVkey(parseVkey(EXAMPLE_KEY))),
  spec('a note reads as it was written', EXAMPLE_NOTE, () => formatNote(parseNote(EXAMPLE_NOTE))),
  spec('a note that is not UTF-8 is rejected', 'the note is not UTF-8', () =>
    problemOf(() => parseNote(Buffer.concat([bytesOf(EXAMPLE_NOTE), Buffer.from([0xff, 0x0a])]))),
  ),
  signed('the example of the specification verifies', ['example.com/foo'], async () =>
    (await verifyNote(parseNote(EXAMPLE_NOTE), [parseVkey(EXAMPLE_KEY)])).map(({ key }) => key.name),
  ),
  signed('a changed text does not verify', 'the signature of example.com/foo+530d903a is not valid', () =>
    problemOf(() => verifyNote(parseNote(EXAMPLE_NOTE.replace('an example', 'no example')), [parseVkey(EXAMPLE_KEY)])),
  ),
  signed(
    'a signature is the one of RFC 8032',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    async () => hex((await signText('', await importSigner('example.com/log', TEST_KEY))).bytes),
  ),
  signed('a cosignature has its time', [{ name: 'witness.example.com/w', time: 1_795_910_400 }], async () => {
    const signer = await importSigner('witness.example.com/w', TEST_KEY, COSIGNATURE);
    const text = checkpointText({ origin: 'example.com/log', size: 0, root: EMPTY_ROOT });
    const note = { text, signatures: [await signText(text, signer, 1_795_910_400.7)] };
    const opened = await verifyNote(parseNote(formatNote(note)), [signer.key], 1_795_910_400);
    return opened.map(({ key, time }) => ({ name: key.name, time }));
  }),
  signed('a new key signs a checkpoint that opens', 300, async () => {
    const signer = await importSigner('example.com/log', await generateKey());
    const { tree } = grown(300);
    const note = await signCheckpoint({ origin: 'example.com/log', size: 300, root: tree.root() }, signer);
    return (await openCheckpoint(note, [parseVkey(formatVkey(signer.key))])).size;
  }),
];
