/** What `migrate ingress-nginx` writes, compared with a model of ingress-nginx: no request passes that ingress-nginx
 * refused, unless the report marks it with WIDER. */
import { describe, expect, test } from 'vitest';
import { runTests } from '../../../src/cli/decide/policy-tests.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { migrate, type Reported } from './case.ts';
import { ingress } from './ingress-nginx/manifest.ts';
import type { Controller, Location, Request } from './ingress-nginx/model.ts';
import { passes } from './ingress-nginx/servers.ts';

const HOST = 'app.example.com';
const OAUTH2_PROXY =
  'provider = "oidc"\noidc_issuer_url = "https://login.example.com"\nclient_id = "a"\nemail_domains = ["example.com"]\n';

const controllerText = ({ globalAuthUrl, level }: Controller): string => {
  const data = {
    ...(globalAuthUrl && { 'global-auth-url': globalAuthUrl }),
    ...(level !== undefined && { 'annotations-risk-level': level }),
  };
  return `---\n${JSON.stringify({ kind: 'ConfigMap', metadata: { name: 'ingress-nginx-controller' }, data })}\n`;
};

const migrated = (locations: readonly Location[], controller: Controller = {}): Promise<Reported> =>
  migrate({
    command: 'ingress-nginx',
    files: {
      'i.yaml':
        locations
          .map(({ annotations, path, type }, at) => ingress(`i${at}`, annotations, [[HOST, path, 'app', 80, type]]))
          .join('') + controllerText(controller),
    },
    beside: { 'o.cfg': OAUTH2_PROXY },
    args: ['--oauth2-proxy', 'o.cfg'],
  });

/** Returns the requests that the policy allows, decided by the code of the gateway. */
function allowedBy({ policy: text }: Reported, requests: readonly Request[]): readonly Request[] {
  const tests = requests.map(({ path, network, certificate, person }) => {
    const claims = person && { claims: { sub: '1', email_verified: true, ...person } };
    const as = { network, ...claims, ...(certificate && { certificate }) };
    return JSON.stringify({ as, GET: `https://${HOST}${path}`, expect: 'allowed' });
  });
  const { policy, errors } = parsePolicy(`${text}tests: [${tests.join(', ')}]\n`, 'p.yaml');
  expect(errors).toEqual([]);
  const ran = runTests({ policy: policy!, rules: compile(policy!) }, 1_800_000_000);
  return requests.filter((_, at) => ran[at]?.got === 'allowed');
}

const wider = (report: Reported) => [...report.differs, ...report.notCarried].filter((it) => it.wider);

const ann = { email: 'ann@example.com', groups: ['staff'] };
const eve = { email: 'eve@example.com', groups: ['guests'] };
const [inside, outside, six] = ['192.0.2.9', '198.51.100.9', '2001:db8::9'];
const callers: readonly Omit<Request, 'path'>[] = [
  ...[inside, outside, six].map((network) => ({ network })),
  ...[inside, outside].flatMap((network) => [ann, eve].map((person) => ({ network, person }))),
];
const withCertificates: readonly Omit<Request, 'path'>[] = [
  ...callers,
  ...['a.example.com', 'b.example.com', 'ab.example.com'].map((certificate) => ({
    network: outside,
    certificate,
  })),
];

/** Spellings of a word that a parser may read in another way. */
const spelled = (word: string): readonly string[] => [
  ...[word, word.toUpperCase(), `${word[0]?.toUpperCase()}${word.slice(1)}`, ` ${word}`, `${word} `, `\t${word}\n`],
  ...[
    `\ufeff${word}`,
    `${word}\u0085`,
    `\u00a0${word}`,
    `${word}\u200b`,
    `"${word}"`,
    `'${word}'`,
    `${word};`,
    `${word},`,
  ],
  ...[`${word} ${word}`, `${word}\n${word}`, `${word}\0`, word.slice(0, -1), `${word}x`],
];
const TRUTHS = [
  '1',
  '0',
  't',
  'f',
  'T',
  'F',
  'TRUE',
  'FALSE',
  'yes',
  'no',
  'off',
  'on',
  'y',
  'n',
  '',
  ' ',
  'null',
  '00',
];

const open: readonly Location[] = [{ path: '/', type: 'Prefix', annotations: {} }];
const root = (annotations: Location['annotations']): readonly Location[] => [
  { path: '/', type: 'Prefix', annotations },
];
const oauth2 = { 'auth-url': 'https://$host/oauth2/auth' };
const tls = { 'auth-tls-secret': 'apps/ca' };
const lists = [
  ...[
    '192.0.2.0/24',
    '192.0.2.9',
    '192.0.2.9/24',
    '192.0.2.0/24,',
    ',192.0.2.0/24',
    '192.0.2.0/24,x',
    'x',
    '',
    ' ',
    ',',
  ],
  ...[
    ' 192.0.2.0/24 ',
    '192.0.2.0/24 , 10.0.0.0/8',
    '192.0.2.0/24;10.0.0.0/8',
    '192.0.2.0/24 10.0.0.0/8',
    '192.0.2.0/33',
  ],
  ...[
    '192.0.2.0/',
    '192.0.2/24',
    '192.0.2.0/24/24',
    '192.0.02.0/24',
    '0xC0.0.2.0/24',
    '192.0.2.0/024',
    'all',
    'any',
    '*',
  ],
  ...['0.0.0.0/0', '::/0', '0.0.0.0/0,::/0', '::/0, 192.0.2.0/24', '0.0.0.0/0,x', '0/0', '1.2.3.4/0', '0.0.0.0', '::'],
  ...['0.0.0.0/1,128.0.0.0/1', '2001:db8::/32', '2001:DB8::9', '2001:db8::/129', '::ffff:192.0.2.9', '[2001:db8::9]'],
  ...[
    '192.0.2.0/24,192.0.2.0/25',
    '192.0.2.0/24,192.0.2.0/24',
    '256.0.0.0/8',
    '-1',
    'localhost',
    '192.0.2.0/24\n10.0.0.0/8',
  ],
  ...[
    '198.51.100.0/24,192.0.2.1',
    '$remote_addr',
    'unix:',
    '192.0.2.9%eth0',
    '192.0.2.0-192.0.2.255',
    '\ufeff192.0.2.0/24',
  ],
];
const urls = [
  ...[
    'https://$host/oauth2/auth',
    'http://o.auth.svc:4180/oauth2/auth',
    '/oauth2/auth',
    'oauth2/auth',
    '//o/oauth2/auth',
  ],
  ...[
    'https:///oauth2/auth',
    'https://a..b/oauth2/auth',
    'https://$host/OAUTH2/AUTH',
    'https://$host/oauth2/auth/',
    ' ',
  ],
  ...['https://$host/oauth2/authx', 'https://$host/oauth2//auth', 'https://a/verify', 'https://a/oauth2/auth#x', ''],
  ...[
    'https://a/oauth-x/auth',
    'https://oauth2-proxy/a/auth',
    'https://a/oauth2/auth"',
    'https://a/oauth2/auth;',
    'x:y',
  ],
  ...['staff', 'staff,x', ',staff', 'guests', '%73taff', 'staff%2Cx', '%zz', '$arg_g', ''].map(
    (it) => `https://$host/oauth2/auth?allowed_groups=${it}`,
  ),
  ...[
    'allowed%5Fgroups',
    '%61llowed_groups',
    'allowed_group%73',
    'Allowed_Groups',
    'allowed+groups',
    '$a',
    'allowed_groups%20',
  ].map((it) => `https://$host/oauth2/auth?${it}=staff`),
  ...[
    '?x=1&allowed_groups=staff',
    '?allowed_groups=staff;x=1',
    '?allowed_emails=ann@example.com',
    '?&allowed_groups=staff&',
  ].map((it) => `https://$host/oauth2/auth${it}`),
  ...[
    '?allowed_email_domains=example.org',
    '?allowed_groups=staff&allowed_groups=x',
    '?allowed_groups',
    '?rd=$request_uri',
  ].map((it) => `https://$host/oauth2/auth${it}`),
];
const names = [
  ...['CN=a.example.com', 'CN=A.example.com', 'CN=(a.example.com|b\\.example\\.com)', 'CN=a.*', 'a.example.com', 'CN='],
  ...[
    'CN=a.example.com$',
    '^CN=a.example.com',
    'CN=a.example.com|b.example.com',
    'cn=a.example.com',
    'CN=.*',
    'CN=a.example.com ',
  ],
  ...['CN=[ab].example.com', 'CN=(?i)a.example.com', 'CN=a\\.example\\.com', 'CN=b.example.com,O=x', 'O=x', '.*', ' '],
];
const secrets = [
  'apps/ca',
  'other/ca',
  'ca',
  '/ca',
  'apps/',
  'apps/ca/x',
  'apps/ca x',
  '',
  ' ',
  'apps/c"a',
  ' apps/ca ',
];

/** Which values are tried, with what else is in the manifests. */
const groups: readonly (readonly [
  what: string,
  values: readonly string[],
  of: (value: string) => readonly Location[],
  Controller?,
])[] = [
  [
    'auth-tls-verify-client',
    [...['on', 'off', 'optional', 'optional_no_ca'].flatMap(spelled), 'true', 'false', 'required', 'none', ''],
    (it) => root({ ...tls, 'auth-tls-verify-client': it }),
  ],
  [
    'auth-tls-verify-client with a name',
    [...['on', 'off', 'optional', 'optional_no_ca'].flatMap((it) => spelled(it).slice(0, 8)), 'true'],
    (it) => root({ ...tls, 'auth-tls-verify-client': it, 'auth-tls-match-cn': 'CN=a.example.com' }),
  ],
  ['auth-tls-match-cn', names, (it) => root({ ...tls, 'auth-tls-match-cn': it })],
  ['auth-tls-secret', secrets, (it) => root({ 'auth-tls-secret': it })],
  [
    'satisfy',
    [...['any', 'all'].flatMap(spelled), ''],
    (it) => root({ ...oauth2, 'whitelist-source-range': '192.0.2.0/24', satisfy: it }),
  ],
  [
    'enable-global-auth',
    [...['true', 'false'].flatMap(spelled), ...TRUTHS],
    (it) => root({ 'enable-global-auth': it }),
    { globalAuthUrl: 'https://o/oauth2/auth' },
  ],
  ['whitelist-source-range', lists, (it) => root({ 'whitelist-source-range': it })],
  [
    'allowlist-source-range with the other name',
    lists,
    (it) => root({ 'allowlist-source-range': it, 'whitelist-source-range': '192.0.2.0/24' }),
  ],
  ['denylist-source-range', lists, (it) => root({ 'denylist-source-range': it })],
  ['auth-url', urls, (it) => root({ 'auth-url': it })],
  ['auth-method', ['GET', 'get', 'HEAD', 'GET ', 'FETCH', '', 'GET;'], (it) => root({ ...oauth2, 'auth-method': it })],
  [
    'auth-response-headers',
    ['X-A', 'X-A, X-B', 'X-A;', 'X A"', ''],
    (it) => root({ ...oauth2, 'auth-response-headers': it }),
  ],
  [
    'canary of a path of its own',
    [...['true'].flatMap(spelled), ...TRUTHS],
    (it) => [...open, { path: '/admin', type: 'Prefix', annotations: { canary: it, 'auth-type': 'basic' } }],
  ],
  [
    'use-regex beside an open path',
    [...['true', 'false'].flatMap(spelled), ...TRUTHS],
    (it) => [
      ...root({ 'whitelist-source-range': '192.0.2.0/24' }),
      { path: '/(public|x)', type: 'ImplementationSpecific', annotations: { 'use-regex': it } },
    ],
  ],
  [
    'rewrite-target',
    ['/', '/$1', '', ' ', '/x', '/a"', 'x', '/a b'],
    (it) => [
      ...root({ 'whitelist-source-range': '192.0.2.0/24' }),
      { path: '/(public|x)', type: 'ImplementationSpecific', annotations: { 'rewrite-target': it } },
    ],
  ],
  [
    'annotations-risk-level',
    ['Low', 'low', 'Medium', 'MEDIUM', 'High', 'high', 'Critical', 'CRITICAL', '', 'x', ' High'],
    () => root({ ...oauth2, 'whitelist-source-range': '192.0.2.0/24' }),
  ],
];

test('more than 300 values of annotations are tried', () => {
  expect(groups.reduce((sum, [, values]) => sum + values.length, 0)).toBeGreaterThan(300);
});

const tried = groups.map(([what, values, locationsOf, controller]) => ({
  what,
  values,
  locationsOf,
  controller: controller ?? {},
}));

describe.each(tried)('$what', ({ what, values, locationsOf, controller }) => {
  test.each(values.map((it) => [it]))(
    '%j never admits a request that ingress-nginx refused, without a word',
    async (value) => {
      const locations = locationsOf(value);
      const given = what === 'annotations-risk-level' ? { level: value } : controller;
      const report = await migrated(locations, given);
      const hasCertificates = /client_ca_file/.test(report.policy);
      const requests = ['/', '/x', '/admin', '/public/x'].flatMap((path) =>
        (hasCertificates ? withCertificates : callers).map((it) => ({ ...it, path })),
      );
      const opened = allowedBy(report, requests).filter((it) => !passes(locations, it, given));
      if (opened.length > 0) expect(wider(report), JSON.stringify(opened)).not.toEqual([]);
    },
  );
});

const WORDS = ['admin', 'foo', 'x', 'api/v1', 'a.b', 'bar/x', 'api'];
const expressions = [
  ...WORDS.flatMap((it) => [
    `/${it}(/|$)(.*)`,
    `/${it}`,
    `/${it}/`,
    `/${it}$`,
    `/${it}/$`,
    `/${it}/.*`,
    `/${it}.*`,
    `/${it}/?(.*)`,
    `/${it}/?$`,
    `/(${it})`,
    `/(${it}|bar)`,
    `/(bar|${it})/`,
    `/(?:${it})?`,
    `^/${it}`,
    `/${it}/.+`,
    `/${it}/(.+)`,
    `/(${it}/.+|bar)`,
    `/${it}(/x)?$`,
    `/${it}(?!/x)`,
    `/(?=${it})`,
    `/${it}[/]x`,
    `/${it}\\b`,
    `/${it}|/bar`,
    `/bar|/${it}`,
    `/(?i)${it}`,
    `/${it}{1}`,
    `/${it}(|/x)`,
    `/${it}+`,
    `/${it}*`,
    `/\\Q${it}\\E`,
  ]),
  ...[
    '/[aA]dmin',
    '/[^/]+/x',
    '/.+/x',
    '/.*',
    '/(.*)',
    '/',
    '',
    '/a(dmin)?',
    '/adm?in',
    '/adm.n',
    '/\\x61dmin',
    '/admi\\w',
    '/\\S+',
    '/(a|)dmin',
  ],
  ...[
    '/$',
    '/^admin',
    '/admin$|$',
    '/admin(?#|)',
    '/admin/../x',
    '/admin//x',
    '/(((admin)))',
    '/admin\\/x',
    '/a\\.b',
    '/.{5}',
    '/(admin',
    '/admin)',
    '/admin$.*',
    '/admin$x',
    '/(admin$|foo)(/.*)?',
    '/(^/admin|foo)',
    '/admin(/|$|x)',
    '/foo/(admin|\\d+)/x',
    '/foo/[0-9]',
    '/admin/[0-9]',
    '/admin/?[0-9]',
    '/admin/x?y',
    '/api/v[0-9]+/x',
    '(/admin|/foo)',
    '/(foo|api/v\\d)/x',
    '/a{0}dmin',
    '/foo/*x',
    '/admin-?x',
  ],
].filter((it) => {
  try {
    return new RegExp(`^${it}`, 'i') !== undefined;
  } catch {
    return false;
  }
});

const PATHS = [
  ...[
    '/',
    '/admin',
    '/admin/',
    '/admin/x',
    '/admin/1',
    '/admin1',
    '/adminx',
    '/administrator',
    '/admin-x',
    '/ADMIN',
    '/Admin/x',
    '/admin.b',
  ],
  ...[
    '/foo',
    '/foo/',
    '/foo/x',
    '/foox',
    '/fo',
    '/FOO/x',
    '/foo/1',
    '/foo/1/x',
    '/foo/admin/x',
    '/bar',
    '/bar/x',
    '/x',
    '/x/',
    '/x/x',
    '/xx',
    '/X',
  ],
  ...[
    '/api',
    '/api/v1',
    '/api/v1/',
    '/api/v1/x',
    '/api/v12',
    '/api/v2/x',
    '/a.b',
    '/a.b/x',
    '/aXb',
    '/a',
    '/dmin',
    '/adin',
    '/admi',
    '/a/x',
    '/z/bar',
    '/z/admin',
    '/z/x',
    '/foo/admin',
  ],
];

describe('expressions', () => {
  test('more than 200 are tried', () => {
    expect(new Set(expressions).size).toBeGreaterThan(200);
  });

  const inside = { 'whitelist-source-range': '192.0.2.0/24' };
  const shapes: readonly (readonly [string, (path: string) => readonly Location[]])[] = [
    [
      'with use-regex',
      (path) => [...open, { path, type: 'ImplementationSpecific', annotations: { ...inside, 'use-regex': 'true' } }],
    ],
    [
      'with rewrite-target, beside others',
      (path) => [
        ...open,
        { path, type: 'ImplementationSpecific', annotations: { ...inside, 'rewrite-target': '/$2' } },
        { path: '/admin/login', type: 'Prefix', annotations: {} },
        { path: '/foo', type: 'Prefix', annotations: {} },
      ],
    ],
    [
      'open, below a path that restricts',
      (path) => [
        { path: '/', type: 'Prefix', annotations: inside },
        { path, type: 'ImplementationSpecific', annotations: { 'use-regex': 'true' } },
      ],
    ],
    ['without use-regex', (path) => [...open, { path, type: 'ImplementationSpecific', annotations: inside }]],
  ];

  describe.each(shapes)('%s', (_, locationsOf) => {
    test.each(expressions.map((it) => [it]))('%s opens no path, unless the report says which', async (expression) => {
      const locations = locationsOf(expression);
      const report = await migrated(locations);
      const requests = PATHS.map((path) => ({ path, network: '198.51.100.9' }));
      const opened = allowedBy(report, requests).filter((it) => !passes(locations, it));
      const reported = wider(report).map(({ text }) => text);
      for (const { path } of opened) {
        // A policy compares letters with case, and whole words.
        const isOtherCase = path !== path.toLowerCase();
        const known = isOtherCase ? /any case of letters/ : /continue the last word/;
        expect(
          reported.some((it) => known.test(it)),
          `${path}: ${reported.join('; ')}`,
        ).toBe(true);
        const word = new RegExp(`^(?:${expression})(?:/|$)`);
        // Any characters behind a word continue it, too.
        if (!isOtherCase && !/\.[*+]/.test(expression)) expect(path).not.toMatch(word);
      }
    });
  });
});
