/**
 * Attempts to be accepted as a caller by the credential of a service, or to hide a bad credential of the gateway behind
 * one; and the lines that keep the two apart.
 */
import { describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  createKey,
  ready,
  Sealer,
  type Sent,
  startEcho,
  startIssuer,
  testStage,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { claimed, hiding } from '../unit/caller/hidden-tokens.ts';
import { inHosts, inHttp, inRoutes, startLab, trap } from './lab.ts';
import { reported } from './trap-fixture.ts';

const KEYS = '/run/secrets/session.jwks';
const HEADER = 'X-Gateway-Authorization';
const host = 'wiki.test';
const stage = await testStage('credentials of services');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const ring = newRing(Math.floor(Date.now() / 1000) - 7200);
const lab = await startLab(
  stage,
  `
version: 1
gateway: { insecure_http: true, listen: 8080, session: { keys_file: ${KEYS} }, credential_header: ${HEADER} }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem, client: { id: gateway } }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /staff/*: { service: wiki, service_credential: { schemes: [basic, token, oauth], bearer: [glsa_] }, allow: [staff] }
    /known/*: { service: wiki, service_credential: { schemes: [basic, token, oauth], bearer: opaque }, allow: [authenticated] }
    /open/*: { service: wiki, service_credential: { schemes: [basic, token, oauth], bearer: [glsa_] }, allow: [anyone] }
    /plain/*: { service: wiki, allow: [anyone] }
`,
  { [KEYS]: ring },
);
const { gateway } = lab;
const sealer = await Sealer.of(gateway.policy, ring);
const cookie = await sealer.cookie(host, sealer.session('acme', { sub: 'ada', groups: ['staff'] }));
const claims = { aud: 'wiki', sub: 'ada', groups: ['staff'] };
const good = await acme.sign(claims);
const mallory = await createKey('RS256', { kid: acme.key.jwk.kid as string });
const forged = await acme.sign(claims, { key: mallory });
const expired = await acme.sign({ ...claims, iat: 1_700_000_000, exp: 1_700_000_060 });
await ready(gateway, host, { path: '/staff/x', token: good });

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const basic = `Basic ${b64('ada:secret')}`;

/** Status, reason, and the requests that reached the service: `Authorization` and the caller that it was told of. */
async function attempt(sent: Sent): Promise<string> {
  await echo.clear();
  const answer = await gateway.send(host, sent);
  const reached = await echo.requests();
  const at = reached.map(
    (one) => `${valuesOf(one, 'Authorization').join()}|${valuesOf(one, 'X-Forwarded-User').join()}`,
  );
  return [reported(answer), ...at].join(' ');
}

test('a page of another origin does not send what the browser has cached for the service', async () => {
  const sent = (headers: Record<string, string>): Sent => ({
    method: 'POST',
    path: '/open/x',
    headers: { Authorization: basic, ...headers },
  });
  for (const headers of [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'null' }]) {
    expect(await attempt(sent(headers as Record<string, string>))).toBe('403 origin_refused');
  }
  expect(await attempt(sent({}))).toBe(`200 - ${basic}|`);
});

const with_ = (path: string, headers: Record<string, string>): Sent => ({ path, headers });

/** Odd spellings, which a service may read as a credential, and the gateway must not read as its own. */
const odd: readonly (readonly [string, string])[] = [
  ['two spaces', `Bearer  glsa_x`],
  ['a TAB', `Basic\t${b64('ada:secret')}`],
  ['a comma', `${basic}, Bearer ${good}`],
  ['a quoted token', `Bearer "${good}"`],
  ['another case', 'bEARER GLSA_x'],
  ['an empty token', 'Bearer '],
  ['only a scheme', 'Basic'],
  ['a Kerberos ticket', `Negotiate ${b64('ticket')}`],
  ['NTLM', `NTLM ${b64('NTLMSSP')}`],
  ['Digest', 'Digest username="ada", realm="wiki"'],
  ['a word of the gateway', `query ${basic}`],
  ['a long one', `Token ${'x'.repeat(9000)}`],
];

describe('200 attempts', () => {
  const attempts: (readonly [name: string, sent: Sent, expected: RegExp])[] = [];

  // A service's credential is no caller: it is refused wherever a caller is needed.
  for (const [name, authorization] of claimed) {
    attempts.push([name, with_('/staff/x', { Authorization: authorization }), /^401 credential_missing$/]);
  }
  for (const [name, authorization] of claimed.filter((_, i) => i % 2 === 0)) {
    const forgedHeaders = {
      'X-Forwarded-User': 'ada',
      'X-Meshgate-User': 'ada',
      'X-Meshgate-Service-Credential': 'basic',
    };
    const sent = with_('/known/x', { Authorization: authorization, ...forgedHeaders });
    attempts.push([`${name}, with forged headers`, sent, /^401 credential_missing$/]);
  }
  for (const [name, authorization] of odd) {
    attempts.push([name, with_('/staff/x', { Authorization: authorization }), /^40[01] \w+$/]);
    const signedIn = with_('/open/x', { Authorization: authorization, Cookie: cookie });
    attempts.push([`${name}, with a session`, signedIn, /^40[01] \w+$/]);
  }
  // A bad credential of the gateway never falls through to a session or to anyone, and never reaches the service.
  for (const [what, bad] of [
    ['a forged token', forged],
    ['an expired token', expired],
    ['a good token', good],
  ] as const) {
    for (const [name, form] of hiding) {
      const sent = with_('/open/x', { Authorization: form(bad), Cookie: cookie });
      attempts.push([`${what} ${name}`, sent, /^401 (credential_unsupported|token_malformed)$/]);
    }
  }
  for (const [i, bad] of [forged, expired, 'x', 'glsa_x', `${good}, Bearer ${good}`, b64('ada:secret')].entries()) {
    const sent = with_('/open/x', { Authorization: basic, Cookie: cookie, [HEADER]: `Bearer ${bad}` });
    attempts.push([`beside it, token ${i}`, sent, /^40[01] (?!credential_missing)\w+$/]);
  }
  for (const [i, text] of [basic, 'Token x', good, 'Bearer', 'query x', `${basic}, Bearer ${good}`].entries()) {
    const sent = with_('/open/x', { Authorization: basic, Cookie: cookie, [HEADER]: text });
    attempts.push([`in the header of the policy, text ${i}`, sent, /^40[01] (?!credential_missing)\w+$/]);
  }

  test('there are enough of them', () => {
    expect(attempts.length).toBeGreaterThanOrEqual(200);
    expect(new Set(attempts.map(([name]) => name)).size).toBe(attempts.length);
  });

  test('all of them fail, and no log has a credential', async () => {
    const mark = await waitForWorkers(gateway, host);
    const wrong: string[] = [];
    for (const [name, sent, expected] of attempts) {
      const got = await attempt(sent);
      if (!expected.test(got)) wrong.push(`${name}: ${got}`);
    }
    expect(wrong).toEqual([]);
    const end = await waitForWorkers(gateway, host);
    const lines = gateway.box.logs.since(mark).slice(0, end - mark);
    const secrets = [b64('ada:secret'), good.split('.')[2]!, forged.split('.')[2]!, 'oauth_token'];
    expect(lines.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
    expect(lines.filter((line) => /"meshgate.service_credential":"[^"]/.test(line))).toEqual([]);
  });

  test('the same requests with what they lack pass, so the attempts are near', async () => {
    expect(await attempt(with_('/open/x', { Authorization: basic }))).toBe(`200 - ${basic}|`);
    expect(await attempt(with_('/staff/x', { Authorization: basic, Cookie: cookie }))).toBe(`200 - ${basic}|ada`);
    const beside = { Authorization: 'Bearer glsa_x', [HEADER]: `Bearer ${good}` };
    expect(await attempt(with_('/staff/x', beside))).toBe('200 - Bearer glsa_x|ada');
    expect(await attempt(with_('/plain/x', { Authorization: `Bearer ${good}` }))).toBe('200 - |ada');
  });
});

/** The check names another scheme than that of the header, as if it had read another header. */
const otherScheme = inHosts(
  /auth_request_set \$meshgate_service_credential \$upstream_http_x_meshgate_service_credential;/g,
  'auth_request_set $meshgate_service_credential basic;',
);

describe('the lines that keep them apart', () => {
  trap(lab, {
    name: 'the gateway’s token does not reach the service on a route that passes credentials on',
    without: inRoutes(
      'proxy_set_header Authorization $meshgate_authorization;',
      'proxy_set_header Authorization $http_authorization;',
    ),
    attack: async () => (await attempt(with_('/staff/x', { Authorization: `Bearer ${good}` }))).includes(good),
    held: false,
    open: true,
  });

  trap(lab, {
    name: 'if the check and the header disagree about the scheme, the service receives no header',
    around: otherScheme,
    without: inHttp(
      /"~\*\^\(\?<meshgate_scheme>.*\$http_authorization;/,
      'default $http_authorization;'.replace('default', '"~."'),
    ),
    attack: () => attempt(with_('/staff/x', { Authorization: `Bearer glsa_x`, Cookie: cookie })),
    held: '200 - |ada',
    open: '200 - Bearer glsa_x|ada',
  });

  trap(lab, {
    name: 'the header with the gateway’s token does not reach the service',
    without: inRoutes(/^ *proxy_set_header X-Gateway-Authorization "";\n/m),
    attack: async () => {
      await echo.clear();
      await gateway.send(host, with_('/plain/x', { [HEADER]: 'Bearer x' }));
      return (await echo.requests()).flatMap((one) => valuesOf(one, HEADER));
    },
    held: [],
    open: ['Bearer x'],
  });
});
