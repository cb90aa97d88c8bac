import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reasons } from '../../src/base/reasons.ts';
import { TITLES } from '../../src/targets/nginx/answers/problem-files.ts';
import { logFormat } from '../../src/targets/nginx/server/log.ts';
import { printConf } from '../../src/targets/nginx/text/print.ts';
import { meshgate } from './cli/fake.ts';

/** Checks that the documents agree with the repository. Their examples have tests of their own. */

const files = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...globSync('test/*/README.md'),
  ...readdirSync('docs', { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const documents = files.map((file) => [file, readFileSync(file, 'utf8')] as const);

/** Anchor of a heading, as forges make it. */
const anchorOf = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

function anchors(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

/** The mistake in a relative link; undefined if there is none. */
function broken(file: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const found = path === '' ? file : join(dirname(file), path);
  if (!existsSync(found)) return `${target} leads nowhere`;
  return anchor !== undefined && !anchors(found).includes(anchor) ? `${target}: no such heading` : undefined;
}

/** Machines, registries and trackers: what a reader who has only the project cannot follow. */
const AROUND = /\/work\/|deb\.debian\.org|registry\.npmjs|pypi\.|proxy\.golang|crates\.io|\bissues? #?\d+|\(#\d+\)/gi;

const without = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '');

const links = documents.flatMap(([file, text]) =>
  [...without(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => [file, target] as const),
);

test('there are links to check', () => {
  expect(files.length).toBeGreaterThan(6);
  expect(links.length).toBeGreaterThan(10);
  expect(broken('README.md', 'docs/nowhere.md')).toBe('docs/nowhere.md leads nowhere');
  expect(broken('README.md', 'docs/cli.md#nothing')).toBe('docs/cli.md#nothing: no such heading');
});

describe('links', () => {
  for (const [file, target] of links.filter(([, it]) => !/^[a-z]+:/.test(it))) {
    const name = `${file} links to ${target}`;
    test(name, () => expect(broken(file, target)).toBeUndefined());
  }
});

test('commands that write snapshots name a file, and end in -u: vitest takes a word behind it as its value', () => {
  const commands = documents.flatMap(([, text]) =>
    [...text.matchAll(/vitest run[^`\n]*/g)].map(([command]) => command),
  );
  const writing = commands.filter((command) => / (-u|--update)\b/.test(command));
  expect(writing.length).toBeGreaterThan(2);
  expect(writing.filter((command) => !/^vitest run [^- ]\S* -u$/.test(command))).toEqual([]);
});

test('docs/index.md links to every page and to every example of docs/ exactly once', () => {
  const linked = links.flatMap(([file, target]) => {
    const page = join('docs', target.replace(/#.*$/, ''));
    return file === 'docs/index.md' && page.startsWith('docs/') ? [page] : [];
  });
  // docs/cli.md links to the page of each command.
  const pages = files.filter((file) => /^docs\/(?!cli\/|index)/.test(file));
  const examples = readdirSync('docs/examples').filter((name) => name.endsWith('.yaml'));
  expect(linked.toSorted()).toEqual([...pages, ...examples.map((name) => `docs/examples/${name}`)].toSorted());
});

describe('README.md', () => {
  const text = readFileSync('README.md', 'utf8');

  test('links to ten pages, and leaves the list of all pages to docs/index.md', () => {
    const pages = links.flatMap(([file, target]) => (file === 'README.md' ? [target.replace(/#.*$/, '')] : []));
    expect(new Set(pages.filter((page) => /^docs\/.*\.md$/.test(page))).size).toBe(10);
  });

  test('shows the answer that its request gets', () => {
    const { request_id: id, ...answer } = JSON.parse(/^\{"title".*$/m.exec(text)?.[0] ?? '{}');
    const { status, help } = reasons.role_missing;
    expect(answer).toEqual({ title: TITLES[status], status, reason: 'role_missing', detail: help });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('says the speed that was measured', () => {
    const [, us, ratio] = /^\| all of it, the log in a file \| ([\d.]+) \|.*\| ([\d.]+) \|$/m.exec(
      readFileSync('docs/contributing/bench.md', 'utf8'),
    )!;
    expect(text).toContain(`about ${Math.round(Number(us))} µs of one core. That is ${Number(ratio).toFixed(1)} times`);
  });
});

describe('docs/contributing/a-request.md', () => {
  const page = 'docs/contributing/a-request.md';
  const rows = readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ['))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  /** Each function with its file. Files of a row are separated by commas, and their functions by semicolons. */
  const named = rows.flatMap(([, files = '', functions = '']) => {
    const lists = functions.split(';');
    return [...files.matchAll(/\]\(([^)]+)\)/g)].flatMap(([, file = ''], index) =>
      [...(lists[index] ?? '').matchAll(/`([^`]+)`/g)].map(
        ([, name = '']) => [name, join(dirname(page), file)] as const,
      ),
    );
  });
  const drawn = [
    ...readFileSync('docs/contributing/a-request.svg', 'utf8').matchAll(
      /class="fn"[^>]*>([^<]+)<\/text><text class="file"[^>]*>([^<]+)</g,
    ),
  ].map(([, name = '', file = '']) => [name, join('src', file)] as const);

  /** A function, a constant, a method, or a member that is a function. */
  const isDefined = (name: string, text: string) =>
    new RegExp(`(?:function|const) ${name}\\b|^ +(?:static |async |readonly )*${name}(?:<[^\\n(]*>)?[(:]`, 'm').test(
      text,
    );

  test('has rows for each way, and a picture', () => {
    expect(named.length).toBeGreaterThan(40);
    expect(drawn.length).toBeGreaterThan(20);
    expect(rows.filter((row) => row[1]?.split(',').length !== row[2]?.split(';').length)).toEqual([]);
  });

  test('names and draws functions that are in their files', () => {
    expect(isDefined('checkHandler', 'const it = checkHandler(gateway);')).toBe(false);
    const missing = [...named, ...drawn].filter(([name, file]) => !isDefined(name, readFileSync(file, 'utf8')));
    expect(missing).toEqual([]);
  });

  test('draws only functions that its tables have', () => {
    const texts = named.map((one) => one.join(' in '));
    expect(drawn.map((one) => one.join(' in ')).filter((one) => !texts.includes(one))).toEqual([]);
  });
});

/** The words that follow this one in a code span or block. */
function reported(text: string, command: string): string[] {
  const code = [...text.matchAll(/^```[\s\S]*?^```|`[^`\n]+`/gm)].map(([span]) => span);
  const word = new RegExp(`(?<![\\w./-])${command} ([a-z][\\w-]*)`, 'g');
  return code.flatMap((span) => [...span.matchAll(word)].map(([, name = '']) => name));
}

describe.each(documents)('%s', (file, text) => {
  test('names only targets of the Makefile', () => {
    const targets = [...readFileSync('Makefile', 'utf8').matchAll(/^([a-z]+):/gm)].map(([, name]) => name);
    expect(reported(text, 'make').filter((name) => !targets.includes(name))).toEqual([]);
  });

  test('names only commands that exist', async () => {
    for (const name of new Set(reported(text, 'meshgate'))) {
      // Options of the image's wrapper and of nginx are not commands.
      if (['from'].includes(name)) continue;
      expect(await meshgate([name, '--help']), `${file}: meshgate ${name}`).toMatchObject({ code: 0 });
    }
  });

  test('mentions nothing outside the project', () => {
    expect(text.match(AROUND) ?? []).toEqual([]);
  });
});

test('the sources mention nothing outside the project either', () => {
  const sources = ['src', 'nginx', 'conf.d', '.ci'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  expect(sources.length).toBeGreaterThan(100);
  for (const file of [...sources, 'Makefile', 'package.json']) {
    expect(readFileSync(file, 'utf8').match(AROUND) ?? [], file).toEqual([]);
  }
});

describe('docs/log.md', () => {
  const text = readFileSync('docs/log.md', 'utf8');
  const fieldsOf = (several: boolean) =>
    [
      ...printConf([
        logFormat('0123456789abcdef', {
          agents: true,
          tools: several,
          meshes: several,
          several,
          failover: several,
          credentials: several,
          claims: several,
        }),
      ]).matchAll(/"([a-z_.]+)":/g),
    ].map(([, name = '']) => name);
  const fields = fieldsOf(false);

  test('its example has the fields of the log, in their order', () => {
    const line = /^\{"time.*$/m.exec(text)?.[0] ?? '{}';
    expect(Object.keys(JSON.parse(line))).toEqual(fields);
    expect(fields.length).toBeGreaterThan(15);
  });

  test('its table explains every field', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    expect(named.toSorted()).toEqual(fieldsOf(true).toSorted());
  });
});
