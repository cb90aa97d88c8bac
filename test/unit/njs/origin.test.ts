import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Table } from '../../../src/rules/types.ts';
import { createCa } from '../../harness/pki.ts';
import { adas, adasToken, Context, publishKeys, sealed, table, wiki, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/*
 * A browser adds some credentials by itself, whichever page makes the request: the session, the client's certificate and
 * the network that it is in. What a page of another origin can send so must not count.
 */

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);

const at = { file: '', line: 1, column: 1 };
const NETWORK = ['192.0.2.0/24'];
const rule = (name: string, who: Table['routes'][string]['rules'][number]['who']) => ({
  id: `${name}#1`,
  who,
  service: 'wiki',
  as: '',
});
const probe = rule('probe', { kind: 'role', role: 'probe' });
const APP = 'https://app.example.com';

const of: Table = {
  ...table,
  roles: [...table.roles, ['probe', { op: 'network', value: NETWORK, at }]],
  request: { networks: NETWORK, certificates: [] },
  certificates: true,
  routes: {
    ...table.routes,
    [`${wiki}/deploy/*`]: {
      ...table.routes[`${wiki}/*`]!,
      accept: ['bearer', 'certificate'],
      rules: [rule('deploy', { kind: 'authenticated' })],
      origins: [APP],
    },
    [`${wiki}/probe/*`]: { ...table.routes[`${wiki}/*`]!, rules: [probe], openOrigins: [APP] },
    [`${wiki}/mixed/*`]: {
      ...table.routes[`${wiki}/*`]!,
      rules: [probe, rule('public', { kind: 'anyone' })],
    },
    '*.apps.example.com/probe/*': { ...table.routes['*.apps.example.com/*']!, rules: [probe] },
  },
};

let certificate: string;
let context: Context;

beforeAll(async () => {
  const life = { notBefore: new Date((start - 3600) * 1000), notAfter: new Date((start + 86_400) * 1000) };
  certificate = encodeURIComponent((await (await createCa()).client('spiffe://example.org/ci', life)).cert);
});

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  writeRing(['k1', 1]);
  await publishKeys(start);
  context = new Context(of);
});

/** The credentials that each browser adds by itself, and the route that accepts each. */
const ambient: readonly (readonly [string, string, () => Promise<Record<string, string>>])[] = [
  ['a session', '*', async () => ({ Cookie: `__Host-Http-meshgate=${await sealed(adas(start))}` })],
  ['a certificate', 'deploy/*', async () => ({ 'SSL-Client-Cert': certificate })],
  ['a network', 'probe/*', async () => ({ 'X-Meshgate-Networks': '1' })],
];

const EVIL = 'https://evil.example';
/** `passes`, or the reason of the refusal. Sent twice: the second time the caller is known. */
async function requested(headers: Readonly<Record<string, string>>, path: string, host = wiki): Promise<string> {
  const outcomes: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { status, headers: reported } = await context.check({ 'X-Meshgate-Method': 'POST', ...headers }, path, host);
    outcomes.push(status === 204 ? 'passes' : String(reported['X-Meshgate-Reason']));
  }
  expect(outcomes[1]).toBe(outcomes[0]);
  return outcomes[0] as string;
}

describe.each(ambient)('%s', (_, path, credential) => {
  it('accepts requests from the host’s own page, and from a program', async () => {
    expect(await requested(await credential(), path)).toBe('passes');
    expect(await requested({ ...(await credential()), 'X-Meshgate-Origin': `https://${wiki}:8443` }, path)).toBe(
      'passes',
    );
  });

  it.each([
    EVIL,
    'null',
    `http://${wiki}:8443`,
    `https://${wiki}`,
    `https://${wiki}:8443.evil.example`,
    'https://board.example.com:8443',
  ])('is refused from a page of %s', async (origin) => {
    const headers = { ...(await credential()), 'X-Meshgate-Origin': origin };
    expect(await requested(headers, path)).toBe('origin_refused');
    // A known caller is refused as well.
    expect(await requested(await credential(), path)).toBe('passes');
    expect(await requested(headers, path)).toBe('origin_refused');
  });
});

describe('pages of origins that the route names', () => {
  it('may send with a certificate', async () => {
    const headers = { 'SSL-Client-Cert': certificate, 'X-Meshgate-Origin': APP };
    expect(await requested(headers, 'deploy/*')).toBe('passes');
  });

  it('may send from a network, if they may send without credentials', async () => {
    const headers = { 'X-Meshgate-Networks': '1', 'X-Meshgate-Origin': APP };
    expect(await requested(headers, 'probe/*')).toBe('passes');
    expect(
      await requested({ ...headers, Cookie: `__Host-Http-meshgate=${await sealed(adas(start))}` }, 'probe/*'),
    ).toBe('origin_refused');
  });
});

it('a host by wildcard compares with the requested name', async () => {
  const from = (origin: string) => ({
    'X-Meshgate-Networks': '1',
    'X-Meshgate-Host': 'a.apps.example.com',
    'X-Meshgate-Origin': origin,
  });
  const host = '*.apps.example.com';
  expect(await requested(from('https://a.apps.example.com:8443'), 'probe/*', host)).toBe('passes');
  expect(await requested(from('https://b.apps.example.com:8443'), 'probe/*', host)).toBe('origin_refused');
});

it('an invalid certificate is refused as such, whichever page sends it', async () => {
  const headers = { 'SSL-Client-Cert': 'x', 'X-Meshgate-Origin': EVIL };
  expect(await requested(headers, 'deploy/*')).toBe('proof_invalid');
});

it('a page of another origin may send to a public route, as an anonymous caller without the network’s role', async () => {
  const networks = { 'X-Meshgate-Networks': '1', 'X-Meshgate-Method': 'POST' };
  const own = await context.check(networks, 'mixed/*');
  expect([own.headers['X-Meshgate-Rule'], own.headers['X-Meshgate-Roles']]).toEqual(['probe#1', 'probe']);
  for (let i = 0; i < 2; i++) {
    const { status, headers } = await context.check({ ...networks, 'X-Meshgate-Origin': EVIL }, 'mixed/*');
    expect(status).toBe(204);
    expect([headers['X-Meshgate-Rule'], headers['X-Meshgate-Roles']]).toEqual(['public#1', undefined]);
  }
});

it('a token is not added by browsers, so any page may send it', async () => {
  const headers = { Authorization: `Bearer ${adasToken(start)}`, 'X-Meshgate-Origin': EVIL };
  expect(await requested(headers, 'deploy/*')).toBe('passes');
});
