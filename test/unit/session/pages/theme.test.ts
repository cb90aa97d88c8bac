import { describe, expect, test } from 'vitest';
import { renderPage } from '../../../../src/session/pages/render-page.ts';
import { languageOf, pictureType, readTheme } from '../../../../src/session/pages/theme.ts';

const page = '<html lang="{{lang}}"><title>{{title}}</title>{{main}}';

describe('a folder of pages', () => {
  test('is read as a whole', () => {
    const { theme, errors } = readTheme({
      'page.html': page,
      'style.css': 'body { color: red }',
      'pt-BR.json': '{"signedout.title":"Tchau"}',
      'logo.svg': '',
    });
    expect(errors).toEqual([]);
    const { html, headers } = renderPage({ kind: 'signedout', host: 'h' }, 'pt-br', theme);
    expect(html).toContain('<html lang="pt-br"><title>Tchau</title><h1>Tchau</h1>');
    expect(headers['Content-Security-Policy']).toContain("img-src 'self'; font-src 'self'");
  });

  test('is optional: an empty one gives the default', () => {
    expect(readTheme({})).toEqual({ theme: {}, errors: [] });
    expect(renderPage({ kind: 'signedout', host: 'h' }, '').headers['Content-Security-Policy']).not.toContain(
      'img-src',
    );
  });

  test.each([
    ['page.html', '{{lang}}{{title}}\n\n{{name}}', 3, 'no slot "name"'],
    ['de.json', '[]', 1, 'not a JSON object'],
    ['de.json', 'x', 1, 'not a JSON object'],
    ['de.json', '{"toString":"x"}', 1, 'no text is named "toString"'],
    ['de.json', '{"signedout.title":1}', 1, 'signedout.title is not a text'],
    ['de.json', '{"signedout.title":"{host}"}', 1, 'must contain no values'],
    ['de.json', '{"signedout.text":"x"}', 1, 'must contain the values {host}'],
    ['page.htm', '', 1, 'this file is not used'],
    ['deutsch.txt', '', 1, 'this file is not used'],
  ])('%s %j is a mistake, and the rest of the folder is used', (file, text, line, message) => {
    const { theme, errors } = readTheme({ [file]: text, 'style.css': 'p {}' });
    expect(errors[0]).toMatchObject({ file, line, message: expect.stringContaining(message) });
    expect(theme.style?.text).toMatch(/^p \{\}\n/);
  });

  test('names of pictures and languages are plain', () => {
    expect(['logo.svg', 'a-b_c.woff2', '../x.png', 'x.html', '.png', 'a.b.png', 'x.PNG'].map(pictureType)).toEqual([
      'image/svg+xml',
      'font/woff2',
      ...Array(5).fill(undefined),
    ]);
    expect(['de.json', 'pt-BR.json', 'x.json', 'de.jsonx', '../de.json'].map(languageOf)).toEqual([
      'de',
      'pt-br',
      ...Array(3).fill(undefined),
    ]);
  });
});
