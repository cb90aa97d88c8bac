import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pages, TIMELINE } from '../../../screenshots.ts';

const files = [...Object.keys(pages), TIMELINE].flatMap((name) => [`${name}.png`, `${name}-phone.png`]);

test('docs/pages has a small picture of every page at both widths, and nothing else', () => {
  expect(readdirSync('docs/pages').sort()).toEqual([...files].sort());
  for (const file of files) {
    const largest = file.startsWith(TIMELINE) ? 250_000 : 60_000;
    expect(statSync(`docs/pages/${file}`).size, file).toBeLessThan(largest);
  }
});

test('each kind of page has one, and the document shows them', () => {
  expect(new Set(Object.values(pages).map(({ kind }) => kind))).toEqual(
    new Set(['choose', 'refused', 'form', 'signedin', 'confirm', 'signedout']),
  );
  const text = readFileSync('docs/sessions.md', 'utf8');
  for (const name of Object.keys(pages)) expect(text, name).toContain(`(pages/${name}.png)`);
});

test('docs/trace.md shows the timeline', () => {
  expect(readFileSync('docs/trace.md', 'utf8')).toContain(`(pages/${TIMELINE}.png)`);
});
