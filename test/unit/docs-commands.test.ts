/** The commands in docs/: a shell can read them, their flags exist, and a test or docs/contributing/testing.md names each page. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { meshgate } from './cli/fake.ts';

/** The tests that run commands of a page, or some of them. */
const RUN: Readonly<Record<string, string>> = {
  certificates: 'test/unit/cli/facts.test.ts',
  cli: 'test/unit/cli/docs.test.ts',
  confluence: 'test/gateway/confluence.test.ts',
  'ext-authz': 'test/gateway/ways/ext-authz.test.ts',
  image: 'test/gateway/ways/image.test.ts',
  'ingress-ngf': 'test/gateway/ways/ingress.test.ts',
  'ingress-nic': 'test/gateway/ways/ingress.test.ts',
  istio: 'test/mesh/kustomize.test.ts',
  kubernetes: 'test/gateway/ways/kubernetes.test.ts',
  linkerd: 'test/mesh/kustomize.test.ts',
  mcp: 'test/unit/cli/mcp.test.ts',
  'migrating-ingress-nginx': 'test/unit/migrate/docs.test.ts',
  'migrating-oauth2-proxy': 'test/unit/migrate/docs.test.ts',
  nginx: 'test/gateway/existing-nginx.test.ts',
  package: 'test/gateway/ways/package.test.ts',
  profiles: 'test/unit/cli/profiles-docs.test.ts',
  'second-hop': 'test/gateway/second-hop.test.ts',
  stages: 'test/unit/cli/stages-docs.test.ts',
  teams: 'test/unit/cli/teams-docs.test.ts',
  trace: 'test/unit/cli/trace/trace.test.ts',
};

const BLOCK = /^ *```(sh|console)\n([\s\S]*?)^ *```$/gm;

const pages = globSync('docs/{,cli/}*.md')
  .map((path) => path.replace('docs/', ''))
  .map((name) => {
    const text = readFileSync(`docs/${name}`, 'utf8');
    const blocks = [...text.matchAll(BLOCK)].map(([, language, body = '']) => ({ language, body }));
    return { page: name.replace('.md', ''), blocks };
  })
  .filter(({ blocks }) => blocks.length > 0);

/** The calls of `meshgate` in a block: a command and its flags. */
function callsIn(body: string): readonly (readonly [command: string, flags: readonly string[]])[] {
  return body
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .flatMap((line) => [...line.matchAll(/(?:meshgate|cli\.js) ([a-z][a-z-]*)\b([^|;&>)]*)/g)])
    .map(([, command = '', rest = '']) => [command, rest.match(/(?<=\s)--[a-z0-9-]+/g) ?? []] as const);
}

test('calls are found in pipes and over several lines, with their flags', () => {
  expect(callsIn('nginx -T | meshgate validate --nginx - x | head --lines 3\nnjs cli.js render \\\n  --out a')).toEqual(
    [
      ['validate', ['--nginx']],
      ['render', ['--out']],
    ],
  );
});

describe.each(pages.map(({ page, blocks }) => [page, blocks] as const))('docs/%s.md', (page, blocks) => {
  test('has blocks of commands that a shell can read', () => {
    for (const { body } of blocks.filter(({ language }) => language === 'sh')) {
      const { stderr } = spawnSync('bash', ['-n'], { input: body.replace(/^ +/gm, ''), encoding: 'utf8' });
      expect(stderr, body).toBe('');
    }
  });

  test('has only flags that exist', async () => {
    const lines = ({ language, body }: (typeof blocks)[number]) =>
      language === 'sh' ? body : [...body.matchAll(/^\$ (.*)$/gm)].map(([, line]) => line).join('\n');
    for (const [command, flags] of blocks.flatMap((block) => callsIn(lines(block)))) {
      const { code, out } = await meshgate([command, '--help']);
      if (code === 0)
        for (const flag of flags) expect(out, `${command} ${flag}`).toMatch(new RegExp(`${flag}(?![\\w-])`));
    }
  });

  test('has commands that a test runs, or docs/contributing/testing.md says why not', () => {
    const listed =
      readFileSync('docs/contributing/testing.md', 'utf8').split('### Commands that no test runs')[1] ?? '';
    const name = page.replace(/^cli\/.*/, 'cli');
    const test = RUN[name];
    if (test === undefined) expect(listed.split('\n## ')[0]).toContain(`[${page}](../${page}.md)`);
    else expect(readFileSync(test, 'utf8')).toMatch(new RegExp(`docs/(?:${name}\\.md|ingress-\\$)|'${name}\\.md'`));
  });
});

test('each test that is named here is about a page with commands', () => {
  expect(Object.keys(RUN).filter((name) => !pages.some(({ page }) => page === name))).toEqual([]);
});
