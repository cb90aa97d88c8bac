/** People sign out at the gateway, at the provider, and by the provider; and an operator revokes them by command. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { closed } from '../harness/closed.ts';
import {
  counting,
  expectCleanLog,
  MANY_SIGNINS,
  newAgent,
  readyToSignIn,
  startEcho,
  startGateway,
  startSso,
  testStage,
  type UserAgent,
  until,
  waitForWorkers,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const hosts = ['wiki.example.com', 'dash.example.com'] as const;
const [home, dash] = hosts.map((host) => `https://${host}:8443`) as [string, string];
const SIGNOUT = '/.meshgate/signout';

const policy = `
version: 1
gateway:
  public_port: 8443
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { ${MANY_SIGNINS} }
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    audiences: [api://wiki]
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups, offline_access] }
roles:
  staff: { group: staff }
headers: { X-Forwarded-User: subject }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff], accept: [session, bearer] }
    /events/*: { service: wiki, allow: [staff], accept: [session], proxy: { stream: true } }
  dash.example.com:
    /*: { service: wiki, allow: [staff], accept: [session] }
`;

const stage = await testStage('signout');
const [sso, gateway] = await Promise.all([
  startSso(stage, { origins: [home, dash] }),
  startGateway(stage, {
    policy,
    workers: 2,
    files: {
      '/run/secrets/sso': `${ssoSecret}\n`,
      '/run/secrets/session.jwks': newRing(Date.now() / 1000 - 7200),
      // As in the image, with shorter time-outs.
      '/etc/nginx/nginx.conf': readFileSync('nginx/nginx.conf', 'utf8').replace(
        /worker_shutdown_timeout \d+s/,
        'worker_shutdown_timeout 2s',
      ),
    },
  }),
  startEcho(stage, { alias: 'wiki' }),
]);

let mark = 0;
const expected: RegExp[] = [];

/** A person, by default Ada, with a session of each host, by one sign-in at the provider. */
async function signIn(person: string, agent = newAgent(stage)): Promise<UserAgent> {
  for (const origin of [home, dash]) {
    const page = await agent.visit(`${origin}/page`);
    const back = page.document.querySelector('#signin') === null ? page : await sso.signIn(agent, page, person);
    expect([back.status, back.url]).toEqual([200, `${origin}/page`]);
  }
  return agent;
}

const ask = async (agent: UserAgent, origin: string) =>
  (await agent.fetch(`${origin}/page`, { from: `${origin}/page` })).status;

const cookieOf = (agent: UserAgent, origin: string) =>
  agent.cookies(origin).find(({ key }) => key === '__Host-Http-meshgate')?.value;

/** A thief's copy of a browser's session. */
function copyOf(agent: UserAgent, origin: string): UserAgent {
  const copy = newAgent(stage);
  copy.setCookie(`__Host-Http-meshgate=${cookieOf(agent, origin)}; Path=/; Secure`, origin);
  return copy;
}

/** Begins to count the revocations that this gateway stores, by what they revoke. */
const revoking = () => counting(gateway, 'meshgate_revocations_total');

async function revoke(...flags: string[]): Promise<[code: number, reported: string]> {
  const { exitCode, stdout, stderr } = await gateway.box.exec('meshgate', 'revoke', ...flags);
  return [exitCode, stdout + stderr];
}

beforeAll(async () => {
  await readyToSignIn(stage, gateway, `${home}/page`, 'https://sso:8443');
  mark = await waitForWorkers(gateway, hosts[0]);
});

afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, hosts[0]);
  await expectCleanLog(gateway, since, expected.splice(0));
  expect(gateway.box.logs.since(since).join('\n')).not.toMatch(/eyJ[\w-]{10}|logout_token=/);
});

describe('signing out', () => {
  test('ends the session on every host and at the provider, and returns to a page that says so', async () => {
    const [sessions, revoked] = [await counting(gateway, 'meshgate_session_events_total'), await revoking()];
    const agent = await signIn('ada');
    const copies = [copyOf(agent, home), copyOf(agent, dash)];
    const asks = await agent.visit(home + SIGNOUT);
    expect([asks.status, await ask(agent, home)]).toEqual([200, 200]);
    const atProvider = await agent.submit(asks);
    expect(atProvider.url).toMatch(/^https:\/\/sso:8443\/session\/end\?id_token_hint=/);
    expect(cookieOf(agent, home)).toBeUndefined();
    expect(await ask(copies[0]!, home)).toBe(401);
    expect(await ask(copies[1]!, dash)).toBe(401);
    // One sign-out ends both, by one entry for the person.
    expect([await sessions(), await revoked()]).toEqual([{ started: 2, ended: 1 }, { out: 1 }]);
    const back = await sso.confirm(agent, atProvider);
    expect(back.url).toMatch(new RegExp(`^${home}${SIGNOUT}\\?state=`));
    expect([back.status, back.text.includes('signed out')]).toEqual([200, true]);
    const again = await agent.visit(`${home}/page`);
    expect(again.document.querySelector('#signin')).not.toBeNull();
  });

  test('by a form of another site has no effect', async () => {
    const agent = await signIn('ada');
    const form = { method: 'POST', body: new URLSearchParams(), from: 'https://evil.example/x' } as const;
    expect([303, 403]).toContain((await agent.visit(home + SIGNOUT, { ...form, follow: false })).status);
    expect((await agent.visit(home + SIGNOUT, { ...form, from: `${dash}/x`, follow: false })).status).toBe(403);
    expect(await ask(agent, home)).toBe(200);
  });
});

describe('the provider', () => {
  test('signs a person out of every host by its back channel', async () => {
    const agent = await signIn('ben');
    const revoked = await revoking();
    // The provider has the gateway's answer, and the gateway enforces the sign-out from then on.
    expect(await sso.signOut('ben')).toBeGreaterThan(0);
    expect([await ask(agent, home), await ask(agent, dash)]).toEqual([401, 401]);
    expect(await revoked()).toEqual({ out: 1 });
    const other = await signIn('ada');
    expect(await ask(other, home)).toBe(200);
  });

  test('rejects a form that is not valid, and a token of another kind', async () => {
    const path = '/.meshgate/backchannel';
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expected.push(/back-channel sign-out refused/);
    const refused = await counting(gateway, 'meshgate_signin_refusals_total');
    for (const body of ['', 'logout_token=x', `logout_token=${'x'.repeat(2000)}`]) {
      const answer = await gateway.send(hosts[0], { method: 'POST', path, headers, body });
      expect([answer.status, answer.header('Cache-Control'), answer.json().error]).toEqual([
        400,
        'no-store',
        'invalid_request',
      ]);
    }
    expect(await refused()).toEqual({ token_malformed: 1, issuer_unknown: 2 });
    expect([405, 404]).toContain((await gateway.send(hosts[0], { path })).status);
  });

  test('signs out in a frame only the session of that browser', async () => {
    const agent = await signIn('ada');
    const frame = (iss: string, sid: string) =>
      agent.visit(`${home}/.meshgate/frontchannel?${new URLSearchParams({ iss, sid })}`);
    for (const [iss, sid] of [
      [sso.issuer, 'another'],
      ['https://evil.example', 'another'],
    ] as const) {
      expect((await frame(iss, sid)).status).toBe(200);
    }
    expect(await ask(agent, home)).toBe(200);
  });
});

describe('meshgate revoke', () => {
  test('revokes a person’s sessions; the person may sign in again', async () => {
    const agent = await signIn('ada');
    expect(await revoke('--subject', 'sso/ada')).toEqual([
      0,
      'recorded: every credential with this name is rejected from now on\n',
    ]);
    expect([await ask(agent, home), await ask(agent, dash)]).toEqual([401, 401]);
    expect(await ask(await signIn('ada', agent), home)).toBe(200);
  });

  test('stays in force over a reload', async () => {
    const agent = await signIn('ben');
    const revoked = await revoking();
    await revoke('--subject', 'sso/ben');
    await gateway.reload();
    expected.push(/./);
    expect(await ask(agent, home)).toBe(401);
    expect(await revoked()).toEqual({ sub: 1 });
  });

  test('with --cut closes open streams', async () => {
    const agent = await signIn('ada');
    const { answer, socket } = await agent.webSocket(`wss://${hosts[0]}:8443/events/live`, { from: `${home}/page` });
    expect(answer.status).toBe(101);
    const cut = closed(socket!);
    expect(await revoke('--subject', 'sso/ada', '--cut')).toEqual([
      0,
      'recorded: every credential with this name is rejected from now on\nnginx reloads: all open connections, also of other people, end within its worker_shutdown_timeout\n',
    ]);
    await cut;
    // The workers from before the reload are told to end.
    await gateway.box.logs.waitFor(/gracefully shutting down/, mark);
    expected.push(/./);
  });

  test('refuses a provider that the policy does not have', async () => {
    const [code, reported] = await revoke('--subject', 'ssso/ada');
    expect([code, reported]).toEqual([1, 'refused: the policy has no provider "ssso", only sso, certificate\n']);
    expected.push(/a revocation is refused: .*the policy has no provider "ssso"/);
  });

  test('stays in force over a restart of nginx, as a sign-out does', async () => {
    const [gone, out, other] = [await signIn('ben'), await signIn('ada'), await signIn('ada')];
    const copy = copyOf(out, home);
    expect((await revoke('--subject', 'sso/ben'))[0]).toBe(0);
    expect((await out.submit(await out.visit(home + SIGNOUT))).url).toContain('/session/end');
    const all = async () => [await ask(gone, home), await ask(copy, home), await ask(other, home)];
    expect(await all()).toEqual([401, 401, 200]);
    await gateway.box.restart();
    await readyToSignIn(stage, gateway, `${home}/page`, 'https://sso:8443');
    // nginx finds the addresses of services after its start.
    expected.push(/no live upstreams while connecting to upstream/);
    await until(async () => (await ask(other, home)) === 200, { what: 'the service, through the gateway' });
    expect(await all()).toEqual([401, 401, 200]);
  });

  test('names its mistakes, and says if no gateway is there', async () => {
    const wrong = [2, 'meshgate: give one of --subject, --sid, --kid and --jti\n'];
    expect(await revoke('--sid', 'a', '--kid', 'b')).toEqual(wrong);
    expect((await revoke('--sid', 'a', '--state-dir', '/tmp'))[0]).toBe(2);
  });
});
