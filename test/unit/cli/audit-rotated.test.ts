import { expect, it } from 'vitest';
import { seeds } from '../../harness/seeds.ts';
import { type Rotated, rotated } from '../audit/rotated.ts';
import { filesOf, noteKey, randomFrom, requestLines, seal, textOf } from '../audit/sealed-log.ts';
import { meshgate } from './fake.ts';

const nameOf = (file: number): string => `/access.log.${file}`;

/** Runs the command with some files of a log, given in another order than they were written. */
async function verify(
  { folder, key }: Pick<Rotated, 'folder' | 'key'>,
  files: Readonly<Record<string, readonly string[]>>,
  ...flags: readonly string[]
) {
  const logs = Object.fromEntries(Object.entries(files).map(([name, lines]) => [name, textOf(lines)]));
  const names = Object.keys(logs).reverse();
  const args = ['audit', 'verify', ...names, '--log-folder', '/audit', '--key', key.vkey, ...flags];
  const given = { files: { ...filesOf(folder), ...logs } };
  const ran = await meshgate([...args, '--format', 'json'], given);
  return { code: ran.code, json: JSON.parse(ran.out), text: (await meshgate(args, given)).out };
}

const all = ({ files }: Pick<Rotated, 'files'>, first = 0, end = files.length): Record<string, readonly string[]> =>
  Object.fromEntries(files.slice(first, end).map((lines, at) => [nameOf(first + at), lines]));

/** Two files, of which the older one got lines 7, 9 and 12 after the newer one was opened. */
function overlapping(sealed: number) {
  const lines = requestLines('overlapping', 20);
  const key = noteKey();
  const isOld = (at: number) => at < 7 || [7, 9, 12].includes(at);
  // The sealer has read line 8 of the new file before line 7 of the old one.
  const order = [0, 1, 2, 3, 4, 5, 6, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
  const files = [lines.filter((_, at) => isOld(at)), lines.filter((_, at) => !isOld(at))];
  const folder = seal(
    order.slice(0, sealed).map((at) => lines[at]!),
    [key],
  ).folder;
  return { files, key, folder, lines };
}

it('accepts lines of a renamed file that were sealed after lines of the new one, and counts them', async () => {
  const { code, json, text } = await verify(overlapping(20), all(overlapping(20)));
  expect([code, json.findings, json.sealed, json.late]).toEqual([0, [], 20, 2]);
  expect(text).toContain('at rotations: 2 lines sealed in turns with lines of another file');
});

it('says that a late line of a renamed file is not sealed yet', async () => {
  const log = overlapping(20);
  const late = requestLines('late', 1, 19)[0]!;
  const files = { ...all(log), [nameOf(0)]: [...log.files[0]!, late] };
  const { code, json } = await verify(log, files);
  expect([code, json.unsealed]).toEqual([0, { file: nameOf(0), line: 11, count: 1 }]);
  // Ten seconds old, it should have been sealed.
  const old = requestLines('late', 1, 9)[0]!;
  const found = (await verify(log, { ...all(log), [nameOf(0)]: [...log.files[0]!, old] })).json.findings;
  expect(found).toMatchObject([{ kind: 'added', file: nameOf(0), line: 11 }]);
});

it('accepts one file of several with --part, and counts the lines that may be in the next one', async () => {
  const log = overlapping(20);
  for (const [file, beside] of [
    [0, 3],
    [1, 3],
  ] as const) {
    const { code, json, text } = await verify(log, all(log, file, file + 1), '--part');
    expect([code, json.findings, json.beside]).toEqual([0, [], beside]);
    expect(text).toContain(`at the ends of this part: ${beside} sealed lines can be in the file before or after it`);
    expect(json.besideEntries).toHaveLength(Math.min(10, beside));
  }
});

it('names a line that is missing in the middle of a part', async () => {
  const log = rotated('middle', { files: 3, perFile: 60 });
  const middle = log.files[1]!;
  const files = { [nameOf(1)]: [...middle.slice(0, 30), ...middle.slice(31)] };
  const { json } = await verify(log, files, '--part');
  expect(json.findings).toMatchObject([{ kind: 'removed', line: 31 }]);
});

it('counts no line after a part whose last line is not sealed', async () => {
  const log = rotated('end', { files: 3, perFile: 60 });
  const files = { [nameOf(1)]: [...log.files[1]!, requestLines('end', 1, 1000)[0]!] };
  const { json } = await verify(log, files, '--part');
  const later = log.files[2]!.length;
  expect(json.beside).toBeLessThan(later / 2);
});

it('names an altered line of a renamed file, which is not between the neighbours of its entry', async () => {
  const log = overlapping(20);
  const altered = log.files[0]!.map((line, at) =>
    at === 8 ? line.replace('"user.id":"okta-ben"', '"user.id":"eve"') : line,
  );
  const { json } = await verify(log, { ...all(log), [nameOf(0)]: altered });
  expect(json.findings).toMatchObject([{ kind: 'altered', file: nameOf(0), line: 9, entry: 10 }]);
});

it('names the rotated files that were not given if lines are missing', async () => {
  const log = rotated('listed', { files: 3 });
  const args = ['audit', 'verify', '/log/access.log', '--log-folder', '/audit', '--key', log.key.vkey];
  const texts = log.files.map(textOf);
  const files = {
    '/log/access.log': texts[2]!,
    '/log/access.log.1': texts[1]!,
    '/log/access.log-20260304.gz': texts[0]!,
    '/log/access.log.txt': '',
  };
  const { code, out } = await meshgate(args, { files: { ...filesOf(log.folder), ...files } });
  expect([code, out]).toEqual([
    1,
    expect.stringContaining('\nnot given: /log/access.log-20260304.gz, /log/access.log.1; they may have lines'),
  ]);
});

it('compares a file that was rotated after the shell had listed the files', async () => {
  const log = rotated('meanwhile', { files: 3 });
  const [oldest, rotatedNow, newest] = log.files.map(textOf);
  const files = { '/log/access.log': newest!, '/log/access.log.2': rotatedNow!, '/log/access.log.1': oldest! };
  const args = ['audit', 'verify', '/log/access.log', '/log/access.log.1', '--log-folder', '/audit', '--key'];
  const run = (changed: Record<string, number>) =>
    meshgate([...args, log.key.vkey], { files: { ...filesOf(log.folder), ...files }, now: 1_800_000_000, changed });
  const { code, out } = await run({ '/log/access.log.2': 1_799_999_995 });
  expect([code, out]).toEqual([
    0,
    expect.stringContaining('also compared, because the log was rotated just before: /log/access.log.2\n'),
  ]);
  expect((await run({ '/log/access.log.2': 1_799_999_000 })).code).toBe(1);
});

it('accepts what workers write over rotations, whole and each part of it', async () => {
  let late = 0;
  for (let number = 0; number < 25; number++) {
    const log = rotated(`${seeds.properties} ${number}`, { isLive: number % 2 === 1 });
    const entire = await verify(log, all(log));
    late += entire.json.late;
    const parts = [0, 1, 2, 3].flatMap((first) => [1, 2].map((count) => all(log, first, Math.min(4, first + count))));
    const results = [entire, ...(await Promise.all(parts.map((part) => verify(log, part, '--part'))))];
    expect(
      results.map(({ code, json }) => [code, json.findings]),
      `seed ${number}`,
    ).toEqual(results.map(() => [0, []]));
    expect(entire.json.lines - entire.json.sealed).toBe(entire.json.unsealed?.count ?? 0);
  }
  expect(late).toBeGreaterThan(20);
});

/** Changes files whose lines are 16 seconds apart, so that a file takes longer than workers may be late.
 * Returns what must be found: one of the kinds, at this entry. */
const CHANGES: Readonly<
  Record<string, (files: string[][], below: (end: number) => number) => readonly [string, string][]>
> = {
  'a line is removed': (files, below) => {
    const file = files[below(4)]!;
    const [line] = file.splice(below(file.length), 1);
    return [
      ['removed', line!],
      ['cut off', line!],
    ];
  },
  'a line is altered': (files, below) => {
    const file = files[below(4)]!;
    const at = below(file.length);
    const line = file[at]!;
    file[at] = line.replace('"user.id":"okta-ben"', '"user.id":"okta-eve"');
    return [['altered', line]];
  },
  'two lines of a file change places': (files, below) => {
    const file = files[below(4)]!;
    const at = below(file.length - 1);
    [file[at], file[at + 1]] = [file[at + 1]!, file[at]!];
    return [
      ['moved', file[at]!],
      ['moved', file[at + 1]!],
    ];
  },
  'a line goes to the beginning of a later file': (files, below) => {
    const [from, to] = below(2) === 0 ? [0, 2 + below(2)] : [1, 3];
    const [line] = files[from]!.splice(below(files[from]!.length), 1);
    files[to]!.unshift(line!);
    return [['moved', line!]];
  },
  'a line goes to the end of an earlier file': (files, below) => {
    const [from, to] = below(2) === 0 ? [3, below(2)] : [2, 0];
    const [line] = files[from]!.splice(below(files[from]!.length), 1);
    files[to]!.push(line!);
    return [['moved', line!]];
  },
  'a line of the first half of a file goes to the beginning of the next one': (files, below) => {
    const from = below(3);
    const [line] = files[from]!.splice(below(30), 1);
    files[from + 1]!.unshift(line!);
    return [['moved', line!]];
  },
  'a line is in two files': (files, below) => {
    const from = below(3);
    const file = files[from]!;
    const line = file[file.length - 1 - below(3)]!;
    files[from + 1]!.splice(below(3), 0, line);
    return [['repeated', line]];
  },
  'a line of another log is at the end of a file': (files, below) => {
    const line = requestLines('other', 1, below(1000))[0]!;
    files[below(3)]!.push(line);
    return [['added', line]];
  },
};

it.each(Object.keys(CHANGES))('finds it after rotations: %s', async (name) => {
  const wrong: string[] = [];
  for (let number = 0; number < 8; number++) {
    const seed = `${seeds.properties} ${name} ${number}`;
    const log = rotated(seed, { perFile: 80, step: 16 });
    const files = log.files.map((lines) => [...lines]);
    const random = randomFrom(seed);
    const wanted = CHANGES[name]!(files, (end) => Math.floor(random() * end));
    const { code, json } = await verify(log, all({ files }));
    const idOf = (line: string) => /"request_id":"(\w+)"/.exec(line)![1];
    const isFound = (json.findings as { kind: string; id: string }[]).some((found) =>
      wanted.some(([kind, line]) => found.kind === kind && found.id === idOf(line)),
    );
    if (code !== 1 || !isFound || json.findings.length > 4)
      wrong.push(`${number}: ${JSON.stringify(json).slice(0, 600)}`);
  }
  expect(wrong.join('\n')).toBe('');
});
