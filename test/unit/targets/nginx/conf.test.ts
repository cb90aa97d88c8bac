import { describe, expect, test } from 'vitest';
import { conf, literal, regex, template, variable } from '../../../../src/targets/nginx/text/directive.ts';
import { printConf } from '../../../../src/targets/nginx/text/print.ts';

describe('the text of directives', () => {
  test.each([
    ['a word', conf`x off /a?b=1;`, 'x off "/a?b=1";\n'],
    ['a variable', conf`x $uri;`, 'x $uri;\n'],
    ['a variable beside text', conf`x http://$uri;`, 'x http://$uri;\n'],
    ['text in quotes', conf`x "a; b" '{"c"}' "";`, `x "a; b" '{"c"}' "";\n`],
    ['a variable in quotes', conf`x "a $uri b";`, 'x "a $uri b";\n'],
    ['a regular expression after ^', conf`if ($a !~ ^(GET|HEAD)$) { x; }`, 'if ($a !~ "^(GET|HEAD)$)" { x; }\n'],
    ['the operator ^~', conf`location ^~ / { x; }`, 'location ^~ / { x; }\n'],
    ['keys of a map', conf`map $a $b { "" ""; "c" 1; default 2; }`, 'map $a $b { "" ""; "c" 1; default 2; }\n'],
    [
      'regular expressions of a map',
      conf`map $a $b { "~^c" $d; "~*^e{2};$" f; }`,
      'map $a $b { "~^c" $d; "~*^e{2};$" f; }\n',
    ],
    ['several on one line', conf`x 1; y 2;`, 'x 1; y 2;\n'],
    [
      'a comment above',
      conf`
# why
x 1;`,
      '# why\nx 1;\n',
    ],
    [
      'a comment beside',
      conf`
x 1; y 2; # why`,
      'x 1; y 2; # why\n',
    ],
    [
      'a comment for readers of this repository',
      conf`
// why
x 1;`,
      'x 1;\n',
    ],
  ])('%s', (_, directives, text) => {
    expect(printConf(directives)).toBe(text);
  });

  test.each([
    ['a text', conf`x ${'a; $b { }'} ${''};`.map(({ args }) => args), [[literal('a; $b { }'), literal('')]]],
    ['a text in a word', conf`x /${'a b'}/;`.map(({ args }) => args), [[literal('/a b/')]]],
    ['a text in quotes', conf`x "${'"; y "'} ";`.map(({ args }) => args), [[literal('"; y " ')]]],
    ['a text beside a variable', conf`x ${'a'}$b;`.map(({ args }) => args), [[template('a', variable('b'))]]],
    ['a number', conf`x ${8}k ${1};`, conf`x 8k 1;`],
    ['an argument', conf`x ${regex('~', 'a')};`.map(({ args }) => args), [[regex('~', 'a')]]],
    ['several arguments, or none', conf`x ${['a', variable('b')]} ${false} ${undefined};`, conf`x ${'a'} $b;`],
    ['directives', conf`x { ${conf`y; z;`} }`, conf`x { y; z; }`.map((it) => ({ ...it, block: conf`y; z;` }))],
    ['nothing', conf`${false} ${undefined} ${[]}`, []],
    [
      'nothing below a comment',
      conf`
# why
${[]}
x;`,
      conf`x;`,
    ],
    [
      'directives below a comment',
      conf`
# why
${conf`x;`}`,
      conf`
# why
x;`,
    ],
    [
      'a text in a comment',
      conf`
# why ${'a'}
x;`,
      conf`
# why a
x;`,
    ],
  ])('a value: %s', (_, directives, wanted) => {
    expect(directives).toEqual(wanted);
  });

  test('a text never becomes the name of a directive, and a line that is left out has no value', () => {
    expect(() => conf`${'off'} on;`).toThrow('a value in the name of a directive');
    expect(() => conf`${'proxy_pass http://x; #'} on;`).toThrow('a value in the name of a directive');
    expect(printConf(conf`${'proxy'}_pass $to;`)).toBe('proxy_pass $to;\n');
    expect(
      () => conf`
// why ${'evil'}
set $a ${'b'};`,
    ).toThrow('a value in a line that is left out');
  });

  test('a text never becomes a part of a regular expression', () => {
    expect(() => conf`map $a $b { "~${'.*'}" 1; }`).toThrow('a value in a regular expression');
    expect(() => conf`if ($a !~ ^${'.*'}) { x; }`).toThrow('a value in a regular expression');
  });

  test.each([
    ['x 1', 'a directive has no end'],
    ['x { y }', 'a directive has no end'],
    ['x 1 }', 'a directive has no end'],
    ['x { y;', 'a block has no end'],
    ['x; }', 'a block has no end, or no beginning'],
  ])('rejects %s', (text, why) => {
    expect(() => conf(Object.assign([text], { raw: [text] }))).toThrow(why);
  });
});
