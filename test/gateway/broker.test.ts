/** People without OpenID: a broker (Keycloak) in front of a real directory (OpenLDAP) and of a provider of SAML. */
import { beforeAll, expect, test } from 'vitest';
import {
  ldapParts,
  newAgent,
  readyToSignIn,
  samlParts,
  samlRealm,
  startEcho,
  startGateway,
  startKeycloak,
  startLdap,
  testStage,
  type UserAgent,
  type Visited,
  valuesOf,
} from '../harness/index.ts';
import { keycloakSecret } from '../harness/keycloak.ts';

const hosts = ['wiki.example.com', 'partners.example.com'] as const;
const [home, partners] = hosts.map((host) => `https://${host}:8443`) as [string, string];
const corp = 'https://keycloak:8443/realms/corp';
const other = 'https://keycloak:8443/realms/partners';

const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  directory:
    issuer: ${corp}
    ca_file: /run/provider/ca.pem
    timeout: 10s # a busy machine
    client: { id: wiki, secret_file: /run/secrets/client }
    subject: { prefix: corp- }
  saml:
    issuer: ${corp}
    ca_file: /run/provider/ca.pem
    timeout: 10s # a busy machine
    client: { id: wiki, secret_file: /run/secrets/client }
    subject: { prefix: partner- }
    signin: { parameters: { kc_idp_hint: saml } }
roles:
  staff: { any: [ { group: engineers, provider: directory }, { group: staff, provider: saml } ] }
headers: { X-Forwarded-Email: email, X-Forwarded-Groups: groups }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${hosts[0]}: { providers: [directory], /*: { service: wiki, allow: [staff] } }
  ${hosts[1]}: { providers: [saml], /*: { service: wiki, allow: [staff] } }
`;

const stage = await testStage('broker');
await startLdap(
  stage,
  [
    { uid: 'lin', name: 'Lin Directory', mail: 'lin@example.com' },
    { uid: 'max', name: 'Max Directory', mail: 'max@example.com' },
  ],
  { engineers: ['lin'], others: ['max'] },
);
const [keycloak, wiki, gateway] = await Promise.all([
  startKeycloak(stage, {
    origins: [home, partners],
    parts: { ...ldapParts, ...samlParts(corp, other, 'staff') },
    realms: {
      partners: samlRealm(corp, [
        { id: 'grace', name: 'Grace Partner', email: 'grace@partner.example', groups: ['staff'] },
        { id: 'hal', name: 'Hal Partner', email: 'hal@partner.example', groups: ['nothing'] },
      ]),
    },
  }),
  startEcho(stage, { alias: 'wiki' }),
  startGateway(stage, { policy, files: { '/run/secrets/client': keycloakSecret } }),
]);

beforeAll(() => readyToSignIn(stage, gateway, `${home}/page`, corp));

/** Submits the pages by which providers of SAML send a browser on; they do it by a script. */
async function onwards(agent: UserAgent, page: Visited): Promise<Visited> {
  let now = page;
  while (now.document.querySelector('input[name=SAMLResponse]') !== null) now = await agent.submit(now, {});
  return now;
}

async function signIn(url: string, person: string): Promise<Visited> {
  const agent = newAgent(stage);
  const form = await agent.visit(`${url}/page`);
  return onwards(agent, await keycloak.signIn(agent, form, person));
}

const received = async () => {
  const request = (await wiki.requests()).at(-1)!;
  return [valuesOf(request, 'X-Forwarded-Email'), valuesOf(request, 'X-Forwarded-Groups')];
};

test('a person of the directory signs in with the groups of the directory, and a verified address', async () => {
  const page = await signIn(home, 'lin');
  expect([page.url, page.status], page.text).toEqual([`${home}/page`, 200]);
  expect(await received()).toEqual([['lin@example.com'], ['engineers']]);
});

test('a person of the directory without the group is refused', async () => {
  expect((await signIn(home, 'max')).status).toBe(403);
});

test('a person of the provider of SAML goes straight there, and comes back with the groups of the assertion', async () => {
  const agent = newAgent(stage);
  const form = await agent.visit(`${partners}/page`);
  expect(form.url).toContain('/realms/partners/');
  const page = await onwards(agent, await keycloak.signIn(agent, form, 'grace'));
  expect([page.url, page.status], page.text).toEqual([`${partners}/page`, 200]);
  expect(await received()).toEqual([['grace@partner.example'], ['staff']]);
});

test('a person of the provider of SAML without the group is refused', async () => {
  expect((await signIn(partners, 'hal')).status).toBe(403);
});
