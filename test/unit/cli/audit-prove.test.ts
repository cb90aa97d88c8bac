import { describe, expect, it } from 'vitest';
import { checkpointOf, type Folder, filesOf, noteKey, sealedLog, signatureLine, tilesOf } from '../audit/sealed-log.ts';
import { meshgate } from './fake.ts';

const log = sealedLog('prove', 600, { changes: [200, 400] });
const [first] = log.keys;
const idOf = (at: number): string => /"request_id":"(\w+)"/.exec(log.lines[at]!)![1]!;

const prove = (id: string, folder: Folder = log.folder, flags: string[] = []) =>
  meshgate(['audit', 'prove', id, '--log-folder', '/audit', ...flags], { files: filesOf(folder) });

const check = (proof: string, flags: string[] = [], key = first!.vkey) =>
  meshgate(['audit', 'check', '/proof', '--key', key, ...flags], { files: { '/proof': proof } });

describe('audit prove and audit check', () => {
  it.each([
    [0, 1, 'the key that was given', 202],
    [199, 200, 'the key that was given', 202],
    [200, 202, 'key 2, which the first key leads to', 403],
    [597, 600, 'key 3, which the first key leads to', 601],
  ])('prove line %d with the first key and nothing else', async (at, entry, key, size) => {
    const proof = await prove(idOf(at));
    expect([proof.code, proof.err]).toEqual([0, '']);
    const { code, out } = await check(proof.out);
    const lines = out.split('\n');
    expect([code, lines[0], lines[2]]).toEqual([
      0,
      `yes: this line is entry ${entry} of the log wiki.example.com/meshgate/gw-0`,
      log.lines[at],
    ]);
    expect(lines[1]).toMatch(
      /^ {2}at 2026-03-04T10:\d\d:\d\d\+00:00, GET https:\/\/wiki\.example\.com\/page\/.* by okta-ben of okta: allowed by wiki\.example\.com\/\*#1$/,
    );
    expect(lines[3]).toMatch(new RegExp(`^signed: a checkpoint of ${size} entries, by \\S+ \\(${key}\\)$`));
    expect(lines[4]).toBe('witness: none was verified');
  });

  it('has the form of the specification', async () => {
    const lines = (await prove(idOf(0))).out.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'c2sp.org/tlog-proof@v1',
      expect.stringMatching(/^extra [A-Za-z0-9+/]+=*$/),
      'index 1',
    ]);
    const end = lines.indexOf('');
    expect(lines.slice(3, end).map((line) => Buffer.from(line, 'base64').length)).toEqual(Array(8).fill(32));
    expect(lines.slice(end + 1).join('\n')).toBe(Buffer.from(log.folder['keys/0']!).toString());
  });

  it('finds the only line of a trace, and names the requests of one that has several', async () => {
    expect((await prove(idOf(5))).out).toContain('index 6\n');
    const both = sealedLog('traces', 10);
    const shared = both.entries.map((entry, at) =>
      at === 3 || at === 7 ? entry.replace(/"trace_id":"\w+"/, `"trace_id":"${'a'.repeat(32)}"`) : entry,
    );
    const folder = {
      ...both.folder,
      ...tilesOf(shared),
      checkpoint: Buffer.from(checkpointOf(shared, [both.keys[0]!])),
    };
    const ids = [7, 3].map((at) => /"request_id":"(\w+)"/.exec(shared[at]!)![1]);
    const { code, err } = await prove('a'.repeat(32), folder);
    expect([code, err]).toEqual([1, `meshgate: 2 lines have this trace id; name a request: ${ids.join(', ')}\n`]);
  });

  it('says that a line is not sealed', async () => {
    expect(await prove(idOf(599))).toMatchObject({
      code: 1,
      out: '',
      err: `meshgate: no sealed line has the id ${idOf(599)}; a line is sealed within about a second\n`,
    });
  });

  it('makes no proof from a tile that was altered', async () => {
    const tile = Buffer.from(log.folder['tile/0/000']!);
    tile[40] = tile[40]! ^ 1;
    const { code, err } = await prove(idOf(20), { ...log.folder, 'tile/0/000': tile });
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /^meshgate: the line cannot be proven: .*; "meshgate audit verify" says what was altered\n$/,
      ),
    ]);
  });

  it('joins the cosignatures of witnesses, and check demands those that are given', async () => {
    const plain = sealedLog('witnessed', 50);
    const [one, other, absent] = ['w1', 'w2', 'w3'].map((name) => noteKey(`witness.example.com/${name}`, 4));
    const note = checkpointOf(plain.entries.slice(0, 40), [plain.keys[0]!]);
    const text = note.slice(0, note.indexOf('\n\n') + 1);
    const folder = {
      ...plain.folder,
      'witness/w1': Buffer.from(note + signatureLine(one!, text, 1_772_620_000)),
      'witness/w2': Buffer.from(note + signatureLine(other!, text, 1_772_620_001)),
    };
    const id = /"request_id":"(\w+)"/.exec(plain.lines[7]!)![1]!;
    const proof = (await prove(id, folder)).out;
    const { code, out } = await check(proof, ['--witness', one!.vkey, '--witness', other!.vkey], plain.keys[0]!.vkey);
    expect([code, out]).toEqual([0, expect.stringContaining('signed: a checkpoint of 40 entries')]);
    expect(out).toContain('witness witness.example.com/w1 had seen this log at 2026-03-04T10:26:40Z\n');
    expect(out).toContain('witness witness.example.com/w2 had seen this log at 2026-03-04T10:26:41Z\n');
    const without = await check(proof, ['--witness', absent!.vkey], plain.keys[0]!.vkey);
    expect([without.code, without.out]).toEqual([
      1,
      expect.stringMatching(/^no: witness\.example\.com\/w3\+\w{8} has not cosigned/),
    ]);
  });

  it('prints JSON', async () => {
    const { code, out } = await check((await prove(idOf(300))).out, ['--format', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      valid: true,
      origin: 'wiki.example.com/meshgate/gw-0',
      index: 302,
      size: 403,
      line: log.lines[300],
      keys: log.keys.slice(0, 2).map(({ name, id }) => `${name}+${id.toString('hex')}`),
      cosigned: [],
    });
  });

  it('rejects the proof of another log', async () => {
    const { code, out } = await check((await prove(idOf(0))).out, [], noteKey().vkey);
    expect([code, out]).toEqual([1, expect.stringMatching(/^no: the checkpoint of .* is not signed by /)]);
  });

  it('rejects an entry that a later key claims to be older than itself', async () => {
    const entries = log.entries.map((entry, at) => (at === 10 ? entry.replace('okta-ben', 'okta-ada') : entry));
    const note = checkpointOf(entries, [log.keys[2]!]);
    // The newest key signs a log of its own, and the chain up to it is that of the true log.
    const forged = { ...tilesOf(entries), checkpoint: Buffer.from(note), 'keys/first': log.folder['keys/first']! };
    const plain = (await prove(idOf(9), forged, ['--key', log.keys[2]!.vkey])).out;
    const honest = (await prove(idOf(597))).out;
    const read = (proof: string) => JSON.parse(Buffer.from(/^extra (.*)$/m.exec(proof)![1]!, 'base64').toString());
    const extra = Buffer.from(JSON.stringify({ ...read(plain), keys: read(honest).keys })).toString('base64');
    const { code, out } = await check(plain.replace(/^extra .*$/m, `extra ${extra}`));
    expect([code, out]).toEqual([1, 'no: the entry is older than the key that signed the checkpoint\n']);
  });

  it('rejects each proof in which one character differs', async () => {
    const proof = (await prove(idOf(450))).out;
    const accepted: string[] = [];
    for (let at = 0; at < proof.length; at += 61) {
      const changed = `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`;
      if ((await check(changed)).code !== 1) accepted.push(changed.slice(Math.max(0, at - 20), at + 20));
    }
    expect(accepted).toEqual([]);
  });

  it.each([
    ['nothing', '', 'the proof has no empty line before its checkpoint'],
    ['another version', 'c2sp.org/tlog-proof@v2\n\n', 'the first line of the proof is not c2sp.org/tlog-proof@v1'],
    [
      'no extra data',
      'c2sp.org/tlog-proof@v1\nindex 1\n\n',
      'the proof has no extra data with its line: let "meshgate audit prove" make it',
    ],
    [
      'other extra data',
      'c2sp.org/tlog-proof@v1\nextra AAAA\nindex 1\n\n',
      'the extra data of the proof is not of "meshgate audit prove"',
    ],
    ['no index', 'c2sp.org/tlog-proof@v1\nextra AAAA\n\n', 'the proof has no line "index NUMBER" after its extra data'],
    [
      'a long index',
      'c2sp.org/tlog-proof@v1\nextra e30=\nindex 01\n\n',
      'the index of the proof is not a decimal number without leading zeroes',
    ],
  ])('rejects a proof that has %s', async (_, proof, wanted) => {
    expect(await check(proof)).toMatchObject({ code: 1, out: `no: ${wanted}\n` });
  });
});
