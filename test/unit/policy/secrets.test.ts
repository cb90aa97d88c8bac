import { expect, test } from 'vitest';
import { growth } from '../../harness/growth.ts';
import { BASE, errorsOf } from './stage.ts';

const CLIENT = (client: string) =>
  `${BASE.replace('audiences:', () => `client: ${client}, audiences:`)}gateway: { session: { keys_file: /run/session.jwks } }\n`;

/** Secrets as people paste them into a policy; no part of them may be in an error. */
const SECRETS = [
  'hunter2',
  'Xy18Q~AbCdEfGhIjKlMnOpQrStUvWxYz_12345',
  'tr0ub4dor&3',
  '12345678',
  'c29tZS1iYXNlNjQtc2VjcmV0LXRleHQ=',
  'with spaces in-it',
];

test.each([
  ...['secret', 'client_secret', 'clientSecret', 'client-secret', 'password', 'pasword', 'secert', 'passphrase'],
  ...['secret_file', 'secret_fiel', 'secretfile', 'keys_file', 'key_file', 'private_key', 'api_key', 'token'],
])('an error about %s does not repeat its value', (key) => {
  for (const secret of SECRETS) {
    for (const written of [`{ id: wiki, ${key}: "${secret}" }`, `{ id: wiki, ${key}: ["${secret}"] }`]) {
      const found = errorsOf(CLIENT(written), {});
      expect(found.length).toBeGreaterThan(0);
      expect(found.join('\n')).not.toContain(secret);
      expect(found.join('\n').toLowerCase()).not.toContain(secret.slice(0, 6).toLowerCase());
    }
  }
});

test.each([
  ['a missing colon', CLIENT('{ id: wiki, client_secret hunter2 }')],
  ['a missing space', CLIENT('{ id: wiki, secret:hunter2 }')],
  ['a missing space and quotes', CLIENT('{ id: wiki, "secret=hunter2": x }')],
  ['a key under the provider', BASE.replace('audiences:', 'client_secret: hunter2, audiences:')],
  ['a key at the top', `${BASE}password: hunter2\n`],
  ['a password in a URL', BASE.replace('https://wiki.internal', 'https://user:hunter2@wiki.internal')],
  ['a password in an issuer', BASE.replace('https://example.okta.com', 'https://user:Hunter2@EXAMPLE.okta.com')],
  ['a list of passwords', CLIENT('{ id: wiki, password: [hunter2, "hunter2 x"] }')],
  ['another file of the stage', BASE.replace('audiences:', 'client_secret: hunter2, audiences:')],
])('%s: the secret is not repeated', (_, text) => {
  const found = errorsOf(text, {
    overlays: { 'prod.yaml': 'roles: { gone: null }\nservices: { wiki: { password: hunter2 } }' },
  });
  expect(found.length).toBeGreaterThan(1);
  expect(found.join('\n').toLowerCase()).not.toContain('hunter2');
});

test.each([2000, 100_000])('an error about a secret of %i characters does not repeat it', (length) => {
  const secret = 'Xy18Q.'.repeat(length / 6);
  for (const key of ['secret', 'pasword']) {
    const found = errorsOf(CLIENT(`{ id: wiki, ${key}: "${secret}" }`), {});
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).not.toContain('Xy18Q');
  }
});

const URL_OF = (url: string) => BASE.replace('https://wiki.internal', url);

test.each([
  ['with a slash', URL_OF('https://user:hunter2/word@wiki.internal')],
  ['with a question mark', URL_OF('https://user:x?hunter2@wiki.internal')],
  ['with an @', URL_OF('https://user:x@hunter2@wiki.internal')],
  ['with an @ and a slash', URL_OF('https://user:x@1/hunter2@wiki.internal')],
  ['of digits', URL_OF('https://user:48151623hunter2@wiki.internal')],
  ['without https://', URL_OF('user:hunter2@wiki.internal')],
  ['in an Authorization header', BASE.replace('service: wiki', 'service: "Basic aHVudGVyMjpodW50ZXIy"')],
  ['in a parameter', URL_OF('https://wiki.internal/?a=b&access_token=hunter2/x&c=d')],
  ['in a parameter in upper case', URL_OF('https://wiki.internal/?CLIENT_SECRET=hunter2')],
  ['in a signed URL', URL_OF('https://wiki.internal/?sig=hunter2%2F#x')],
  ['in the URL of a test', `${BASE}tests: [{ as: nobody, GET: "/x?apikey=hunter2", expect: allowed }]\n`],
  [
    'in the second URL of a text',
    `${BASE}gateway: { store: { etcd: "https://u:first1@etcd-0:2379, https://u:hunter2@etcd-1:2379" } }\n`,
  ],
])('a password %s is not repeated', (_, text) => {
  const found = errorsOf(text, {});
  expect(found.length).toBeGreaterThan(0);
  expect(found.join('\n')).not.toMatch(/hunter2|first1|aHVudGVyMjpodW50ZXIy/);
});

test('the credentials of a service that stand as a scheme are not repeated', () => {
  for (const scheme of ['Basic aHVudGVyMg==', 'GenieKey eb243592-faa2', 'token 0123456789abcdef']) {
    const text = BASE.replace(
      'allow: [editor]',
      () => `allow: [editor]\n      service_credential: { schemes: ["${scheme}"] }`,
    );
    const found = errorsOf(text, {}).join('\n');
    expect(found).toContain('is not the name of an authentication scheme');
    expect(found).not.toContain(scheme.split(' ')[1]);
  }
  const list = 'schemes: "[glsa_HOruNAb7SOiCdshU8algkrq7FD, basic]"';
  const text = BASE.replace('allow: [editor]', () => `allow: [editor]\n      service_credential: { ${list} }`);
  expect(errorsOf(text, {}).join('\n')).not.toContain('HOruNAb7');
});

const PEM = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg
-----END PRIVATE KEY-----`;
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl';

test.each([
  ['a private key', `|\n        ${PEM.replaceAll('\n', '\n        ')}\n      x: y`],
  ['a private key in one line', JSON.stringify(PEM)],
  ['a token', JWT],
  ['a token of a service', 'glsa_AbCdEfGhIjKlMnOpQrStUvWxYz012345_deadbeef'],
  ['random letters and digits', 'Zk9vQ2x1c3RlclNlY3JldEtleTEyMzQ1'],
])('%s in any place is not repeated', (_, secret) => {
  for (const place of [
    'group: editors',
    'first_role: { editor: Editor, staff: Staff }',
    'service: wiki\n      allow: [editor]',
  ]) {
    const key = place.split(':')[0];
    const text = BASE.replace(place, () => `${key}: ${secret}`);
    for (const error of errorsOf(text, {})) {
      for (const part of secret.split(/[\s."]+/).filter((it) => it.length > 20)) expect(error).not.toContain(part);
    }
  }
});

test('what people need to see stays: names, paths, issuers, and times', () => {
  const errors = [
    errorsOf(BASE.replace('/run/wiki/ca.pem', 'ca.pem'), {}),
    errorsOf(BASE.replace('[editor]', '[edtior]'), {}),
    errorsOf(`${BASE}gateway: { token_cache: 5x }\n`, {}),
    errorsOf(BASE.replace('https://example.okta.com/oauth2/default', 'ftp://example.okta.com/oauth2'), {}),
    errorsOf(URL_OF('https://wiki.internal:8443/people/@ann'), {}),
    errorsOf(BASE.replace('service: wiki', 'service: mailto:editors@example.com'), {}),
    errorsOf(BASE.replace('service: wiki', 'service: "Basic Authentication"'), {}),
    errorsOf(BASE.replace('service: wiki', 'service: "https://a.example.com/?tokens={reason}&design=new"'), {}),
  ].flat();
  for (const text of [
    ...[
      '"ca.pem"',
      '"edtior"',
      '"5x"',
      '"ftp://example.okta.com/oauth2"',
      '"https://wiki.internal:8443/people/@ann:8443"',
    ],
    ...[
      '"Basic Authentication"',
      '"mailto:editors@example.com"',
      '"https://a.example.com/?tokens={reason}&design=new"',
    ],
  ])
    expect(errors.join()).toContain(text);
});

test('a secret in place of its file: the error says where it belongs', () => {
  expect(errorsOf(CLIENT('{ id: wiki, secret: hunter2 }'), {})).toEqual([
    expect.stringMatching(
      /client\.secret: a policy contains no secrets; put it into a file, and write secret_file: \/run\/secrets\/NAME$/,
    ),
  ]);
});

test('the search in a text grows no faster than the text', () => {
  const texts = new Map(
    [12_500, 200_000].map((size) => [size, BASE.replace('group: editors', () => `group: "${'@'.repeat(size)}"`)]),
  );
  const search = (size: number) => errorsOf(texts.get(size) as string, {});
  expect(search(200_000)).toHaveLength(1);
  // Sixteen times the text. Without a bound, the search takes 256 times as long.
  expect(growth(search, 12_500, 200_000)).toBeLessThan(64);
});
