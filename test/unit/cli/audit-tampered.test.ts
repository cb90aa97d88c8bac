import { expect, test } from 'vitest';
import { seeds } from '../../harness/seeds.ts';
import { filesOf, textOf } from '../audit/sealed-log.ts';
import { evolved, log, type Tampering, tampering, type Wanted } from '../audit/tampered.ts';
import { meshgate } from './fake.ts';

/** Each of 500 tamperings is found by `meshgate audit verify`, or lies in the lines that are not sealed yet. */

const COUNT = 500;

/** Puts the lines into one to three files. */
function filesWith(lines: readonly string[], number: number): Record<string, string> {
  const step = Math.ceil(lines.length / (1 + (number % 3)));
  const parts = Array.from({ length: Math.ceil(lines.length / step) }, (_, at) =>
    lines.slice(at * step, (at + 1) * step),
  );
  return Object.fromEntries(parts.map((part, at) => [`/access.log.${parts.length - at}`, textOf(part)]));
}

/** The number of a line in all files. */
function lineIn(files: Readonly<Record<string, string>>, file: string, line: number): number {
  let before = 0;
  for (const [name, text] of Object.entries(files)) {
    if (name === file) return before + line;
    before += text.split('\n').length - 1;
  }
  throw new Error(`${file} was not given`);
}

interface Found {
  readonly kind: string;
  readonly file: string;
  readonly line?: number;
  readonly entry?: number;
}

const isWanted = (found: Found, wanted: Wanted): boolean =>
  [wanted.kind].flat().includes(found.kind) &&
  (wanted.line === undefined || wanted.line === found.line) &&
  (wanted.entry === undefined || wanted.entry === found.entry) &&
  (wanted.file === undefined || wanted.file === found.file);

/** Returns what is wrong with the result; undefined if the tampering was found. */
async function missed(
  { name, lines, folder, kept, wanted, unsealed }: Tampering,
  number: number,
): Promise<string | undefined> {
  const logs = filesWith(lines, number);
  const key = (name.startsWith('rewrite') || folder['keys/first'] === evolved.folder['keys/first'] ? evolved : log)
    .keys[0]!;
  const args = ['audit', 'verify', ...Object.keys(logs).reverse(), '--log-folder', '/audit', '--key', key.vkey];
  const files = { ...filesOf(folder), ...logs, ...(kept !== undefined && { '/kept': kept }) };
  const ran = await meshgate([...args, ...(kept === undefined ? [] : ['--checkpoint', '/kept']), '--format', 'json'], {
    files,
  });
  const says = (problem: string) =>
    `${number} ${name}: ${problem}: ${JSON.stringify(wanted)}, but ${ran.out.slice(0, 600)}${ran.err}`;
  const isYes = wanted.length === 0;
  if (ran.code !== (isYes ? 0 : 1)) return says(`exit code ${ran.code}`);
  if (ran.out === '')
    return wanted[0]!.file === 'checkpoint' && /^meshgate: checkpoint: /.test(ran.err) ? undefined : says('no output');
  const result = JSON.parse(ran.out);
  const found: Found[] = result.findings.map((it: Found) =>
    it.line === undefined ? it : { ...it, line: lineIn(logs, it.file, it.line) },
  );
  if (!isYes && !wanted.some((one) => found.some((it) => isWanted(it, one)))) return says('not found');
  if (unsealed !== undefined && (result.unsealed?.count ?? 0) !== unsealed)
    return says(`not ${unsealed} lines unsealed`);
  return undefined;
}

test('the logs verify as they are', async () => {
  const untouched = { name: 'nothing', lines: log.lines, folder: log.folder, wanted: [], unsealed: 2 };
  expect(await missed(untouched, 0)).toBeUndefined();
  expect(await missed({ ...untouched, lines: evolved.lines, folder: evolved.folder }, 1)).toBeUndefined();
});

test(`each of ${COUNT} tamperings is found and named`, async () => {
  const all: string[] = [];
  for (let number = 0; number < COUNT; number++) {
    const problem = await missed(tampering(seeds.properties, number), number);
    if (problem !== undefined) all.push(problem);
  }
  expect(all.slice(0, 20).join('\n')).toBe('');
});
