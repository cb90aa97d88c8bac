/** The pages about migrations: their examples print what they show, and their tables are those of the code. `-u` writes
 * the tables again, and `UPDATE_DOCS=1` the examples. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Annotation, sections as annotations } from '../../../src/migrate/ingress-nginx/annotations.ts';
import { keyOf, type Option, sections } from '../../../src/migrate/oauth2-proxy/options.ts';
import { meshgate } from '../cli/fake.ts';
import { played } from '../cli/played.ts';

const HEADING = '## Every option\n';

/** The files that a page shows: those of blocks with a name. */
function filesIn(text: string): Record<string, string> {
  const blocks = text.matchAll(/^```(?:toml|yaml) (\S+)\n([\s\S]*?)^```/gm);
  return Object.fromEntries([...blocks].map(([, name = '', content = '']) => [name, content]));
}

test.each(['docs/migrating-oauth2-proxy.md', 'docs/migrating-ingress-nginx.md'])(
  'every example of %s prints what the page shows',
  async (file) => {
    const text = readFileSync(file, 'utf8');
    const files = filesIn(text);
    const { fresh, blocks } = await played(text, (args) => meshgate(args, { files }));
    expect(blocks).toBeGreaterThan(0);
    if (process.env.UPDATE_DOCS === '1') writeFileSync(file, fresh);
    else expect(fresh).toBe(text);
  },
);

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** One row for each meaning, with all names that have it. */
function table(column: string, rows: readonly (readonly [name: string, meaning: string])[]): string {
  const lines = [...Map.groupBy(rows, ([, meaning]) => meaning)].map(
    ([meaning, same]) => `| ${same.map(([name]) => name).join(', ')} | ${cell(meaning)} |`,
  );
  return `| ${column} | what becomes of it |\n| --- | --- |\n${lines.join('\n')}\n`;
}

const meaningOf = ({ to, lost }: Pick<Option, 'to' | 'lost'>) => (lost === undefined ? (to ?? '') : `no: ${lost}`);
const usual = ({ same, lost }: Pick<Option, 'same' | 'lost'>) =>
  same === undefined || lost === undefined ? '' : ` (\`${same}\`)`;

function row(option: Option): readonly [string, string] {
  const key = keyOf(option);
  const plain = option.name.replaceAll('-', '_');
  const names = key === plain || key === `${plain}s` ? [`--${option.name}`] : [`--${option.name}`, key];
  return [`${names.map((it) => `\`${it}\``).join(' or ')}${usual(option)}`, meaningOf(option)];
}

test('docs/migrating-oauth2-proxy.md has every option, and what becomes of it', async () => {
  const file = 'docs/migrating-oauth2-proxy.md';
  const [head = ''] = readFileSync(file, 'utf8').split(HEADING);
  const tables = Object.entries(sections).map(
    ([title, options]) => `### ${title}\n\n${table('option', options.map(row))}`,
  );
  const intro =
    '`migrate` prints the line of each option that your configuration sets. The other options have their defaults. A configuration file has the same names with `_`, and lists in the plural. *no* means that it is not carried over. A value in brackets is the same as before.\n';
  await expect(`${head}${HEADING}\n${intro}\n${tables.join('\n')}`).toMatchFileSnapshot(`../../../${file}`);
});

const annotationRow = (it: Annotation) => [`\`${it.name}\`${usual(it)}`, meaningOf(it)] as const;

test('docs/migrating-ingress-nginx.md has every annotation, and what becomes of it', async () => {
  const file = 'docs/migrating-ingress-nginx.md';
  const [head = ''] = readFileSync(file, 'utf8').split(HEADING.replace('option', 'annotation'));
  const tables = Object.entries(annotations).map(
    ([title, rows]) => `### ${title}\n\n${table('annotation', rows.map(annotationRow))}`,
  );
  const intro =
    'The prefix is `nginx.ingress.kubernetes.io/`. `migrate` prints the line of each annotation that your Ingresses have. *no* means that it is not carried over. A value in brackets is the same as before.\n';
  await expect(`${head}## Every annotation\n\n${intro}\n${tables.join('\n')}`).toMatchFileSnapshot(`../../../${file}`);
});
