/** `meshgate replay`: what its output says about log files. */

import { appendFileSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { linesOf } from '../../../src/audit/lines/split-lines.ts';
import { followParts, readChunks } from '../../../src/cli/machine/chunks.ts';
import { compile } from '../../../src/rules/compile.ts';
import { policyDigest, policyText } from '../../../src/rules/digest.ts';
import { readPolicy } from '../../harness/policy.ts';
import { lineText, refused } from '../audit/logged.ts';
import { meshgate, POLICY } from './fake.ts';

const poster = (id: string) =>
  lineText({
    ...refused('role_missing', 'reader', 'wiki.example.com/*#1'),
    ...{ request_id: id, 'http.request.method': 'POST', time: '2026-03-05T08:00:00+00:00' },
  });
const expired = lineText(refused('token_expired', '', ''));
const parsed = readPolicy(POLICY);
const files = {
  'old.yaml': POLICY,
  'new.yaml': POLICY.replace('role: reader, methods: [GET]', 'role: reader, methods: [GET, POST]'),
  'roles.yaml': POLICY.replace('group: readers', 'group: viewers'),
  'old.json': policyText(parsed, compile(parsed)),
  'not.json': '{}',
  'bad.yaml': 'version: 2',
  'a.log': `${lineText()}\n${poster('a1')}\n${expired}\n`,
  'b.log': `${['b1', 'b2', 'b3'].map(poster).join('\n')}\n`,
  'own.log': `${lineText({ 'meshgate.policy': policyDigest(parsed, compile(parsed)) })}\n`,
  'text.log': `started\n${lineText()}\n`,
  'empty.log': '',
};
const run = (...args: readonly string[]) => meshgate(['replay', ...args], { files });

test('groups the requests that change by rule, with their number and the first three', async () => {
  const { code, out } = await run('--policy', 'new.yaml', 'a.log', 'b.log');
  expect(code).toBe(1);
  expect(out).toBe(`newly allowed: 4 requests
  4 requests: role_missing, nearest rule wiki.example.com/*#1
    -> wiki.example.com/*#1 to wiki as default (role reader, GET POST HEAD, as default)
    a.log:2: a1 POST https://wiki.example.com/rest/page (reader)
    b.log:1: b1 POST https://wiki.example.com/rest/page (reader)
    b.log:2: b2 POST https://wiki.example.com/rest/page (reader)
not known for 1 request, first a.log:3: their credential was refused before any rule; they stay refused unless the new policy accepts it
6 requests from 2026-03-04T10:15:02+00:00 to 2026-03-05T08:00:00+00:00: 4 change
`);
});

test('the same as JSON', async () => {
  const { code, out } = await run('--format', 'json', '--policy', 'new.yaml', 'a.log', 'b.log');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    requests: 6,
    changed: 4,
    changes: [
      {
        kind: 'allowed',
        requests: 4,
        before: { allow: false, reason: 'role_missing', rule: 'wiki.example.com/*#1' },
        after: { allow: true, rule: 'wiki.example.com/*#1', service: 'wiki', as: 'default' },
        examples: [{ at: 'a.log:2', id: 'a1', roles: ['reader'] }, { at: 'b.log:1' }, { at: 'b.log:2' }],
      },
    ],
    notKnown: [{ why: 'credential', requests: 1, first: 'a.log:3' }],
    invalid: [],
  });
});

test('exits with 0 if nothing changes, also with refused credentials', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'a.log', 'b.log');
  expect(code).toBe(0);
  expect(out).toMatch(/^6 requests .*: nothing changes$/m);
});

test('takes the compiled form of the old policy, too', async () => {
  const { code, out } = await run('--old', 'old.json', '--policy', 'roles.yaml', 'a.log');
  expect([code, out]).toEqual([3, expect.stringContaining('a role whose definition changed: reader\n')]);
  expect((await run('--old', 'old.json', '--policy', 'old.yaml', 'a.log')).code).toBe(0);
  expect((await run('--old', 'not.json', '--policy', 'old.yaml', 'a.log')).code).toBe(2);
});

test('names a role whose definition changed, and exits with 3', async () => {
  const { code, out } = await run('--old', 'old.yaml', '--policy', 'roles.yaml', 'a.log');
  expect(code).toBe(3);
  expect(out).toContain(
    'not known for 1 request, first a.log:1: the lines do not show whether the caller has a role whose definition changed: reader\n',
  );
});

describe('with the old policy, names changes that it does not evaluate, and exits with 3', () => {
  test.each([
    [
      'the audiences of a provider',
      'audiences: [api://wiki]',
      'audiences: [docs]',
      'provider okta audiences: ["api://wiki"] -> ["docs"]',
    ],
    [
      'a budget',
      '    /*:\n      service: wiki\n',
      '    /*:\n      service: wiki\n      limit: { rate: 1/m }\n',
      'route wiki.example.com/* limit: none -> "1/m, burst 1"',
    ],
    [
      'a new agent',
      'roles:\n',
      'agents:\n  bot: { match: { client_id: bot, provider: okta }, acts_for: [reader], bound: none }\nroles:\n',
      'agent bot: none -> client_id bot of okta, acts for reader, hops 1',
    ],
  ])('%s', async (_name, from, to, text) => {
    expect(POLICY).toContain(from);
    const changed = { ...files, 'changed.yaml': POLICY.replace(from, to) };
    const args = ['replay', '--old', 'old.yaml', '--policy', 'changed.yaml', 'own.log'];
    const { code, out } = await meshgate(args, { files: changed });
    expect([code, out]).toEqual([3, expect.stringContaining(`not evaluated: ${text}`)]);
    const json = JSON.parse((await meshgate([...args, '--json'], { files: changed })).out);
    expect(json.notEvaluated).toHaveLength(1);
  });

  test('and not if the old policy is not given', async () => {
    const changed = { ...files, 'changed.yaml': POLICY.replace('audiences: [api://wiki]', 'audiences: [docs]') };
    const { code, out } = await meshgate(['replay', '--policy', 'changed.yaml', 'own.log'], { files: changed });
    expect([code, out]).toEqual([0, expect.not.stringContaining('not evaluated')]);
  });
});

test('says that another policy than --old decided requests', async () => {
  const own = await run('--old', 'old.json', '--policy', 'old.yaml', 'own.log');
  expect([own.code, own.out]).toEqual([0, expect.not.stringContaining('another policy')]);
  const { code, out } = await run('--old', 'old.yaml', '--policy', 'old.yaml', 'own.log', 'b.log');
  expect(code).toBe(0);
  expect(out).toContain('another policy than --old decided 3 requests, first b.log:1: the roles in these lines can');
  const json = await run('--json', '--old', 'old.yaml', '--policy', 'old.yaml', 'own.log', 'b.log');
  expect(JSON.parse(json.out)).toMatchObject({ ofOtherPolicies: 3 });
});

test.each([
  ['a policy has errors', ['--policy', 'bad.yaml', 'a.log'], 3],
  ['the old policy has errors', ['--old', 'bad.yaml', '--policy', 'new.yaml', 'a.log'], 3],
  ['a line is not one of the log', ['--policy', 'old.yaml', 'text.log'], 3],
  ['the log is empty', ['--policy', 'old.yaml', 'empty.log'], 3],
  ['there is no such file', ['--policy', 'old.yaml', 'none.log'], 2],
  ['standard input is named twice', ['--policy', 'old.yaml', '-', '-'], 2],
  ['standard input is policy and log', ['--policy', '-', '-'], 2],
] as const)('says so if %s', async (_name, args, expected) => {
  const { code, out, err } = await run(...args);
  expect(code).toBe(expected);
  expect(out + err).not.toBe('');
});

test('a line that is not one of the log is named with its place', async () => {
  expect((await run('--policy', 'old.yaml', 'text.log')).out).toContain('text.log:1: not a JSON object\n');
});

describe('--follow', () => {
  const parts = (...texts: readonly string[]) =>
    async function* () {
      for (const text of texts)
        yield (async function* () {
          yield new TextEncoder().encode(text);
        })();
    };
  const follow = (args: readonly string[], ...texts: readonly string[]) =>
    meshgate(['replay', '--follow', ...args], { files, follow: parts(...texts) });

  test('prints each request that changes', async () => {
    const { code, out } = await follow(
      ['--policy', 'new.yaml', 'a.log'],
      `${lineText()}\n${poster('a1')}\n`,
      `${poster('a2')}\n${expired}\n`,
    );
    expect(code).toBe(0);
    const change = 'role_missing, nearest rule wiki.example.com/*#1 -> wiki.example.com/*#1 to wiki as default';
    const request = (id: string) => `2026-03-05T08:00:00+00:00 ${id} POST https://wiki.example.com/rest/page (reader)`;
    expect(out).toBe(`newly allowed: ${request('a1')}: ${change}\nnewly allowed: ${request('a2')}: ${change}\n`);
  });

  test('prints one JSON object per line, with the digests of both policies', async () => {
    const { out } = await follow(['--json', '--policy', 'new.yaml', 'a.log'], `${poster('a1')}\n${poster('a2')}\n`);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((it) => JSON.parse(it));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({
      request_id: 'a1',
      'meshgate.policy': '5f2d0c81b9a3e674',
      'meshgate.shadow': expect.stringMatching(/^[0-9a-f]{32}$/),
      kind: 'allowed',
      after: { rule: 'wiki.example.com/*#1' },
    });
  });

  test('names requests of which it is not known what happens to them', async () => {
    const { out } = await follow(['--old', 'old.yaml', '--policy', 'roles.yaml', 'a.log'], `${lineText()}\n`);
    expect(out).toMatch(/^not known: .* the lines do not show whether the caller has a role/);
  });

  test('reads standard input, also on an engine without timers', async () => {
    const { code, out } = await meshgate(['replay', '--follow', '--policy', 'new.yaml', '-'], {
      files: { ...files, '-': `${poster('a1')}\n` },
    });
    expect([code, out]).toEqual([0, expect.stringContaining('newly allowed: ')]);
    const none = await meshgate(['replay', '--follow', '--policy', 'new.yaml', 'a.log'], { files });
    expect([none.code, none.err]).toEqual([
      2,
      expect.stringContaining(
        'only Node can follow a.log: give its lines on standard input (tail -n 0 -F a.log | … -)',
      ),
    ]);
  });

  test('says that it waits for a file that does not exist', async () => {
    const { err } = await follow(['--policy', 'new.yaml', 'gone.log'], `${poster('a1')}\n`);
    expect(err).toBe('meshgate: waits for gone.log, which does not exist\n');
    expect((await follow(['--policy', 'new.yaml', 'a.log'], `${poster('a1')}\n`)).err).toBe('');
  });

  test('reads one log', async () => {
    expect((await follow(['--policy', 'new.yaml', 'a.log', 'b.log'])).code).toBe(2);
  });

  const idle = (looks: number) => Array.from({ length: looks }, () => () => undefined);

  /** Follows a file until a line.
   * @param steps what happens between two looks at it */
  async function followed(file: string, steps: (() => void)[], end: string): Promise<(string | undefined)[]> {
    const read: (string | undefined)[] = [];
    const wait = async () => steps.shift()?.();
    async function* texts() {
      for await (const part of followParts(file, wait)) {
        for await (const { text } of linesOf(file, part)) yield text;
      }
    }
    for await (const text of texts()) {
      read.push(text);
      if (text === end) break;
    }
    return read;
  }

  test('says once that another policy than --old decides, and names what it does not evaluate', async () => {
    const changed = { ...files, 'changed.yaml': POLICY.replace('audiences: [api://wiki]', 'audiences: [docs]') };
    const { err } = await meshgate(['replay', '--follow', '--old', 'old.yaml', '--policy', 'changed.yaml', 'a.log'], {
      files: changed,
      follow: parts(`${poster('a1')}\n${poster('a2')}\n`),
    });
    expect(err).toBe(
      'not evaluated: provider okta audiences: ["api://wiki"] -> ["docs"]\na.log:1: another policy than --old decided this request: the roles in these lines can have another meaning\n',
    );
  });

  test('begins at the end of the file, and continues after a rotation by renaming or truncating', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'meshgate-follow-')), 'a.log');
    writeFileSync(file, 'before\n');
    const steps = [
      () => appendFileSync(file, 'one\ntw'),
      () => appendFileSync(file, 'o\n'),
      () => {
        renameSync(file, `${file}.1`);
        appendFileSync(`${file}.1`, 'three\n');
      },
      () => writeFileSync(file, 'four\nand more\n'),
      ...idle(5),
      () => writeFileSync(file, 'five\n'),
    ];
    expect(await followed(file, steps, 'five')).toEqual(['one', 'two', 'three', 'four', 'and more', 'five']);
  });

  test('reads a renamed file as long as writers still have it open', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'meshgate-follow-')), 'a.log');
    writeFileSync(file, '');
    const steps = [
      () => {
        renameSync(file, `${file}.1`);
        writeFileSync(file, '');
      },
      ...idle(60),
      () => appendFileSync(`${file}.1`, 'one\n'),
      () => {
        appendFileSync(file, 'three\n');
        appendFileSync(`${file}.1`, 't');
      },
      ...idle(3),
      () => appendFileSync(`${file}.1`, 'wo\n'),
      ...idle(5),
      () => appendFileSync(file, 'four\n'),
    ];
    expect(await followed(file, steps, 'four')).toEqual(['one', 'two', 'three', 'four']);
  });

  test('does not wait for ever for the writer of a renamed file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'meshgate-follow-')), 'a.log');
    writeFileSync(file, '');
    const steps = [
      () => {
        renameSync(file, `${file}.1`);
        writeFileSync(file, 'new\n');
      },
      ...Array.from({ length: 1000 }, () => () => appendFileSync(`${file}.1`, 'old\n')),
    ];
    const read = await followed(file, steps, 'new');
    expect(read.slice(0, -1)).toEqual(Array.from({ length: read.length - 1 }, () => 'old'));
    expect(steps.length).toBeGreaterThan(900);
  });
});

test('a file in .gz is decompressed, and a broken one is an error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-gz-'));
  const text = 'x'.repeat(1_000_000);
  writeFileSync(join(folder, 'a.log.gz'), gzipSync(text));
  writeFileSync(join(folder, 'b.log.gz'), 'no gzip');
  writeFileSync(join(folder, 'c.log'), text);
  const read = async (name: string) => {
    let all = '';
    for await (const chunk of readChunks(join(folder, name))) all += Buffer.from(chunk).toString();
    return all;
  };
  expect(await read('a.log.gz')).toBe(text);
  expect(await read('c.log')).toBe(text);
  await expect(read('b.log.gz')).rejects.toThrow(/header/);
  await expect(read('d.log.gz')).rejects.toThrow(/ENOENT/);
});
