import { describe, expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { inspectNginx } from '../../../../src/targets/nginx/inspect/warnings.ts';
import { goldenPolicy, render } from './golden.ts';

const DIR = '/etc/nginx/meshgate';
const policy = goldenPolicy('signin-host');
const { files } = render(policy);

interface Around {
  readonly http?: string;
  readonly inWiki?: string;
  readonly signin?: string;
  readonly read?: (file: string) => string | undefined;
}

function inspect({ http = '', inWiki = '', signin = 'include meshgate/hosts/auth*;', read }: Around) {
  const conf = `http { include meshgate/http.conf;
${http}
server { listen 443 ssl; server_name wiki.example.com; ${inWiki} include meshgate/hosts/wiki*; }
server { listen 443 ssl; server_name auth.example.com; ${signin} } }`;
  const rendered = Object.entries(files).filter(([file]) => /\.conf$/.test(file) && file !== 'servers.conf');
  const dump = [['/etc/nginx/nginx.conf', conf], ...rendered.map(([file, text]) => [`${DIR}/${file}`, text])]
    .map(([name, text]) => `# configuration file ${name}:\n${text}\n`)
    .join('');
  return inspectNginx(dump, policy, compile(policy), read ?? ((file) => files[file.slice(DIR.length + 1)]));
}

const told = (around: Around) => inspect(around)?.warnings.map(({ text }) => text);

test('the rendered configuration: no warning', () => {
  expect(inspect({})).toEqual({ warnings: [] });
});

test('a missing server for the sign-in host', () => {
  expect(told({ signin: '' })).toEqual([
    'gateway.signin.host auth.example.com: no server of this nginx includes hosts/auth.example.com.conf',
  ]);
});

test('signin-policy.js of another policy, or one that cannot be read', () => {
  const other = (file: string) => (file.endsWith('/signin-policy.js') ? 'x' : files[file.slice(DIR.length + 1)]);
  expect(inspect({ read: other })?.warnings.map(({ file }) => file)).toEqual([`${DIR}/signin-policy.js`]);
  const none = (file: string) => (file.endsWith('/signin-policy.js') ? undefined : other(file));
  expect(inspect({ read: none })).toEqual({ warnings: [], unread: `${DIR}/signin-policy.js` });
});

describe('a log of the operator', () => {
  const format = (text: string) => `log_format own '${text}';`;

  test.each([
    '$remote_addr "$http_cookie"',
    '${http_authorization}',
    '$sent_http_set_cookie',
    'to=$sent_http_location',
  ])('that would contain credentials: %s', (text) => {
    expect(told({ http: format(text), inWiki: 'access_log /var/log/own own;' })).toEqual([
      expect.stringMatching(/^log_format own writes \$\w+ of the policy's hosts into a log/),
    ]);
  });

  test('that contains none, or is of other servers', () => {
    expect(told({ http: format('$request $http_referer $http_cookies'), inWiki: 'access_log /l own;' })).toEqual([]);
    expect(told({ http: `${format('$http_cookie')} access_log /l own;`, inWiki: 'access_log /m;' })).toEqual([]);
  });
});
