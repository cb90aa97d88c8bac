import { describe, expect, it } from 'vitest';
import { snapshotOf } from '../../../src/audit/log/log-reader.ts';
import { parseVkey } from '../../../src/audit/log/note.ts';
import { verifyLog } from '../../../src/audit/verify/verify-log.ts';
import {
  checkpointOf,
  type Folder,
  filesOf,
  noteKey,
  requestLines,
  seal,
  sealedLog,
  signatureLine,
  textOf,
  tilesOf,
} from '../audit/sealed-log.ts';
import { meshgate } from './fake.ts';

const log = sealedLog('verify', 700, { changes: [300, 500] });
const [first] = log.keys;

/** Runs the command with the log in /access.log and the folder in /audit. */
async function verify(
  lines: readonly string[] | Record<string, string>,
  { folder = log.folder as Folder, flags = [] as string[], files = {} as Record<string, string | Uint8Array> } = {},
) {
  const logs = Array.isArray(lines) ? { '/access.log': textOf(lines) } : (lines as Record<string, string>);
  const given = { files: { ...filesOf(folder), ...logs, ...files } };
  const args = ['audit', 'verify', ...Object.keys(logs), '--log-folder', '/audit', '--key', first!.vkey, ...flags];
  const ran = await meshgate([...args, '--format', 'json'], given);
  return { ...ran, json: ran.out === '' ? undefined : JSON.parse(ran.out), text: (await meshgate(args, given)).out };
}

describe('audit verify', () => {
  it('says yes to a log as it was sealed, and which lines are not sealed yet', async () => {
    const { code, text, json } = await verify(log.lines);
    expect(
      text,
    ).toBe(`yes: wiki.example.com/meshgate/gw-0 has 701 sealed entries; 698 of 700 lines are as they were sealed
not sealed yet: 2 lines from /access.log:699; nothing is proven about them
keys: 3, each named by the one before; the newest is ${log.keys[2]!.vkey}
`);
    expect(code).toBe(0);
    expect(json).toMatchObject({
      valid: true,
      size: 701,
      keys: 3,
      newestKey: log.keys[2]!.vkey,
      lines: 700,
      sealed: 698,
      findings: [],
      more: 0,
    });
    expect(json.unsealed).toEqual({ file: '/access.log', line: 699, count: 2 });
  });

  it('counts lines that are not sealed yet, also if there are very many of them', async () => {
    const [last = ''] = log.lines.slice(-1);
    const waiting = Array.from({ length: 150_000 }, (_, at) => `${last.slice(0, 36)},"request_id":"${at}"}`);
    const { code, json } = await verify([...log.lines, ...waiting]);
    expect([code, json.unsealed]).toEqual([0, { file: '/access.log', line: 699, count: 150_002 }]);
  });

  it('hides no event behind many starts of the sealer, and says how many events and keys it does not name', async () => {
    const event = (name: string) =>
      `{"meshgate.leaf":"event","event":"${name}","time":"2026-03-04T10:15:00Z","detail":"x"}`;
    // Each of seven keys signs lines of three hours.
    const hours = Array.from({ length: 14 }, (_, at) => requestLines(`hours ${at}`, 1, 3 * 3600 * at)).flat();
    const keys = [first!, ...Array.from({ length: 6 }, () => noteKey())];
    const lines = [...hours, ...Array(1100).fill(event('started')), event('log_gone')];
    const { folder } = seal(lines, keys, [2, 4, 6, 8, 10, 12]);
    const { code, text } = await verify({}, { folder });
    expect(code).toBe(0);
    expect(text).toContain('event at entry 1121: log_gone, ');
    expect(text).toContain('\nand 2 more keys of this kind (--format json has all)\n');
    const gone = seal(Array(1003).fill(event('log_gone')), keys.slice(0, 1));
    const many = await verify({}, { folder: gone.folder });
    expect([many.text.split('\n').slice(-3), many.json.moreEvents]).toEqual([
      [expect.stringContaining('event at entry 1000: '), 'and 3 more events of the sealer', ''],
      3,
    ]);
  });

  it('takes rotated files in any order', async () => {
    const files = {
      '/access.log': textOf(log.lines.slice(500)),
      '/access.log.1': textOf(log.lines.slice(200, 500)),
      '/access.log.2': textOf(log.lines.slice(0, 200)),
    };
    const { code, json } = await verify(files);
    expect([code, json.sealed, json.unsealed]).toEqual([0, 698, { file: '/access.log', line: 199, count: 2 }]);
  });

  it('takes a part of the log with --part, and not without', async () => {
    const part = log.lines.slice(100, 400);
    expect((await verify(part, { flags: ['--part'] })).code).toBe(0);
    const { code, json, text } = await verify(part);
    expect(code).toBe(1);
    expect(text.split('\n')).toEqual([
      expect.stringMatching(
        /^no \/access\.log:1: removed before this line: 100 lines, entry 1 \(.*\) to entry 100 \(.*\)$/,
      ),
      expect.stringMatching(
        /^no \/access\.log:301: cut off at the end: 298 lines, entry 402 \(.*\) to entry 700 \(.*\)$/,
      ),
      expect.stringContaining('no: '),
      'the beginning is missing: if a rotation has removed the earlier files, add --part',
      `keys: 3, each named by the one before; the newest is ${log.keys[2]!.vkey}`,
      '',
    ]);
    const kinds = json.findings.map(({ kind }: { kind: string }) => kind);
    expect([
      kinds.filter((it: string) => it === 'removed').length,
      kinds.filter((it: string) => it === 'cut off').length,
    ]).toEqual([100, 298]);
  });

  it('names a line that takes the place of the last one of a part', async () => {
    const last = log.lines[399]!;
    const [forged] = requestLines('forged', 1, 399);
    const part = [...log.lines.slice(100, 399), forged!];
    const { code, json } = await verify(part, { flags: ['--part'] });
    expect(last).not.toBe(forged);
    expect([code, json.unsealed]).toEqual([1, null]);
    expect(json.findings).toMatchObject([{ kind: 'not sealed', file: '/access.log', line: 300 }]);
  });

  it('demands a cosignature of each key, also if two keys have one name', async () => {
    const other = noteKey(log.witness.name, 4);
    const checkpoint = checkpointOf(log.entries, [log.keys.at(-1)!, log.witness]);
    const folder = { ...log.folder, 'witness/w': Buffer.from(checkpoint) };
    const flags = ['--witness', log.witness.vkey];
    expect((await verify(log.lines, { folder, flags })).code).toBe(0);
    const { code, json } = await verify(log.lines, { folder, flags: [...flags, '--witness', other.vkey] });
    const problem = `no checkpoint has a cosignature of ${other.name}+${other.id.toString('hex')}`;
    expect([code, json.findings]).toEqual([1, [{ kind: 'witness', file: 'witness', problem }]]);
  });

  it('verifies the folder alone', async () => {
    const { code, text } = await verify({});
    expect([code, text]).toEqual([
      0,
      `yes: wiki.example.com/meshgate/gw-0 has 701 sealed entries; no file was compared with them\nkeys: 3, each named by the one before; the newest is ${log.keys[2]!.vkey}\n`,
    ]);
  });

  it('says what happened to each line', async () => {
    const lines = [...log.lines];
    lines[9] = lines[9]!.replace('"user.id":"okta-ben"', '"user.id":"okta-ada"');
    lines.splice(19, 1);
    lines.splice(29, 0, requestLines('other', 1)[0]!);
    lines.splice(39, 0, lines[2]!);
    lines.push(...lines.splice(49, 1));
    const { code, text } = await verify(lines);
    const id = (at: number) =>
      `(request ${/"request_id":"(\w+)"/.exec(log.lines[at]!)![1]}, ${/"time":"([^"]+)"/.exec(log.lines[at]!)![1]})`;
    expect(code).toBe(1);
    expect(text.split('\n').slice(0, 5)).toEqual([
      `no /access.log:10: altered: it is not entry 10 as it was sealed: user.id is "okta-ada" and not "okta-ben" ${id(9)}`,
      `no /access.log:20: removed before this line: entry 20 ${id(19)}`,
      expect.stringMatching(
        /^no \/access\.log:30: added: it was never sealed \(request \w+, 2026-03-04T10:15:02\+00:00\)$/,
      ),
      `no /access.log:40: repeated: entry 3 is in the files already ${id(2)}`,
      expect.stringMatching(/^no \/access\.log:701: moved: it was sealed as entry 49 /),
    ]);
  });

  it('names lines that should have been sealed', async () => {
    const late = requestLines('late', 5, 800);
    const { code, json } = await verify([...log.lines.slice(0, 698), ...late]);
    expect(code).toBe(1);
    expect(json.findings.map(({ kind, line }: { kind: string; line: number }) => [kind, line])).toEqual([
      ['not sealed', 699],
      ['not sealed', 700],
    ]);
    expect(json.unsealed).toEqual({ file: '/access.log', line: 701, count: 3 });
  });

  it('accepts older lines that are not sealed with --lag, for a copy', async () => {
    const late = requestLines('late', 5, 700);
    const { code, json } = await verify([...log.lines.slice(0, 698), ...late], { flags: ['--lag', '10s'] });
    expect([code, json.unsealed]).toEqual([0, { file: '/access.log', line: 699, count: 5 }]);
  });

  it('names a line that is no line of nginx at the end', async () => {
    const { json } = await verify([...log.lines, 'hello']);
    expect(json.findings).toEqual([{ kind: 'added', file: '/access.log', line: 701 }]);
  });

  it('does not expect that the beginning of a line which nginx is writing is sealed', async () => {
    const begun = async (text: string) => verify({ '/access.log': `${textOf(log.lines)}${text}` });
    const { code, json } = await begun('{"time":"2026-03');
    expect([code, json.unsealed]).toEqual([0, { file: '/access.log', line: 699, count: 3 }]);
    const forged = requestLines('forged', 1, 10)[0]!;
    expect((await begun(forged)).json.findings).toMatchObject([{ kind: 'not sealed', line: 701 }]);
    expect((await begun('{"time":"2026-03\n')).json.findings).toMatchObject([{ kind: 'added', line: 701 }]);
  });

  it('verifies that the log continues a checkpoint that was kept', async () => {
    const kept = checkpointOf(log.entries.slice(0, 250), [first!]);
    const flags = ['--checkpoint', '/kept'];
    const right = await verify(log.lines, { flags, files: { '/kept': kept } });
    expect([right.code, right.json.continued]).toEqual([0, [{ file: '/kept', size: 250 }]]);
    expect(right.text).toContain('\ncheckpoint /kept: the log begins with its 250 entries\n');
    const none = await verify(log.lines, { flags, files: { '/kept': 'a text\n' } });
    expect(none.text).toMatch(/^no \/kept: it is no checkpoint: /);
    const fork = checkpointOf([...log.entries.slice(0, 249), 'other'], [first!]);
    const { code, json } = await verify(log.lines, { flags, files: { '/kept': fork } });
    expect([code, json.findings]).toEqual([
      1,
      [{ kind: 'fork', file: '/kept', problem: '/kept has 250 entries, and the log does not begin with them' }],
    ]);
    const newer = checkpointOf([...log.entries, 'more'], [log.keys[2]!]);
    expect((await verify(log.lines, { flags, files: { '/kept': newer } })).json.findings).toEqual([
      { kind: 'rollback', file: '/kept', problem: '/kept has 702 entries, and the log only 701' },
    ]);
  });

  it('rejects a checkpoint that a key of another time has signed', async () => {
    const late = checkpointOf(log.entries.slice(0, 100), [log.keys[2]!]);
    const { json } = await verify(log.lines, { flags: ['--checkpoint', '/kept'], files: { '/kept': late } });
    expect(json.findings[0].problem).toBe('a key of another time has signed the checkpoint of 100 entries');
  });

  it('rejects a log that a later key has rewritten before its time', async () => {
    const entries = log.entries.map((entry, at) => (at === 100 ? entry.replace('okta-ben', 'okta-ada') : entry));
    const folder = {
      ...log.folder,
      ...tilesOf(entries),
      checkpoint: Buffer.from(checkpointOf(entries, [log.keys[2]!])),
    };
    const lines = log.lines.map((line, at) => (at === 99 ? entries[100]! : line));
    const { code, json } = await verify(lines, { folder });
    expect([code, json.findings[0]]).toMatchObject([1, { kind: 'key', file: 'keys/0' }]);
  });

  it('demands the cosignature of each witness that is given', async () => {
    const text = (signed: string) => signed.slice(0, signed.indexOf('\n\n') + 1);
    const own = Buffer.from(log.folder.checkpoint!).toString();
    const cosigned = Buffer.from(`${own}${signatureLine(log.witness, text(own), 1_772_620_000)}`);
    const flags = ['--witness', log.witness.vkey];
    const folder = { ...log.folder, 'witness/w': cosigned };
    const { code, text: says } = await verify(log.lines, { folder, flags });
    expect([code, says]).toEqual([
      0,
      expect.stringContaining('witness witness.example.com/w: saw 701 entries at 2026-03-04T10:26:40Z'),
    ]);
    const { json } = await verify(log.lines, { flags });
    expect(json.findings).toEqual([
      {
        kind: 'witness',
        file: 'witness',
        problem: expect.stringMatching(/^no checkpoint has a cosignature of witness\.example\.com\/w\+/),
      },
    ]);
  });

  it('says that a later key of the log was given', async () => {
    const run = (key: string) =>
      meshgate(['audit', 'verify', '--log-folder', '/audit', '--key', key], { files: filesOf(log.folder) });
    const says =
      'the key that you gave is not the one in keys/first: if it is a later key of the log, give the first one';
    for (const key of [log.keys[1]!, log.keys[2]!]) {
      const { code, out } = await run(key.vkey);
      expect([code, out]).toEqual([1, expect.stringContaining(says)]);
    }
    expect((await run(first!.vkey)).out).not.toContain('keys/first');
  });

  it('rejects a checkpoint of another key', async () => {
    const other = noteKey();
    const folder = { ...log.folder, checkpoint: Buffer.from(checkpointOf(log.entries, [other])) };
    const { code, json } = await verify(log.lines, { folder });
    expect([code, json.findings[0].kind]).toEqual([1, 'checkpoint']);
  });

  it.each([
    ['no key', ['audit', 'verify', '/access.log'], /^meshgate: give the first key of the log with --key/],
    [
      'no folder',
      ['audit', 'verify', '--log-folder', '/nowhere', '--key', first!.vkey],
      /^meshgate: .* has no file checkpoint: name the folder of the transparency log/,
    ],
    ['the key of a witness', ['audit', 'verify', '--key', log.witness.vkey], /^meshgate: this is the key of a witness/],
    [
      'an altered key',
      ['audit', 'verify', '--key', first!.vkey.replace('gw-0', 'gw-1')],
      /^meshgate: the key is not valid: the id of/,
    ],
    [
      'a key as a witness',
      ['audit', 'verify', '--key', first!.vkey, '--witness', first!.vkey],
      /^meshgate: this is the key of a log/,
    ],
    [
      'a file that is missing',
      ['audit', 'verify', '/none.log', '--log-folder', '/audit', '--key', first!.vkey],
      /^meshgate: cannot read the log \/none\.log/,
    ],
  ])('is used wrongly with %s', async (_, args, wanted) => {
    const { code, err } = await meshgate(args, { files: filesOf(log.folder) });
    expect(err).toMatch(wanted);
    expect(code).toBe(2);
  });
});

describe('a log that grows while it is verified', () => {
  const newer = sealedLog('verify', 900, { changes: [300, 500, 800] });

  it('is verified as it was when the command began', async () => {
    const key = newer.keys[0]!;
    const before = seal(newer.lines.slice(0, 700), newer.keys.slice(0, 3), [300, 500]).folder;
    const after = seal(newer.lines.slice(0, 890), newer.keys, [300, 500, 800]).folder;
    const witness = (folder: Folder) => {
      const note = Buffer.from(folder.checkpoint!).toString();
      return Buffer.from(note + signatureLine(newer.witness, note.slice(0, note.indexOf('\n\n') + 1)));
    };
    let now: Folder = { ...before, 'witness/w': witness(before) };
    const grown: Folder = { ...before, ...after, 'witness/w': witness(after) };
    const files = snapshotOf({
      read: (name) => {
        const bytes = now[name];
        if (name === 'checkpoint') now = grown;
        return bytes;
      },
      names: (folder) => [
        ...new Set(
          Object.keys(now).flatMap((name) =>
            name.startsWith(`${folder}/`) ? [name.slice(folder.length + 1).split('/')[0]!] : [],
          ),
        ),
      ],
    });
    const options = {
      key: parseVkey(key.vkey),
      kept: [],
      witnesses: [parseVkey(newer.witness.vkey)],
      now: 1_800_000_000,
    };
    const { checkpoint, findings } = await verifyLog(files, options);
    expect(findings).toEqual([]);
    // The keys changed meanwhile, so all was read again.
    expect(checkpoint.size).toBe(894);
  });
});

describe('audit verify of large differences', () => {
  it('prints the first findings, and counts the others', async () => {
    const lines = requestLines('unknown', 12_000);
    const { code, text, json } = await verify([...lines, ...log.lines]);
    const out = text.split('\n');
    expect(code).toBe(1);
    expect(out[0]).toMatch(/^no \/access\.log:1: added: /);
    expect(out[100]).toBe('   and 11900 more (--format json has up to 1000)');
    expect([json.findings.length, json.more]).toEqual([1000, 11_000]);
  });
});
