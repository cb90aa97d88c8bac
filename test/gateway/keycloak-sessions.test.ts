/** Sessions at a real Keycloak that rotates refresh tokens and accepts each once: renewal, and sign-out in both
 * directions. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  Memory,
  newAgent,
  readyToSignIn,
  Sealer,
  startEcho,
  startGateway,
  startKeycloak,
  testStage,
  type UserAgent,
  type Visited,
  waitForWorkers,
  withMemory,
} from '../harness/index.ts';
import { keycloakSecret, strictSecret } from '../harness/keycloak.ts';

const host = 'wiki.example.com';
const home = `https://${host}:8443`;
const strict = 'https://strict.example.com:8443';

const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  corp:
    issuer: https://keycloak:8443/realms/corp
    ca_file: /run/provider/ca.pem
    client: { id: wiki, secret_file: /run/secrets/corp }
    signin: { scopes: [openid, profile, email] }
  strict:
    issuer: https://keycloak:8443/realms/corp
    ca_file: /run/provider/ca.pem
    subject: { prefix: strict- }
    client: { id: wiki-strict, secret_file: /run/secrets/strict, auth: secret_jwt }
roles:
  staff: { any: [{ group: staff, provider: corp }, { group: staff, provider: strict }] }
  editor: { claim: realm_access.roles, has: editor, provider: corp }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    providers: [corp]
    /*: { service: wiki, allow: [staff] }
    /edit/*: { service: wiki, allow: [editor] }
  strict.example.com:
    providers: [strict]
    /*: { service: wiki, allow: [staff] }
`;

const stage = await testStage('keycloak-sessions');
const keycloak = await startKeycloak(stage, { origins: [home, strict], backchannel: `${home}/.meshgate/backchannel` });
const ring = newRing(Date.now() / 1000 - 7200);
const [gateway] = await Promise.all([
  startGateway(stage, {
    policy,
    workers: 2,
    mutate: withMemory,
    files: {
      '/run/secrets/corp': `${keycloakSecret}\n`,
      '/run/secrets/strict': `${strictSecret}\n`,
      '/run/secrets/session.jwks': ring,
    },
  }),
  startEcho(stage, { alias: 'wiki' }),
]);
const memory = new Memory(gateway, host);
const sealer = await Sealer.of(gateway.policy, ring);

async function signIn(person: string, agent = newAgent(stage)): Promise<UserAgent> {
  const page = await agent.visit(`${home}/page`);
  const back: Visited =
    page.document.querySelector('#kc-form-login') === null ? page : await keycloak.signIn(agent, page, person);
  expect([back.status, back.url]).toEqual([200, `${home}/page`]);
  return agent;
}

const ask = async (agent: UserAgent) => (await agent.fetch(`${home}/page`, { from: `${home}/page` })).status;

const many = (agent: UserAgent, count: number) => Promise.all(Array.from({ length: count }, () => ask(agent)));

/** Makes a session one that is past its fresh time. */
const makeStale = (agent: UserAgent) => sealer.age(memory.records, agent, home, -1);

beforeAll(() => readyToSignIn(stage, gateway, `${home}/page`, keycloak.issuer));

afterAll(async () => {
  await waitForWorkers(gateway);
  expect(gateway.box.logs.since(0).join('\n')).not.toMatch(/eyJ[\w-]{10}|refresh_token=/);
});

test('a client that signs with its secret, must push its requests and gets a signed UserInfo signs people in', async () => {
  const agent = newAgent(stage);
  const form = await agent.visit(`${strict}/page`);
  // Only Keycloak's error says that it requires pushed requests of this client.
  const requested = form.hops.map(({ url }) => url).filter((url) => url.includes('/openid-connect/auth?'));
  expect(requested.map((url) => new URL(url).searchParams.has('request_uri'))).toEqual([false, true]);
  const page = await keycloak.signIn(agent, form, 'ada');
  expect([page.url, page.status], page.text).toEqual([`${strict}/page`, 200]);
  // One person does not make the gateway believe this of the provider.
  expect(gateway.box.logs.since(0).join('\n')).not.toContain('accepts only pushed requests');
});

test('twenty requests past the fresh time refresh once, and once more after the next fresh time', async () => {
  const agent = await signIn('ada');
  for (let round = 0; round < 2; round++) {
    await makeStale(agent);
    const mark = keycloak.box.logs.mark();
    expect(await many(agent, 20)).toEqual(Array(20).fill(200));
    await keycloak.settle();
    expect(keycloak.events('REFRESH_TOKEN', mark)).toHaveLength(1);
    expect(keycloak.events('REFRESH_TOKEN_ERROR', mark)).toEqual([]);
  }
});

test('an administrator signs a person out: the next requests are refused, by the back channel', async () => {
  const agent = await signIn('ben');
  expect(await ask(agent)).toBe(200);
  const mark = keycloak.box.logs.mark();
  // Keycloak answers once it has called the back channel.
  await keycloak.signOut('ben');
  expect(await many(agent, 5)).toEqual(Array(5).fill(401));
  // The session was fresh, so the gateway did not ask the provider about it.
  await keycloak.settle();
  expect(keycloak.events('REFRESH_TOKEN', mark)).toEqual([]);
});

test('signing out ends the session at Keycloak too, and returns to the host', async () => {
  const agent = await signIn('ada');
  const before = (await keycloak.sessions('ada')).length;
  const asks = await agent.visit(`${home}/.meshgate/signout`);
  const back = await agent.submit(asks);
  expect(back.url).toMatch(new RegExp(`^${home}/.meshgate/signout\\?state=`));
  expect(back.text).toContain('signed out');
  expect((await keycloak.sessions('ada')).length).toBe(before - 1);
  expect(await ask(agent)).toBe(401);
});

test('a disabled person loses the session at the next refresh', async () => {
  const agent = await signIn('ada');
  await keycloak.enable('ada', false);
  await makeStale(agent);
  expect(await many(agent, 5)).toEqual(Array(5).fill(401));
  await keycloak.enable('ada', true);
});

/** The mapper of realm roles in the client scope that every client has by default. */
async function realmRoles() {
  const scopes: { id: string; name: string }[] = await keycloak.admin('GET', '/client-scopes');
  const at = `/client-scopes/${scopes.find(({ name }) => name === 'roles')?.id}/protocol-mappers/models`;
  const mappers: { id: string; name: string; config: Record<string, string> }[] = await keycloak.admin('GET', at);
  const mapper = mappers.find(({ name }) => name === 'realm roles')!;
  const addToIdToken = (on: boolean) =>
    keycloak.admin('PUT', `${at}/${mapper.id}`, {
      ...mapper,
      config: { ...mapper.config, 'id.token.claim': String(on) },
    });
  return { mapper, addToIdToken };
}

test('a sign-in at an unchanged Keycloak brings no realm roles; the 403 says so, and its help works', async () => {
  const { mapper, addToIdToken } = await realmRoles();
  expect(mapper.config['id.token.claim'] ?? 'false').toBe('false');
  const edit = async (agent: UserAgent) => agent.fetch(`${home}/edit/page`, { from: `${home}/page` });
  const refused = await edit(await signIn('ada'));
  expect([refused.status, refused.json().reason]).toEqual([403, 'role_missing']);
  expect(refused.json().detail).toMatch(/"realm_access\.roles".*mapper "realm roles": "Add to ID token"/);
  try {
    await addToIdToken(true);
    expect((await edit(await signIn('ada'))).status).toBe(200);
    // Ben's ID token has the claim now, and he has another role.
    const other = await edit(await signIn('ben'));
    expect([other.status, other.json().detail]).toEqual([403, expect.stringContaining('Ask the owner of the route')]);
  } finally {
    await addToIdToken(false);
  }
});
