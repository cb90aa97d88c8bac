/**
 * A person's browser brings the answer to a sign-in that an attacker began, and nginx refuses the request before the
 * JavaScript of the sign-in runs. The attacker then knows the URL, for example from a service of the same host that
 * reads the address of its window. It must not sign the attacker in.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Navigation,
  newAgent,
  readyToSignIn,
  startEcho,
  startGateway,
  startSso,
  testStage,
  type UserAgent,
  until,
  type Visited,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const origin = (host: string) => `https://${host}:8443`;
const [ONE, OTHER, AUTH] = ['wiki.example.com', 'dash.example.net', 'auth.example.org'];

const policyOf = (host: string, signin = '') => `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { limit: { rate: 2/s, burst: 10 }${signin} }
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/sso }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}: { /*: { service: wiki, allow: [staff] } }
`;

const stage = await testStage('refused-answers');
const files = { '/run/secrets/sso': ssoSecret };
const [one, other, sso] = await Promise.all([
  startGateway(stage, { policy: policyOf(ONE), files }),
  startGateway(stage, { alias: 'second', policy: policyOf(OTHER, `, host: ${AUTH}`), files }),
  startSso(stage, { origins: [origin(ONE), origin(AUTH)] }),
  startEcho(stage, { alias: 'wiki' }),
]);

beforeAll(async () => {
  await readyToSignIn(stage, one, `${origin(ONE)}/`, sso.issuer);
  await readyToSignIn(stage, other, `${origin(OTHER)}/`, sso.issuer);
});

const hasSession = (agent: UserAgent, home: string): boolean =>
  agent.cookies(home).some(({ key }) => key === '__Host-Http-meshgate');

/** Sends a request until the limit lets it pass. */
async function past(agent: UserAgent, url: string, wish: Navigation = {}): Promise<Visited> {
  const answers: Visited[] = [];
  const requested = async () => {
    answers[0] = await agent.visit(url, { follow: false, ...wish });
    return answers[0].status !== 429;
  };
  await until(requested, { what: 'a request that the limit lets pass' });
  return answers[0]!;
}

/** Follows redirects one by one to the sign-in form of the provider. */
async function begin(agent: UserAgent, home: string): Promise<string> {
  let url = `${home}/page`;
  while (!url.startsWith(sso.issuer)) url = (await past(agent, url)).location!;
  return url;
}

/** Uses up the limit of the address, as a page of any site can do in a browser. */
async function exhaust(home: string): Promise<void> {
  const agent = newAgent(stage);
  const send = () => agent.visit(`${home}/.meshgate/signout`, { follow: false });
  await until(async () => (await Promise.all([...Array(20)].map(send))).at(-1)?.status === 429, { what: 'status 429' });
}

/** Repeats an attempt from its beginning until the limit of the address has refused the request that it ends with. On a busy
 * machine, the limit may let that one pass. */
const limited = <T extends { readonly refused: Visited }>(attempt: () => Promise<T>): Promise<T> =>
  until(
    async () => {
      const tried = await attempt();
      return tried.refused.status === 429 && tried;
    },
    { what: 'a request that the limit refuses' },
  );

const HUGE = { Cookie: `a=${'x'.repeat(40_000)}` };
const framed = { 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Site': 'same-origin' };

/** Ways in which nginx refuses a request: whether a limit is used up, the request, and the status. */
const ways: readonly (readonly [string, boolean, Navigation, number])[] = [
  ['a limit', true, {}, 429],
  ['a limit, in a frame', true, { headers: framed }, 429],
  ['a limit, ahead of time', true, { purpose: 'prefetch;prerender' }, 429],
  ['a limit, with HEAD', true, { method: 'HEAD' }, 429],
  ['cookies that are too long', false, { headers: HUGE }, 400],
  ['cookies that are too long, in a frame', false, { headers: { ...framed, ...HUGE } }, 400],
  ['another method', false, { method: 'POST', body: new URLSearchParams() }, 405],
];

describe.each([
  ['a code', ONE, ONE],
  ['a code at the sign-in host', OTHER, AUTH],
])('%s', (_, host, at) => {
  const home = origin(host);

  /** The URL with the code that a person's browser receives for an attempt of the attacker. */
  const stolenFrom = async (attacker: UserAgent, victim: UserAgent): Promise<string> => {
    const page = await victim.visit(await begin(attacker, home));
    return (await sso.signIn(victim, page, 'ada', { until: /\/\.meshgate\/callback/ })).location!;
  };

  test.each(ways)('is used up by a request that nginx refuses: %s', async (__, limit, wish, status) => {
    const attempt = async () => {
      const [attacker, victim] = [newAgent(stage), newAgent(stage)];
      const callback = await stolenFrom(attacker, victim);
      if (limit) await exhaust(origin(at));
      const refused = await (limit ? victim.visit(callback, { follow: false, ...wish }) : past(victim, callback, wish));
      return { attacker, callback, refused };
    };
    const { attacker, callback, refused } = await (limit ? limited(attempt) : attempt());
    expect(refused.status).toBe(status);
    const done = await past(attacker, callback);
    expect([done.status, done.text.includes('attempt_unknown')]).toEqual([400, true]);
    expect(hasSession(attacker, home)).toBe(false);
  });

  test('is used up whatever state is beside it', async () => {
    const { attacker, callback } = await limited(async () => {
      const [attacker, victim] = [newAgent(stage), newAgent(stage)];
      const callback = await stolenFrom(attacker, victim);
      await exhaust(origin(at));
      const shown = new URL(callback);
      shown.searchParams.set('state', 'another');
      return { attacker, callback, refused: await victim.visit(shown.href, { follow: false }) };
    });
    expect((await past(attacker, callback)).status).toBe(400);
    expect(hasSession(attacker, home)).toBe(false);
  });

  test('stays valid in the browser that began', async () => {
    const { person, callback } = await limited(async () => {
      const person = newAgent(stage);
      const callback = await stolenFrom(person, person);
      await exhaust(origin(at));
      return { person, callback, refused: await person.visit(callback, { follow: false }) };
    });
    let page = await past(person, callback);
    while (page.location !== undefined && !hasSession(person, home)) page = await past(person, page.location);
    expect(hasSession(person, home)).toBe(true);
  });

  test('no page of the same origin can read its URL', async () => {
    const url = `${origin(at)}/.meshgate/callback?code=x&state=y`;
    for (const headers of [{}, framed]) {
      const { refused } = await limited(async () => {
        await exhaust(origin(at));
        return { refused: await newAgent(stage).visit(url, { headers }) };
      });
      expect(refused.hops[0]?.answer.header('Cross-Origin-Opener-Policy')).toBe('same-origin');
      expect(refused.hops[0]?.answer.header('Content-Security-Policy')).toContain("frame-ancestors 'none'");
    }
  });

  // With response_mode=fragment, which is a parameter in the URL of the provider, the code follows `#`: no server sees it.
  test('no page of the same origin can read a code behind # in its URL', async () => {
    await exhaust(origin(at));
    const url = `${origin(at)}/.meshgate/callback`;
    const long = { headers: { ...framed, ...HUGE } };
    const sent: readonly Navigation[] = [{ headers: framed }, long, { method: 'POST', headers: framed }];
    for (const wish of sent) {
      const refused = await newAgent(stage).visit(url, { follow: false, ...wish });
      const policy = refused.hops[0]?.answer.header('Content-Security-Policy');
      expect([refused.status >= 400, policy]).toEqual([true, expect.stringMatching(/sandbox|frame-ancestors 'none'/)]);
    }
    const used = await past(newAgent(stage), url, { method: 'POST', headers: framed });
    expect([used.status, used.hops[0]?.answer.header('Content-Security-Policy')]).toEqual([
      405,
      expect.stringContaining('sandbox'),
    ]);
    const line = await (host === ONE ? one : other).send(at, {
      path: `/.meshgate/callback?code=${'x'.repeat(40_000)}`,
    });
    expect([line.status, line.header('Content-Security-Policy')]).toEqual([400, expect.stringContaining('sandbox')]);
  });
});

describe('a ticket', () => {
  const home = origin(OTHER);

  test.each(ways)('is used up by a request that nginx refuses: %s', async (_, limit, wish, status) => {
    const attempt = async () => {
      const attacker = newAgent(stage);
      const signedIn = await sso.signIn(attacker, await attacker.visit(await begin(attacker, home)), 'ada', {
        until: /\/\.meshgate\/callback/,
      });
      const ticket = (await past(attacker, signedIn.location!)).location!;
      expect(ticket).toContain('/.meshgate/handover?');
      if (limit) await exhaust(home);
      const shown = newAgent(stage);
      const refused = await (limit ? shown.visit(ticket, { follow: false, ...wish }) : past(shown, ticket, wish));
      return { attacker, ticket, refused };
    };
    const { attacker, ticket, refused } = await (limit ? limited(attempt) : attempt());
    expect(refused.status).toBe(status);
    const done = await past(attacker, ticket);
    expect([done.status, done.text.includes('attempt_unknown')]).toEqual([400, true]);
    expect(hasSession(attacker, home)).toBe(false);
  });
});
