/** Tokens that real providers bind to a key: Keycloak and oidc-provider, by DPoP and by a client certificate. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  createProofKey,
  gatewayCase,
  keycloakSecret,
  newAgent,
  send,
  signProof,
  startEcho,
  startGateway,
  startKeycloak,
  startSso,
  testStage,
  until,
  withProof,
} from '../harness/index.ts';
import { wikiResource } from '../services/shared/people.ts';

const stage = await testStage('bound-tokens');
const hosts = { keycloak: 'corp.example.com', 'oidc-provider': 'wiki.example.com' } as const;
const origin = 'https://wiki.example.com:8443';
const [keycloak, sso, wiki] = await Promise.all([
  // The tokens are made at once and used by all tests.
  startKeycloak(stage, { accessToken: 3600 }),
  startSso(stage, { origins: [origin], ttl: { AccessToken: 3600 } }),
  startEcho(stage, { alias: 'wiki' }),
]);
const gateway = await startGateway(stage, {
  // One CA signs for the clients of providers and gateway.
  files: { '/run/clients/ca.pem': stage.ca.cert },
  policy: `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key, client_ca_file: /run/clients/ca.pem }
  proof: { rate: 50/s }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  corp: { issuer: ${keycloak.issuer}, audiences: ["${wikiResource}"], ca_file: /run/provider/ca.pem, subject: { claim: sub, prefix: corp- } }
  sso: { issuer: ${sso.issuer}, client: { id: wiki, secret_file: /run/secrets/sso }, audiences: ["${wikiResource}"], ca_file: /run/provider/ca.pem, subject: { claim: sub, prefix: sso- } }
roles:
  staff: { any: [{ group: staff, provider: corp }, { group: staff, provider: sso }] }
  keyed: { all: [staff, { bound: dpop }] }
  certified: { all: [staff, { bound: certificate }] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${hosts.keycloak}:
    providers: [corp]
    /*: { service: wiki, allow: [staff] }
    /keyed/*: { service: wiki, allow: [keyed] }
    /certified/*: { service: wiki, allow: [certified] }
  ${hosts['oidc-provider']}:
    providers: [sso]
    /*: { service: wiki, allow: [staff] }
    /keyed/*: { service: wiki, allow: [keyed] }
    /certified/*: { service: wiki, allow: [certified] }
`,
});
const setup = { gateway, echoes: [wiki] };
const [key, thief] = await Promise.all([createProofKey(), createProofKey()]);
const [mine, other] = await Promise.all([
  stage.ca.client('spiffe://example.org/laptop'),
  stage.ca.client('spiffe://example.org/thief'),
]);
const thumbprint = createHash('sha256').update(new X509Certificate(mine.cert).raw).digest('base64url');

/** A person's token of Keycloak, for its client `wiki`. */
async function fromKeycloak(clientPem?: string): Promise<string> {
  const form = {
    ...{ grant_type: 'password', username: 'ada', password: 'ada', scope: 'openid' },
    ...{ client_id: 'wiki', client_secret: keycloakSecret },
  };
  const url = `${keycloak.issuer}/protocol/openid-connect/token`;
  const headers = clientPem === undefined ? { DPoP: await signProof(key, { method: 'POST', url }) } : {};
  const answer = await keycloak.post('token', form, clientPem, headers);
  expect(answer.status, answer.text).toBe(200);
  return answer.json().access_token;
}

/** The same of oidc-provider, by an authorization code. */
async function fromSso(clientPem?: string): Promise<string> {
  const client = clientPem === undefined ? 'wiki' : 'wiki-bound';
  const verifier = randomBytes(32).toString('base64url');
  const callback = `${origin}/.meshgate/callback`;
  const query = new URLSearchParams({
    ...{ client_id: client, response_type: 'code', scope: 'openid', redirect_uri: callback, state: 's' },
    ...{ code_challenge_method: 'S256', resource: wikiResource },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const at = /\/\.meshgate\/callback/;
  const agent = newAgent(stage);
  const form = await agent.visit(`${sso.issuer}/auth?${query}`, { until: at });
  const { location } = await sso.signIn(agent, form, 'ada', { until: at });
  const code = new URL(location!).searchParams.get('code')!;
  const grant = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier };
  const proof = await signProof(key, { method: 'POST', url: `${sso.issuer}/token` });
  const shown = clientPem === undefined ? { proof } : { clientPem };
  const answer = await sso.post('/token', { ...grant, resource: wikiResource }, { client, ...shown });
  expect(answer.status, answer.text).toBe(200);
  return answer.json().access_token;
}

const keyed = { keycloak: await fromKeycloak(), 'oidc-provider': await fromSso() };
// Keycloak has a switch for this, for each client.
const [client] = await keycloak.admin('GET', '/clients?clientId=wiki');
await keycloak.admin('PUT', `/clients/${client.id}`, {
  ...client,
  attributes: { ...client.attributes, 'tls.client.certificate.bound.access.tokens': 'true' },
});
const certified = { keycloak: await fromKeycloak(mine.pem), 'oidc-provider': await fromSso(mine.pem) };

async function proved(host: string, token: string, path: string, signer = key) {
  const proof = await signProof(signer, { url: `https://${host}${path}`, token });
  return { path, headers: withProof(token, proof) };
}

beforeAll(() =>
  Promise.all(
    Object.entries(hosts).map(([provider, host]) =>
      // A proof is valid for one request.
      until(
        async () => {
          const sent = await proved(host, keyed[provider as keyof typeof keyed], '/');
          return (await gateway.send(host, sent)).status === 200;
        },
        { what: `the keys of ${provider} at the gateway`, help: () => gateway.box.logs.tail() },
      ),
    ),
  ),
);

describe.each(Object.entries(hosts))('of %s', (provider, host) => {
  const token = keyed[provider as keyof typeof keyed];
  const ofCertificate = certified[provider as keyof typeof certified];

  test('a token that is bound to a DPoP key passes once with each proof', async () => {
    expect(decodeJwt(token).cnf).toMatchObject({ jkt: key.jkt });
    const sent = await proved(host, token, '/keyed/page');
    const answer = await gateway.send(host, sent);
    expect(answer.status, answer.text).toBe(200);
    const again = await gateway.send(host, sent);
    expect(again.json()).toMatchObject({ status: 401, reason: 'proof_replayed' });
  });

  test('a token that is bound to a DPoP key is refused without a proof', async () => {
    expect((await gateway.send(host, { token })).json()).toMatchObject({ status: 401, reason: 'proof_missing' });
    const stolen = await gateway.send(host, await proved(host, token, '/page', thief));
    expect(stolen.json()).toMatchObject({ status: 401, reason: 'proof_invalid' });
    const elsewhere = await proved('other.example.com', token, '/page');
    expect((await gateway.send(host, elsewhere)).json()).toMatchObject({ status: 401, reason: 'proof_invalid' });
  });

  test('a token that is bound to a certificate names its thumbprint', () => {
    expect(decodeJwt(ofCertificate).cnf).toMatchObject({ 'x5t#S256': thumbprint });
  });

  gatewayCase(setup, {
    name: 'a token that is bound to a certificate passes over its connection',
    host,
    client: mine.pem,
    request: { path: '/certified/page', token: ofCertificate },
    status: 200,
    upstream: { absent: ['Authorization', 'SSL-Client-Cert'] },
  });

  gatewayCase(setup, {
    name: 'over HTTP/2 too',
    host,
    over: 'http2',
    client: mine.pem,
    request: { path: '/certified/page', token: ofCertificate },
    status: 200,
  });

  gatewayCase(setup, {
    name: 'a token that is bound to a certificate is refused over a connection without one',
    host,
    request: { token: ofCertificate, headers: { 'SSL-Client-Cert': encodeURIComponent(mine.cert) } },
    status: 401,
    reason: 'proof_missing',
    answer: { 'WWW-Authenticate': /^Bearer .*error="invalid_token"/ },
  });

  gatewayCase(setup, {
    name: 'a token that is bound to a certificate is refused over a connection with another one',
    host,
    client: other.pem,
    request: { token: ofCertificate },
    status: 401,
    reason: 'proof_invalid',
    answer: { 'WWW-Authenticate': /^Bearer .*error="invalid_token"/ },
  });

  test('a proof does not replace the certificate, and the certificate does not replace a proof', async () => {
    const at = gateway.target(host, mine.pem);
    expect((await send(at, { token })).json()).toMatchObject({ reason: 'proof_missing' });
    const wrong = await send(at, await proved(host, ofCertificate, '/page'));
    expect(wrong.json()).toMatchObject({ status: 401, reason: 'proof_invalid' });
    const keyless = await send(at, { path: '/keyed/page', token: ofCertificate });
    expect(keyless.json()).toMatchObject({ status: 403, reason: 'role_missing' });
  });
});

test('whoami describes a bound token only to a client that proves its key', async () => {
  const host = hosts['oidc-provider'];
  const path = '/.meshgate/whoami';
  const sent = await proved(host, keyed['oidc-provider'], path);
  const answer = await gateway.send(host, sent);
  expect(answer.json()).toMatchObject({ subject: 'sso-ada', credential: 'bearer', roles: ['staff', 'keyed'] });
  expect((await gateway.send(host, sent)).json()).toMatchObject({ status: 401, reason: 'proof_replayed' });
  const elsewhere = { ...(await proved(host, keyed['oidc-provider'], '/page')), path };
  expect((await gateway.send(host, elsewhere)).json()).toMatchObject({ status: 401, reason: 'proof_invalid' });
  const ofCertificate = { path, token: certified['oidc-provider'] };
  expect((await gateway.send(host, ofCertificate)).json()).toMatchObject({ status: 401, reason: 'proof_missing' });
  const shown = await send(gateway.target(host, mine.pem), ofCertificate);
  expect(shown.json()).toMatchObject({ subject: 'sso-ada', roles: ['staff', 'certified'] });
});
