import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { meshgate } from './fake.ts';
import { played } from './played.ts';

/** Runs every example of docs/stages.md with its files. `UPDATE_DOCS=1` writes the output again. */

const FILE = 'docs/stages.md';
const FOLDER = 'docs/examples/stages';
const text = readFileSync(FILE, 'utf8');
const names = readdirSync(FOLDER);
const own = Object.fromEntries(names.map((name) => [name, readFileSync(`${FOLDER}/${name}`, 'utf8')]));
const files = { ...own, './meshgate.yaml': own['meshgate.yaml'] as string };

test('every example prints what the document shows', async () => {
  const { fresh, blocks } = await played(text, (args) => meshgate(args, { files }));
  expect(blocks).toBe(2);
  const shown = fresh.replace(
    /^```yaml prod\.yaml\n[\s\S]*?^```/m,
    () => `\`\`\`yaml prod.yaml\n${own['prod.yaml']}\`\`\``,
  );
  if (process.env.UPDATE_DOCS === '1') writeFileSync(FILE, shown);
  else expect(shown).toBe(text);
});

test.each(['test', 'prod'])('the stage %s of the example renders for nginx, and its tests pass', async (stage) => {
  const env = { STAGE: stage, WIKI_HOST: `wiki.${stage}.example.com` };
  const flags = ['--overlay', `${stage}.yaml`, '--env', 'STAGE', '--env', 'WIKI_HOST'];
  const checked = await meshgate(['validate', ...flags], { files, env });
  expect(checked).toMatchObject({ code: 0, out: expect.stringContaining('2 tests pass') });
  const rendered = await meshgate(['render', '--target', 'nginx', ...flags], { files, env });
  expect(rendered.code).toBe(0);
  expect(rendered.out).toContain(`wiki.${stage}.internal`);
  expect(rendered.out).toContain(`server_name wiki.${stage}.example.com;`);
  expect(rendered.out).not.toContain('yaml');
});
