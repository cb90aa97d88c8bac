/** Two roles that share one identity: the ingress distinguishes them by the assertion, and refuses combinations that do
 * not belong together. */
import { decodeJwt, type JWTPayload } from 'jose';
import { describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import { signAssertion } from '../../src/assertion/sign.ts';
import { readSigningKeys } from '../../src/assertion/signing-keys.ts';
import {
  createKey,
  type Sent,
  signToken,
  startEcho,
  startEnvoy,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
} from '../harness/index.ts';

const KEYS = '/run/keys/assertion.jwks';
const JWKS = '/run/ingress/jwks.json';
const spiffe = (name: string) => `spiffe://example.org/ns/edge/sa/${name}`;

const stage = await testStage('mesh assertion');
const [wiki, issuers] = await Promise.all([
  startEcho(stage, { alias: 'wiki', aliases: ['dashboard'] }),
  startIssuer(stage),
]);
const acme = await issuers.create('acme', { alg: 'ES256' });
const policy = `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  clock_skew: 1s
  assertion: { issuer: "https://gateway.test", keys_file: ${KEYS}, lifetime: 10m }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  reader: { group: readers }
  editor: { group: editors }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress:
    address: ingress:8443
    server_name: ingress.mesh
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/ingress/tls.crt, key_file: /run/ingress/tls.key, client_ca_file: /run/ingress/ca.pem, listen: 8443, assertion_jwks_file: ${JWKS} }
  identities:
    default: { spiffe: "${spiffe('gateway')}", pem_file: /run/mesh/default.pem }
    audit: { spiffe: "${spiffe('audit')}", pem_file: /run/mesh/audit.pem }
services:
  wiki: { authority: wiki.mesh, endpoint: "wiki:8080" }
  dashboard: { authority: dashboard.mesh, endpoint: "dashboard:8080" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, editor] }
    /audit: { service: wiki, allow: [{ role: editor, as: audit }] }
    /me: { service: wiki, allow: [authenticated] }
    /open: { service: wiki, allow: [anyone] }
    /dashboard: { service: dashboard, allow: [authenticated] }
`;
const keyFile = await newSigningKeys(Date.now() / 1000);
const keys = await readSigningKeys(keyFile);
if (typeof keys === 'string') throw new Error(keys);
const [envoy, gateway] = await Promise.all([
  startEnvoy(stage, { policy, files: { [JWKS]: keys.published } }),
  startGateway(stage, { policy, files: { [KEYS]: keyFile } }),
]);
const [own, audit] = await Promise.all(['gateway', 'audit'].map((name) => stage.meshCa.client(spiffe(name))));
const tokens = {
  reader: await acme.sign({ aud: 'wiki', sub: 'ben', groups: ['readers'] }),
  editor: await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['editors'] }),
  roleless: await acme.sign({ aud: 'wiki', sub: 'cleo' }),
};

/** Through the gateway. */
async function requested(token: string, sent: Sent): Promise<number> {
  return (await gateway.send('wiki.test', { token, ...sent })).status;
}

/**
 * The assertion that the gateway sends with a request, once the road works, which each identity and service has of its
 * own.
 */
async function assertionOf(token: string, path: string): Promise<string> {
  await until(
    async () => {
      await wiki.clear();
      return (await requested(token, { path })) === 200;
    },
    {
      what: `the road to ${path}`,
      help: () => gateway.box.logs.tail() + envoy.box.logs.tail(),
    },
  );
  return valuesOf((await wiki.requests())[0]!, 'X-Meshgate-Assertion')[0]!;
}

const reader = await assertionOf(tokens.reader, '/x');
const editor = await assertionOf(tokens.editor, '/x');
const auditor = await assertionOf(tokens.editor, '/audit');
const roleless = await assertionOf(tokens.roleless, '/me');
const elsewhere = await assertionOf(tokens.editor, '/dashboard');

async function changed(changes: JWTPayload): Promise<string> {
  const made = await signAssertion(keys as Exclude<typeof keys, string>, { ...decodeJwt(editor), ...changes });
  if (!made.ok) throw new Error(made.detail);
  return made.value;
}
const now = Math.floor(Date.now() / 1000);
const stranger = await createKey('ES256', { kid: keys.kid });
const [expired, foreign, oneRole] = await Promise.all([
  changed({ iat: now - 700, exp: now - 100 }),
  changed({ iss: 'https://evil.test' }),
  changed({ roles: 'editor' }),
]);
const forged = await signToken(stranger, { ...decodeJwt(editor) }, { header: { typ: 'meshgate+jwt' } });

test('through the gateway each role may do what the policy says', async () => {
  expect(await requested(tokens.reader, { path: '/x' })).toBe(200);
  expect(await requested(tokens.reader, { method: 'POST', path: '/x' })).toBe(403);
  expect(await requested(tokens.editor, { method: 'POST', path: '/x' })).toBe(200);
  expect(await requested(tokens.editor, { method: 'POST', path: '/audit' })).toBe(200);
  expect((await gateway.send('wiki.test', { path: '/open' })).status).toBe(200);
});

describe('straight to the ingress', () => {
  const cases: readonly (readonly [string, string, string, string | undefined, boolean, number])[] = [
    ['an editor writes', 'POST', '/x', editor, false, 200],
    ['a reader reads', 'GET', '/x', reader, false, 200],
    ['a reader does not write, over the same identity', 'POST', '/x', reader, false, 403],
    ['an authenticated caller without a role does not read', 'GET', '/x', roleless, false, 403],
    ['an authenticated caller without a role is authenticated', 'GET', '/me', roleless, false, 200],
    ['an anonymous caller is not authenticated', 'GET', '/me', undefined, false, 403],
    ['an anonymous caller reads what is open', 'GET', '/open', undefined, false, 200],
    ['the identity alone does not write', 'POST', '/x', undefined, false, 403],
    ['an assertion for another identity is refused with this one', 'POST', '/audit', editor, true, 403],
    ['an assertion for the identity passes', 'POST', '/audit', auditor, true, 200],
    ['and is refused with another', 'POST', '/x', auditor, false, 403],
    ['one of another service', 'POST', '/x', elsewhere, false, 403],
    ['an expired one', 'POST', '/x', expired, false, 401],
    ['one of another issuer', 'POST', '/x', foreign, false, 401],
    ['one of another key', 'POST', '/x', forged, false, 401],
    ['a role as text is not a list of roles', 'POST', '/x', oneRole, false, 403],
    ['no assertion at all', 'POST', '/x', 'x', false, 401],
  ];

  test.each(cases)('%s', async (_, method, path, assertion, asAudit, status) => {
    const headers: [string, string][] = assertion === undefined ? [] : [['X-Meshgate-Assertion', assertion]];
    const answer = await envoy.send((asAudit ? audit : own)!.pem, 'wiki.mesh', { method, path, headers });
    expect(answer.status).toBe(status);
  });
});
