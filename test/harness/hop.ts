import { decodeJwt, type JWTPayload } from 'jose';
import { expect } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import { signAssertion } from '../../src/assertion/sign.ts';
import { readSigningKeys } from '../../src/assertion/signing-keys.ts';
import { testStage } from './case.ts';
import { startEnvoy } from './envoy.ts';
import { startGateway } from './gateway.ts';
import { type Sent, send } from './http.ts';
import { startIssuer } from './issuer.ts';
import { ready } from './ready.ts';
import { type Echo, startEcho, valuesOf } from './services.ts';

export const KEYS = '/run/keys/assertion.jwks';
const JWKS = '/run/ingress/jwks.json';
export const ISSUER = 'https://gateway.test';
/** The SPIFFE id of a service. */
export const spiffe = (name: string) => `spiffe://example.org/ns/${name}/sa/${name}`;

const policyOf = (issuer: string): string => `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  clock_skew: 1s
  health: { listen: 8081 }
  assertion: { issuer: ${ISSUER}, keys_file: ${KEYS}, lifetime: 10m }
  inner: { client_ca_file: /run/inner/services.pem, tls: { cert_file: /run/inner/tls.crt, key_file: /run/inner/tls.key } }
providers:
  acme: { issuer: ${issuer}, audiences: [wiki], ca_file: /run/provider/ca.pem, subject: { prefix: acme- } }
roles:
  staff: { group: staff }
  admin: { group: admins }
agents:
  wiki-pages: { match: { service: wiki }, acts_for: [staff] }
  board-jobs: { match: { service: board }, acts_for: [staff, admin], hops: 2 }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress:
    address: ingress:8443
    server_name: ingress.mesh
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/ingress/tls.crt, key_file: /run/ingress/tls.key, client_ca_file: /run/ingress/ca.pem, listen: 8443, assertion_jwks_file: ${JWKS} }
  identities:
    default: { spiffe: ${spiffe('gateway')}, pem_file: /run/mesh/gateway.pem }
services:
  wiki: { authority: wiki.mesh, endpoint: "wiki:8080", spiffe: ${spiffe('wiki')} }
  board: { authority: board.mesh, endpoint: "board:8080", spiffe: ${spiffe('board')} }
  vault: { authority: vault.mesh, endpoint: "vault:8080" }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Email: email
  X-Forwarded-Roles: roles
  X-Forwarded-Actor: actor
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff, admin, { agent: board-jobs, methods: [GET] }] }
    /quiet/*: { service: wiki, allow: [staff], headers: { X-Forwarded-Email: null } }
  board.test:
    /*: { service: board, allow: [{ role: staff, methods: [GET] }, admin, { agent: wiki-pages, methods: [GET, POST] }] }
    /admin/*: { service: board, allow: [staff, admin] }
    /few/*: { service: board, allow: [staff, { agent: wiki-pages }], limit: { rate: 3/h } }
  vault.test:
    /*: { service: vault, allow: [staff, { agent: board-jobs, methods: [GET] }] }
  plain.test:
    /*: { service: vault, allow: [anyone] }
`;

/**
 * Three services behind the mesh ingress, two of them agents; a person with a role that travels and one that does not;
 * and the assertions that the services received for her.
 */
export async function startHopLab(name: string) {
  const stage = await testStage(name);
  const [wiki, board, vault, issuers] = await Promise.all([
    startEcho(stage, { alias: 'wiki' }),
    startEcho(stage, { alias: 'board' }),
    startEcho(stage, { alias: 'vault' }),
    startIssuer(stage),
  ]);
  const acme = await issuers.create('acme', { alg: 'ES256' });
  const policy = policyOf(acme.url);
  const keyFile = await newSigningKeys(Date.now() / 1000);
  const keys = await readSigningKeys(keyFile);
  if (typeof keys === 'string') throw new Error(keys);
  const [envoy, gateway] = await Promise.all([
    startEnvoy(stage, { policy, files: { [JWKS]: keys.published } }),
    startGateway(stage, { policy, files: { [KEYS]: keyFile } }),
  ]);
  const setup = { gateway, echoes: [wiki, board, vault] };
  const [ofWiki, ofBoard, ofKeyring, ofGateway] = (
    await Promise.all(['wiki', 'board', 'vault', 'gateway'].map((name) => stage.meshCa.client(spiffe(name))))
  ).map(({ pem }) => pem) as [string, string, string, string];
  const ann = await acme.sign({
    ...{ aud: 'wiki', sub: 'ann', groups: ['staff', 'admins'] },
    ...{ email: 'ann@example.org', email_verified: true },
  });

  await ready(gateway, 'wiki.test', { token: ann });

  /** The only assertion that a service received with the request that `send` sends. */
  async function received(echo: Echo, ask: () => Promise<{ readonly status: number }>): Promise<string> {
    await echo.clear();
    expect((await ask()).status).toBe(200);
    const values = valuesOf((await echo.requests())[0]!, 'X-Meshgate-Assertion');
    expect(values).toHaveLength(1);
    return values[0]!;
  }

  const hop = (host: string, pem: string, assertion: string, more: Sent = {}) =>
    send(gateway.inner(host, pem), query(assertion, more));

  const given = await received(wiki, () => gateway.send('wiki.test', { path: '/page', token: ann }));
  const quiet = await received(wiki, () => gateway.send('wiki.test', { path: '/quiet/page', token: ann }));
  const toBoard = await received(board, () => hop('board.test', ofWiki, given));

  async function changed(changes: JWTPayload): Promise<string> {
    const made = await signAssertion(keys as Exclude<typeof keys, string>, { ...decodeJwt(given), ...changes });
    if (!made.ok) throw new Error(made.detail);
    return made.value;
  }
  const svids = { ofWiki, ofBoard, ofVault: ofKeyring, ofGateway };
  return {
    ...{ stage, acme, envoy, gateway, setup, wiki, board, vault, ann, keys, given, quiet, toBoard },
    ...svids,
    received,
    hop,
    changed,
  };
}

/** The headers of a service that calls another one. */
export const query = (assertion: string, more: Sent = {}): Sent => ({
  ...more,
  headers: { 'X-Meshgate-Assertion': assertion, ...(more.headers as Record<string, string> | undefined) },
});

/** A part of an assertion or a certificate that occurs nowhere else. */
export const secret = (text: string) =>
  new RegExp(text.trim().split(/[.\n]/).at(-1)!.slice(-40).replace(/[+/]/g, '\\$&'));
const certificateOf = (pem: string) => secret(pem.slice(0, pem.indexOf('\n-----END')));
/** Texts that no log line may have. */
export const hidden = (pem: string, ...assertions: string[]) => ({
  forbidden: [...assertions.map(secret), ...(pem === '' ? [] : [certificateOf(pem)]), /BEGIN/],
});
