import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  conf,
  key,
  line,
  literal,
  newline,
  regex,
  template,
  variable,
} from '../../../../src/targets/nginx/text/directive.ts';
import { printConf, UnprintableError } from '../../../../src/targets/nginx/text/print.ts';
import { holds } from '../../../harness/property.ts';
import { anyText } from '../../text.ts';
import { readConf } from './read.ts';

describe('print', () => {
  test.each([
    ['a plain literal stays bare', literal('/rest/'), 'x /rest/;\n'],
    ['an empty one is quoted', literal(''), 'x "";\n'],
    ['white space and ; are quoted', literal('a; b'), 'x "a; b";\n'],
    ['quotes are escaped or wrapped', literal('"a"'), 'x \'"a"\';\n'],
    ['both quotes', literal(`"a'`), `x "\\"a'";\n`],
    ['a backslash at the end', literal('a\\'), 'x "a\\\\";\n'],
    ['a backslash that nginx would read', literal('a\\n'), 'x "a\\\\n";\n'],
    ['a variable', variable('uri'), 'x $uri;\n'],
    ['a variable before letters gets braces', template(variable('a'), 'b'), 'x "${a}b";\n'],
    ['a template of plain parts', template('https://', variable('up')), 'x https://$up;\n'],
    ['a regular expression', regex('~*', '^a{2}\\.b$'), 'x "~*^a{2}\\.b$";\n'],
  ])('%s', (_, arg, text) => {
    expect(printConf([line('x', arg)])).toBe(text);
  });

  test.each([
    ['default', '\\default'],
    ['hostnames', '\\hostnames'],
    ['~^.', '\\~^.'],
    ['\\a', '\\\\a'],
    ['editor', 'editor'],
  ])('the key %s of a map is a literal to nginx', (text, word) => {
    const [parsed] = readConf(printConf(conf`map $a $b { ${key(text)} x; }`));
    expect(parsed?.block?.[0]?.words).toEqual([word, 'x']);
  });

  test.each([
    ['a control character', line('x', literal('a\nb'))],
    ['NUL', line('x', literal('a\0'))],
    ['half a surrogate pair', line('x', literal('\ud800'))],
    ['a dollar', line('x', literal('$request_uri'))],
    ['a dollar in a template', line('x', template('$a', variable('b')))],
    ['a dollar in a key', line(key('$a'), 'x')],
    ['an invalid word', line('x', 'a b')],
    ['a word with a dollar', line('x', '$a')],
    ['an invalid variable', line('x', variable('a}b'))],
    ['an invalid directive', line('x;y')],
    ['a line end in a comment', { ...line('x'), comment: ['a\nevil on;'] }],
    ['a line end in a regular expression', line('x', regex('~', '\n'))],
  ])('%s is refused', (_, directive) => {
    expect(() => printConf([directive])).toThrow(UnprintableError);
  });

  test('any text stays one argument, or is refused', () => {
    const texts = fc.oneof(anyText(), fc.string({ unit: fc.constantFrom(...'"\'\\;{}$#~ntr \t\n(aé') }));
    let printed = 0;
    holds(
      fc.property(texts, texts, (one, two) => {
        let text: string;
        try {
          text = printConf(conf`b ${one} { x ${two} -${one}$v; y ${template(one, newline, variable('v'))}; }`);
        } catch (error) {
          expect(error).toBeInstanceOf(UnprintableError);
          expect(`${one}${two}`).toMatch(/[$\p{Cc}\p{Cs}\u2028\u2029]/u);
          return;
        }
        printed++;
        expect(readConf(text)).toEqual([
          { words: ['b', one], block: [{ words: ['x', two, `-${one}$v`] }, { words: ['y', `${one}\n$v`] }] },
        ]);
      }),
      500,
    );
    expect(printed).toBeGreaterThan(100);
  });
});
