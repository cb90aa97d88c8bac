/** What happens to stored data when a gateway loads a policy with other names: it is said in the log, and
 * `validate --online` says it before. docs/upgrade.md has the table. */
import { beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { ready, startEcho, startGateway, startIssuer, testStage, until } from '../harness/index.ts';
import { meshgate } from '../unit/cli/fake.ts';

const API = 'api.example.com';
const PAGES = 'wiki.example.com';
const STATE = '/var/lib/meshgate';

const stage = await testStage('stored');
const [issuers] = await Promise.all([startIssuer(stage), startEcho(stage, { alias: 'wiki' })]);
const [acme, rival] = await Promise.all([issuers.create('acme'), issuers.create('rival')]);

interface Told {
  readonly provider?: string;
  readonly issuer?: string;
  readonly more?: string;
  readonly session?: string;
  readonly audit?: string;
}

const policyOf = ({ provider = 'acme', issuer = acme.url, more = '', session = '', audit = '' }: Told = {}): string => `
version: 1
gateway:
  health: { listen: 8081 }
  clock_skew: 0s
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks${session} }
  audit: { host: ${API}, pseudonyms: { key_file: /run/secrets/pseudonyms.jwks }${audit} }
providers:
  ${provider}: { issuer: "${issuer}", ca_file: /run/provider-ca.pem, audiences: [wiki], client: { id: wiki, secret_file: /run/secrets/sso }${more} }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${API}:
    /*: { service: wiki, allow: [authenticated], accept: [bearer] }
  ${PAGES}:
    /*: { service: wiki, allow: [authenticated], accept: [session] }
`;

const first = policyOf();
const ring = () => newRing(Date.now() / 1000 - 7200);
const gateway = await startGateway(stage, {
  policy: first,
  files: {
    '/run/secrets/sso': 'secret\n',
    '/run/secrets/session.jwks': ring(),
    '/run/secrets/pseudonyms.jwks': ring(),
  },
});

async function load(policy: string): Promise<void> {
  await gateway.box.write({ '/etc/meshgate/meshgate.yaml': policy });
  const { exitCode, stderr } = await gateway.box.exec('meshgate-reload');
  expect(exitCode, stderr).toBe(0);
}

async function revoke(...flags: string[]): Promise<void> {
  const { exitCode, stderr } = await gateway.box.exec('meshgate', 'revoke', ...flags);
  expect(exitCode, stderr).toBe(0);
}

const tokenOf = (of: typeof acme, name: string, ago = 30): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  return of.sign({
    aud: 'wiki',
    iat: now - ago,
    exp: now + 3000,
    sub: `id-${name}`,
    email: `${name}@example.com`,
    email_verified: true,
  });
};

const statusOf = async (token: string): Promise<number> =>
  (await gateway.send(API, { headers: { Authorization: `Bearer ${token}` } })).status;

const SAYS = 'the policy names stored data in another way: ';

beforeAll(async () => ready(gateway, API, { token: await tokenOf(acme, 'ready') }));

/** Loads a policy, and returns what the log says of it. */
async function reportedOf(policy: string): Promise<string> {
  const mark = gateway.box.logs.mark();
  await load(policy);
  const line = await gateway.box.logs.waitFor(/\[warn\].*the policy names stored data in another way: .*/, mark);
  return String(line).split(SAYS)[1] as string;
}

/** Returns the name of the person in the last line of the sealed log. */
async function lastPerson(): Promise<unknown> {
  const { stdout } = await gateway.box.exec('cat', '/var/log/meshgate/access.log');
  const line = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as Record<string, unknown>;
  return line['user.id'] === '' ? undefined : line['user.id'];
}

describe('the log says what a loaded policy does to stored data', () => {
  test('nothing, if no name changes', async () => {
    const mark = gateway.box.logs.mark();
    await load(first.replace('[bearer]', '[bearer, session]'));
    await load(first);
    expect(gateway.box.logs.since(mark).filter((line) => line.includes(SAYS))).toEqual([]);
  });

  test('a provider moves to another issuer while people are revoked, and over a restart too', async () => {
    await revoke('--subject', 'acme/id-ada');
    const ada = await tokenOf(acme, 'ada');
    expect(await statusOf(ada)).toBe(401);
    const moved = policyOf({ issuer: rival.url });
    expect(await reportedOf(moved)).toMatch(
      /^provider acme: issuer .*acme → .*rival: revocations and sign-outs of people /,
    );
    const theirs = await tokenOf(rival, 'ada', 600);
    await ready(gateway, API, { token: theirs });
    expect(await statusOf(theirs)).toBe(200);
    const mark = gateway.box.logs.mark();
    await gateway.box.write({ '/etc/meshgate/meshgate.yaml': first });
    await gateway.box.restart();
    await gateway.box.logs.waitFor(
      /names stored data in another way: .*rival → .*acme: revocations and sign-outs/,
      mark,
    );
    await ready(gateway, API, { token: await tokenOf(acme, 'ready') });
    expect(await statusOf(ada)).toBe(401);
  });

  test('validate --online says it before, with the state of the gateway', async () => {
    await revoke('--subject', 'acme/id-bob');
    const file = `${STATE}/revoked.json`;
    const state = await until(
      async () => {
        const { stdout } = await gateway.box.exec('cat', file);
        return stdout.includes('id-bob') && stdout.includes('"names') ? stdout : undefined;
      },
      { what: 'the state file to have the revocation' },
    );
    const of = async (text: string) => {
      const files = { './meshgate.yaml': text, [file]: state };
      const { out } = await meshgate(['validate', '--online'], {
        files,
        ask: async () => ({ error: 'ENOTFOUND' }),
        now: Date.now() / 1000,
      });
      return out.split('\n').filter((line) => line.includes('stored: '));
    };
    expect(await of(first)).toEqual([]);
    expect(await of(policyOf({ provider: 'corp' }))).toEqual([expect.stringMatching(/provider acme is now corp: /)]);
    expect(await of(first.replace('gateway:\n', 'gateway:\n  public_port: 8443\n'))).toEqual([
      expect.stringMatching(/provider acme sends people to https:\/\/HOST:8443\/\.meshgate\/callback: redirect URIs/),
    ]);
    expect(await of(policyOf({ issuer: rival.url }))).toEqual([
      expect.stringMatching(/issuer .*acme → .*rival: revocations and sign-outs of people do not apply/),
      expect.stringMatching(/stored: \d+ revocations of people name .*acme, which no provider of this policy has/),
    ]);
  });
});

describe('a person has', () => {
  const seen = async (policy: string, provider = acme) => {
    await load(policy);
    const token = await tokenOf(provider, 'eve');
    await ready(gateway, API, { token });
    expect(await statusOf(token)).toBe(200);
    const of = await until(lastPerson, { what: 'a line of the log with the person' });
    expect(of).toMatch(/^[\w-]+\.[\w-]{22}$/);
    return of;
  };

  test('another pseudonym under another name of the provider, another claim or another prefix, and the old one again later', async () => {
    const before = await seen(first);
    const others = [
      policyOf({ provider: 'corp' }),
      policyOf({ more: ', subject: { claim: email }' }),
      policyOf({ more: ', subject: { prefix: "a:" }' }),
    ];
    const all = [before];
    for (const policy of others) all.push(await seen(policy));
    expect(new Set(all).size).toBe(all.length);
    expect(await seen(first)).toBe(before);
  });

  test('the pseudonym of another person, if another issuer gets the name of the provider', async () => {
    const before = await seen(first);
    expect(await seen(policyOf({ issuer: rival.url }), rival)).toBe(before);
    await load(first);
  });
});

test('a sealed log under another host is refused, and the old policy stays', async () => {
  await gateway.box.write({
    '/etc/meshgate/meshgate.yaml': first.replace(`audit: { host: ${API}`, `audit: { host: ${PAGES}`),
  });
  const { exitCode, stderr } = await gateway.box.exec('meshgate-reload');
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`the policy says ${PAGES}/meshgate/`)]);
  await load(first);
  expect(await statusOf(await tokenOf(acme, 'ready'))).toBe(200);
});

test('a policy without sessions is refused while a person is revoked, and the old policy stays', async () => {
  const token = await tokenOf(acme, 'fay');
  expect(await statusOf(token)).toBe(200);
  await revoke('--subject', 'acme/id-fay');
  await until(async () => (await gateway.box.exec('cat', `${STATE}/revoked.json`)).stdout.includes('id-fay'), {
    what: 'the state file to have the revocation',
  });
  const plain = first
    .replace(/^ {2}session: .*\n/m, '')
    .replace(/, client: \{[^}]*\}/, '')
    .replace('[session]', '[bearer]');
  await gateway.box.write({ '/etc/meshgate/meshgate.yaml': plain });
  const { exitCode, stderr } = await gateway.box.exec('meshgate-reload');
  expect([exitCode, stderr]).toEqual([
    1,
    expect.stringMatching(/no host accepts sessions, so \d+ revocations .* would end.*\n.*the old one stays/),
  ]);
  expect(await statusOf(token)).toBe(401);
  await load(first);
  expect(await statusOf(token)).toBe(401);
  expect(await statusOf(await tokenOf(acme, 'ready'))).toBe(200);
});
