import { describe, expect, test } from 'vitest';
import { FolderError, readFolder } from '../../../../src/targets/nginx/inspect/folder.ts';

type Files = Readonly<Record<string, string>>;

/** A machine with these files. A text of `denied` stands for a file that the user may not read. */
const disk = (files: Files) => ({
  read(path: string): string {
    const text = files[path];
    if (text === undefined || text === 'denied') throw new Error(text ?? 'absent');
    return text;
  },
  names(folder: string): readonly string[] {
    if (folder === '/closed') throw new Error('denied');
    const prefix = folder === '/' ? '/' : `${folder}/`;
    const below = Object.keys(files).filter((path) => path.startsWith(prefix));
    return [...new Set(below.map((path) => path.slice(prefix.length).split('/')[0] as string))].sort();
  },
  reason: (error: unknown) => (error as Error).message,
});

const names = (files: Files, folder = '/etc/nginx', prefix = folder) => [
  ...readFolder(folder, prefix, disk(files)).keys(),
];

describe('reads files in the order of nginx', () => {
  test.each<[string, string, readonly string[]]>([
    ['a file, relative to the folder of nginx.conf', 'http { include conf.d/b.conf; }', ['conf.d/b.conf']],
    [
      'a star, by bytes, without hidden files',
      'include conf.d/*.conf;',
      ['conf.d/B.conf', 'conf.d/a.conf', 'conf.d/b.conf'],
    ],
    ['a question mark and brackets', 'include conf.d/[ab]?conf;', ['conf.d/a.conf', 'conf.d/b.conf']],
    ['brackets that exclude', 'include conf.d/[!ab].conf;', ['conf.d/B.conf']],
    ['stars in folders', 'include */c.conf;', ['sites/c.conf']],
    ['a pattern without a match', 'include none/*.conf;', []],
    ['the same file once', 'include sites/c.conf; include sites/*;', ['sites/c.conf']],
    [
      'files that an included file includes, before the next ones',
      'include deep.conf; include conf.d/b.conf;',
      ['deep.conf', 'sites/c.conf', 'conf.d/b.conf'],
    ],
  ])('%s', (_, main, expected) => {
    const below = Object.fromEntries(
      ['conf.d/B.conf', 'conf.d/a.conf', 'conf.d/b.conf', 'conf.d/.hidden.conf', 'sites/c.conf'].map((name) => [
        `/etc/nginx/${name}`,
        '',
      ]),
    );
    const files = { ...below, '/etc/nginx/deep.conf': 'include sites/c.conf;', '/etc/nginx/nginx.conf': main };
    expect(names(files)).toEqual(['nginx.conf', ...expected].map((name) => `/etc/nginx/${name}`));
  });
});

describe('a copy of the folder', () => {
  const copy = {
    '/tmp/copy/nginx.conf': 'include /etc/nginx/sites/*; include extra.conf; include /etc/letsencrypt/options.conf;',
    '/tmp/copy/sites/a': '',
    '/tmp/copy/extra.conf': '',
    '/etc/letsencrypt/options.conf': '',
    '/etc/nginx/sites/other': '',
  };

  test('absolute paths below the prefix are read in the copy, and others where they are', () => {
    expect(names(copy, '/tmp/copy/', '/etc/nginx/')).toEqual([
      '/etc/nginx/nginx.conf',
      '/etc/nginx/sites/a',
      '/etc/nginx/extra.conf',
      '/etc/letsencrypt/options.conf',
    ]);
  });

  test('without a prefix, this machine’s own /etc/nginx is not read', () => {
    expect(() => names(copy, '/tmp/copy')).toThrow(
      new FolderError(
        '/tmp/copy/nginx.conf:1 includes /etc/nginx/sites/*, which is outside /tmp/copy: if this folder is a copy of /etc/nginx, add --nginx-prefix /etc/nginx',
      ),
    );
  });
});

test.each<[string, Files, string]>([
  ['no nginx.conf', {}, 'cannot read /n/nginx.conf: absent'],
  [
    'a missing file',
    { '/n/nginx.conf': '\ninclude x.conf;' },
    'cannot read /n/x.conf, which /n/nginx.conf:2 includes: absent',
  ],
  [
    'a file without permission',
    { '/n/nginx.conf': 'http { include x/*; }', '/n/x/y': 'denied' },
    'cannot read /n/x/y, which /n/nginx.conf:1 includes: denied',
  ],
  [
    'a folder without permission',
    { '/n/nginx.conf': 'include /closed/*;' },
    'cannot read /closed, which /n/nginx.conf:1 includes: denied',
  ],
  [
    'a loop',
    { '/n/nginx.conf': 'include a;', '/n/a': 'include b;', '/n/b': '\n\ninclude a;' },
    '/n/b:3 includes /n/a, which includes this file again: /n/nginx.conf → /n/a → /n/b → /n/a',
  ],
])('rejects a folder that nginx cannot read: %s', (_, files, says) => {
  expect(() => names(files, '/n')).toThrow(new FolderError(says));
});
