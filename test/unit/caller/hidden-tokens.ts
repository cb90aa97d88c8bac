/* Forms of the `Authorization` header by which a client could try to become a caller: credentials of services that
 * name a caller, and forms that hide a token of a provider, so that the gateway takes it for a credential of the
 * service. */

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const coded = (text: string): string => text.replace(/[.=]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);

/** The token with the payload in the other alphabet of base64, and padded. */
const standard = (token: string): string =>
  token
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/\.([^.]+)\./, padded);
const padded = (_: string, part: string): string => `.${part}${'='.repeat((4 - (part.length % 4)) % 4)}.`;

const percent = (text: string): string => text.replaceAll('.', '%2E');

/** The forms for a token, with the names of their schemes: `basic`, `token`, `oauth` and `bearer` with the prefix
 * `glsa_`. */
export const hiding: readonly (readonly [name: string, form: (token: string) => string])[] = [
  ['as another scheme', (t) => `Token ${t}`],
  ['as a parameter', (t) => `Token token="${t}"`],
  ['as a parameter without quotes', (t) => `Token token=${t}, realm=x`],
  ['after another token', (t) => `Token abc ${t}`],
  ['with text around it', (t) => `Token abc:${t}:def`],
  ['as a second credential', (t) => `Token abc, Bearer ${t}`],
  ['as a parameter of OAuth 1', (t) => `OAuth oauth_consumer_key="jira", oauth_token="${t}"`],
  ['as a parameter of OAuth 1, percent-encoded', (t) => `OAuth oauth_token="${coded(t)}", oauth_nonce="x"`],
  [
    'as a parameter of OAuth 1, percent-encoded twice',
    (t) => `OAuth oauth_token="${percent(t).replaceAll('%', '%25')}"`,
  ],
  ['as the password of Basic', (t) => `Basic ${base64(`ada:${t}`)}`],
  ['as the user of Basic', (t) => `Basic ${base64(`${t}:x`)}`],
  ['as the user and the password of Basic', (t) => `Basic ${base64(`${t}:${t}`)}`],
  ['as the password of Basic, in base64url', (t) => `Basic ${base64url(`ada:${t}`)}`],
  ['as the password of Basic, without padding', (t) => `Basic ${base64(`a:${t}`).replace(/=+$/, '')}`],
  ['as the password of Basic, encoded twice', (t) => `Basic ${base64(`ada:${base64(t)}`)}`],
  ['as the password of Basic, percent-encoded', (t) => `Basic ${base64(`ada:${percent(t)}`)}`],
  ['as JSON in Basic', (t) => `Basic ${base64(JSON.stringify({ token: t }))}`],
  ['as the parts of a JSON serialization', (t) => `Basic ${base64(JSON.stringify({ payload: t.split('.')[1] }))}`],
  ['as Bearer in Basic', (t) => `Basic ${base64(`Bearer ${t}`)}`],
  ['in the other alphabet', (t) => `Token ${standard(t)}`],
  ['in the other alphabet, in Basic', (t) => `Basic ${base64(`x:${standard(t)}`)}`],
  ['without its signature', (t) => `Token ${t.split('.').slice(0, 2).join('.')}.`],
  ['without its header', (t) => `Token .${t.split('.')[1]}.`],
  ['as its payload alone', (t) => `Token ${t.split('.')[1]}`],
  ['as its payload alone, in Basic', (t) => `Basic ${base64(`x:${t.split('.')[1]}`)}`],
  ['with a fourth part', (t) => `Token ${t}.x`],
  ['behind a prefix', (t) => `Bearer glsa_${t}`],
  ['behind a prefix and a dot', (t) => `Bearer glsa_.${t}`],
  ['behind a prefix, encoded', (t) => `Bearer glsa_${base64url(t)}`],
  ['behind a prefix, in the other alphabet', (t) => `Bearer glsa_${standard(t)}`],
  ['with junk in its payload', (t) => `Token ${t.replace(/\.(....)/, '.$1*')}`],
  ['with junk in its payload, in Basic', (t) => `Basic ${base64(`x:${t.replace(/\.(....)/, '.$1*!')}`)}`],
];

/** Names of people, roles, providers and services. */
const NAMES = ['ada', 'staff', 'admin', 'root', 'acme', 'gateway', 'default', 'anonymous', 'wiki', '*'];

/** Credentials of services that name a caller: `basic`, `token`, `oauth`, and `bearer` with the prefix `glsa_`. */
export const claimed: readonly (readonly [name: string, header: string])[] = [
  ...NAMES.map((name) => [`Basic of ${name}`, `Basic ${base64(`${name}:secret`)}`] as const),
  ...NAMES.map((name) => [`Basic of ${name} without a password`, `Basic ${base64(`${name}:`)}`] as const),
  ...NAMES.map((name) => [`a token with the name ${name}`, `Token ${name}`] as const),
  ...NAMES.map((name) => [`OAuth 1 of ${name}`, `OAuth oauth_consumer_key="${name}", oauth_token="${name}"`] as const),
  ...NAMES.map(
    (name) => [`a token of the prefix with the name ${name}`, `Bearer glsa_${name.replace('*', 'x')}`] as const,
  ),
];
