import { describe, expect, it } from 'vitest';
import { openCheckpoint, parseCheckpoint, signCheckpoint } from '../../../src/audit/log/checkpoint.ts';
import { readSealerLeaf } from '../../../src/audit/log/leaf.ts';
import { EMPTY_ROOT } from '../../../src/audit/log/merkle.ts';
import { generateKey, importSigner, parseNote, parseVkey, verifyNote } from '../../../src/audit/log/note.ts';
import { EXAMPLE_KEY, EXAMPLE_NOTE, problemOf, TEST_KEY } from './specs.ts';

const ROOT = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

describe('a verifier key', () => {
  it.each([
    ['example.com/foo', 'a verifier key consists of name, id and key, with a plus between them'],
    ['example.com/foo+530d903+AekyeRrm', 'the id of a verifier key is not eight hexadecimal digits'],
    [EXAMPLE_KEY.slice(0, -1), 'the last part of the verifier key is not base64'],
    [EXAMPLE_KEY.replace('530d903a', '530d903b'), 'the id of the verifier key is not 530d903a, so the key was altered'],
    [EXAMPLE_KEY.replace('foo', 'fop'), 'the id of the verifier key is not 7f0ebc2a, so the key was altered'],
    [EXAMPLE_KEY.replace('com/', 'com '), 'the name of a key is empty, or has a space or a plus'],
    [
      EXAMPLE_KEY.replace('+AekyeR', '+AukyeR'),
      'the verifier key is not of type 0x01 (Ed25519) or 0x04 (Ed25519 cosignature)',
    ],
    ['example.com/foo+530d903a+AekyeRrm', 'an Ed25519 key has 32 bytes'],
  ])('%s is rejected', async (text, wanted) => {
    expect((await problemOf(() => parseVkey(text))).replace(/not [0-9a-f]{8}, /, 'not ID, ')).toBe(
      wanted.replace(/not [0-9a-f]{8}, /, 'not ID, '),
    );
  });
});

describe('a note', () => {
  const line = EXAMPLE_NOTE.split('\n')[2]!;
  it.each([
    ['has no empty line', 'text\n', 'the note has no empty line before its signatures'],
    ['has no signature', 'text\n\n', 'the note has no signature'],
    ['does not end with a line break', EXAMPLE_NOTE.slice(0, -1), 'the note does not end with a line break'],
    ['has a control character', `te\tt\n\n${line}\n`, 'the note has a control character'],
    ['has a carriage return', EXAMPLE_NOTE.replaceAll('\n', '\r\n'), 'the note has a control character'],
    [
      'has a hyphen for the dash',
      EXAMPLE_NOTE.replace('\u2014', '-'),
      'a signature line of the note does not consist of dash, name and signature',
    ],
    ['has a signature without padding', EXAMPLE_NOTE.replace('=\n', '\n'), 'a signature of the note is not base64'],
    ['has only the id of a key', 'text\n\n\u2014 a AAAAAA==\n', 'a signature of the note is too short'],
    ['has 101 signatures', `text\n\n${`${line}\n`.repeat(101)}`, 'the note has more than 100 signatures'],
  ])('that %s is rejected', async (_, text, wanted) => {
    expect(await problemOf(() => parseNote(text))).toBe(wanted);
  });

  it('with 100 signatures is read', () => {
    expect(parseNote(`text\n\n${`${line}\n`.repeat(100)}`).signatures).toHaveLength(100);
  });

  it('keeps empty lines of its text', () => {
    expect(parseNote(`one\n\ntwo\n\n${line}\n`).text).toBe('one\n\ntwo\n');
  });

  it('ignores signatures of keys that share only the name', async () => {
    const other = (await importSigner('example.com/foo', await generateKey())).key;
    expect(await verifyNote(parseNote(EXAMPLE_NOTE), [other])).toEqual([]);
  });

  it('is rejected if a signature of a known key is not valid, even next to a valid one', async () => {
    const bad = `${line.slice(0, -6)}AAAA==`.replace(/.{6}$/, 'AAAAM=');
    const text = `${EXAMPLE_NOTE}${bad}\n`;
    expect(await problemOf(() => verifyNote(parseNote(text), [parseVkey(EXAMPLE_KEY)]))).toBe(
      'the signature of example.com/foo+530d903a is not valid',
    );
  });
});

describe('a checkpoint', () => {
  it.each([
    ['has two lines', 'example.com/log\n0\n', 'a checkpoint has three lines: origin, size and root'],
    ['has no origin', `\n0\n${ROOT}\n`, 'the origin of the checkpoint is empty'],
    [
      'has a leading zero',
      `example.com/log\n01\n${ROOT}\n`,
      'the size of the checkpoint is not a decimal number without leading zeroes',
    ],
    [
      'is too large',
      `example.com/log\n9007199254740992\n${ROOT}\n`,
      'the size of the checkpoint is greater than 2^53 - 1',
    ],
    ['has a short root', 'example.com/log\n1\nAAAA\n', 'the root of the checkpoint has not 32 bytes'],
    ['has an empty line', `example.com/log\n1\n${ROOT}\n\nmore\n`, 'the checkpoint has an empty line'],
    [
      'is empty with another root',
      `example.com/log\n0\n${'A'.repeat(43)}=\n`,
      'the checkpoint of an empty log has not the root of the empty tree',
    ],
  ])('that %s is rejected', async (_, text, wanted) => {
    expect(await problemOf(() => parseCheckpoint(text))).toBe(wanted);
  });

  it('with extension lines is read', () => {
    expect(parseCheckpoint(`example.com/log\n7\n${ROOT}\nmore\n`).size).toBe(7);
  });

  it('that another log signed is rejected, and so is one without a known signature', async () => {
    const [own, other] = await Promise.all(
      ['example.com/log', 'example.com/other'].map(async (name) => importSigner(name, await generateKey())),
    );
    const note = await signCheckpoint({ origin: 'example.com/log', size: 0, root: EMPTY_ROOT }, other!);
    expect(await problemOf(() => openCheckpoint(note, [other!.key]))).toBe(
      `the checkpoint of example.com/log is not signed by example.com/other+${other!.key.id}`,
    );
    expect(await problemOf(() => openCheckpoint(note, [own!.key]))).toBe(
      `the checkpoint of example.com/log is not signed by example.com/log+${own!.key.id}`,
    );
  });
});

describe('a private key', () => {
  it.each([
    ['is not an object', 'x', 'the private key is not a JSON Web Key with kty OKP, crv Ed25519, x and d'],
    [
      'has no d',
      { ...TEST_KEY, d: undefined },
      'the private key is not a JSON Web Key with kty OKP, crv Ed25519, x and d',
    ],
    ['is too short', { ...TEST_KEY, d: 'AAAA' }, 'the private key is not a valid Ed25519 key'],
  ])('that %s is rejected without its text', async (_, jwk, wanted) => {
    expect(await problemOf(() => importSigner('example.com/log', jwk))).toBe(wanted);
  });
});

describe('a leaf of the sealer', () => {
  it.each([
    ['{"meshgate.leaf":"key"', 'a leaf of the sealer is not JSON'],
    ['{"meshgate.leaf":"other"}', 'a leaf of the sealer has an unknown kind'],
    ['{"meshgate.leaf":"key","number":"1","key":"a"}', 'a leaf of the sealer of kind key has no number number'],
  ])('%s is rejected', async (text, wanted) => {
    expect(await problemOf(() => readSealerLeaf(Buffer.from(text)))).toBe(wanted);
  });
});
