import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Following, follow, inFolder } from '../../harness/follow.ts';
import { type Reading, stepsOf } from '../../harness/guide.ts';

const PAGE = `# A page

Begin:

\`\`\`sh
# first
echo one
echo two \\
  three
cat > list <<'EOF'
- a
EOF
\`\`\`

An example:

\`\`\`yaml
not: a file
\`\`\`

## Second

1. Write \`meshgate.yaml\`:

   \`\`\`yaml meshgate.yaml
   issuer: https://idp.example.com
   # comment
   hosts:
     wiki: {}
   \`\`\`

### Below it

\`\`\`sh
# a comment is no heading
for name in a b; do
  echo $name
done
\`\`\`

## Third

\`\`\`sh
echo third
\`\`\`
`;

const read = (reading?: Reading, text = PAGE) => stepsOf('page.md', text, reading).map(({ page: _, ...step }) => step);

describe('reading', () => {
  test('takes commands and named files in their order, and leaves examples out', () => {
    expect(read()).toEqual([
      { command: '# first\necho one' },
      { command: 'echo two \\\n  three' },
      { command: "cat > list <<'EOF'\n- a\nEOF" },
      { file: 'meshgate.yaml', text: 'issuer: https://idp.example.com\n# comment\nhosts:\n  wiki: {}\n' },
      { command: '# a comment is no heading\nfor name in a b; do\n  echo $name\ndone' },
      { command: 'echo third' },
    ]);
  });

  test('takes the sections that the test names, with the headings below them', () => {
    expect(read({ sections: ['Third', 'Second'] }).map((step) => Object.values(step)[0])).toEqual([
      'echo third',
      'meshgate.yaml',
      '# a comment is no heading\nfor name in a b; do\n  echo $name\ndone',
    ]);
  });

  test('replaces texts in commands and files, the longest first', () => {
    const replace = { 'idp.example.com': 'idp', 'https://idp.example.com': 'https://provider:8443', third: '3' };
    const steps = read({ replace }, `${PAGE}\n\`\`\`sh\ncurl idp.example.com\n\`\`\``);
    expect(steps).toContainEqual({ command: 'echo 3' });
    expect(steps).toContainEqual({ command: 'curl idp' });
    const texts = steps.flatMap((step) => ('text' in step ? [step.text.split('\n')[0]] : []));
    expect(texts).toEqual(['issuer: https://provider:8443']);
  });

  test.each<[string, Reading, string, string]>([
    ['a text to replace that no step has', { replace: { 'a.com': 'x', wiki: 'y' } }, PAGE, 'no step has a.com,'],
    ['a section that is missing', { sections: ['Fourth'] }, PAGE, 'no heading "Fourth"'],
    ['a page without a step', {}, 'text', 'no step to follow'],
    [
      'a file that the text does not name',
      {},
      PAGE.replace('Write `mesh', 'Write `'),
      'does not name the file meshgate',
    ],
  ])('rejects %s', (_, reading, text, message) => {
    expect(() => read(reading, text)).toThrow(message);
  });
});

describe('following', () => {
  let folder = '';
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'meshgate-guide-')));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const following = (commands: string, options?: Following, more = '') => {
    const steps = stepsOf('page.md', `\`\`\`sh\n${commands}\n\`\`\`\n${more}`);
    return follow(steps, inFolder(folder, { PATH: process.env.PATH ?? '', OTHER: "it's" }), options);
  };

  test('keeps the folder and the variables from one command to the next', async () => {
    const done = await following('mkdir -p inner && cd inner\nNAME="two\nlines"\necho "$NAME, $OTHER in $(pwd)"');
    expect(done.output('$NAME,')).toBe(`two\nlines, it's in ${folder}/inner\n`);
    expect(() => done.output('nothing')).toThrow('0 commands of the guide have "nothing"');
    expect(() => done.output('N')).toThrow('2 commands of the guide have "N"');
  });

  test('writes files with their exact content where the reader is', async () => {
    await following('cd inner', {}, "Write a.txt:\n\n```text a.txt\n'$HOME' `x`\n\n  end\\\n```\n");
    expect(readFileSync(join(folder, 'inner/a.txt'), 'utf8')).toBe("'$HOME' `x`\n\n  end\\\n");
  });

  test('stops at the first command that fails, and says which one and what it printed', async () => {
    const failed = following('echo before\nls missing-file\ntouch after').catch((error: Error) => error.message);
    expect(await failed).toMatch(/^page\.md: exit code \d+ of\nls missing-file\n[\s\S]*missing-file/);
    expect(() => readFileSync(join(folder, 'after'))).toThrow('ENOENT');
  });

  test('stops inside a command of several lines too', async () => {
    const loop = 'for name in a b; do\n  ls missing-$name\n  touch after-$name\ndone';
    await expect(following(loop)).rejects.toThrow('missing-a');
    expect(() => readFileSync(join(folder, 'after-a'))).toThrow('ENOENT');
  });

  test('runs a command again until it prints what comes soon', async () => {
    const done = await following('echo x >> count; cat count', { soon: { 'cat count': /x\nx\nx/ } });
    expect(done.output('cat count')).toBe('x\nx\nx\n');
    const never = following('true', { soon: { 'cat count': /x/ } });
    await expect(never).rejects.toThrow('no command of the guide has cat count');
  });
});
