import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Table } from '../../../src/rules/types.ts';
import { createProofKey, type ProofKey, signProof, withProof } from '../../harness/proofs.ts';
import { adasToken, Context, publishKeys, table, wiki } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/** The room for DPoP proofs, which all clients share: the part that one of them can use. */

const fake = fakeNgx();
stopClock(fake);

const now = () => fake.clock / 1000;
const { proofs } = fake.zones;

const settings = (perCaller: number): NonNullable<Table['proof']> => ({ age: 60, perCaller });

/** @param burst requests that a caller may make at once */
function gateway(perCaller: number, burst?: number): Context {
  const route = table.routes[`${wiki}/*`] as Table['routes'][string];
  const callers = { rate: 0.001, burst: burst ?? 0, of: '', says: 'few requests' };
  const routes = { ...table.routes, [`${wiki}/*`]: { ...route, ...(burst !== undefined && { budgets: { callers } }) } };
  return new Context({ ...table, routes, proof: settings(perCaller) });
}

let key: ProofKey;

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  proofs.room = Number.POSITIVE_INFINITY;
  await publishKeys(now());
  key = await createProofKey();
});

const tokenOf = ({ jkt }: ProofKey, claims: Record<string, unknown> = {}) =>
  adasToken(now(), { cnf: { jkt }, ...claims });

async function proofOf(own: ProofKey, token: string): Promise<Record<string, string>> {
  const proof = await signProof(own, { url: `https://${wiki}:8443/x`, token });
  return { ...withProof(token, proof), 'X-Meshgate-Uri': '/x' };
}

/** The results of this many requests, each with its own proof. */
async function requested(at: Context, own: ProofKey, times: number, claims?: Record<string, unknown>) {
  const token = tokenOf(own, claims);
  const reported: string[] = [];
  for (let i = 0; i < times; i++) {
    const { status, headers } = await at.check(await proofOf(own, token));
    reported.push(status === 204 ? 'passed' : (headers['X-Meshgate-Reason'] ?? ''));
  }
  return reported;
}

const times = (reported: string, count: number): string[] => Array(count).fill(reported);

describe('a proof is remembered only if its request would pass otherwise', () => {
  it('so a caller over its budget uses no room', async () => {
    const at = gateway(1000, 3);
    expect(await requested(at, key, 20)).toEqual([...times('passed', 3), ...times('limit_exceeded', 17)]);
    expect(proofs.size()).toBe(3);
  });

  it('so a caller without the role uses no room', async () => {
    expect(await requested(gateway(1000), key, 5, { groups: ['guests'] })).toEqual(times('role_missing', 5));
    expect(proofs.size()).toBe(0);
  });

  it('and a replayed proof uses none of the budget', async () => {
    const at = gateway(1000, 3);
    const token = tokenOf(key);
    const sent = await proofOf(key, token);
    expect((await at.check(sent)).status).toBe(204);
    for (let i = 0; i < 10; i++) expect((await at.check(sent)).headers['X-Meshgate-Reason']).toBe('proof_replayed');
    expect((await at.check(await proofOf(key, token))).status).toBe(204);
    expect((await at.check(await proofOf(key, token))).status).toBe(204);
  });
});

/** Claims of another person. */
const ben = { uid: 'ben', sub: 'ben-sub' };

const whoami = { url: `https://${wiki}:8443/.meshgate/whoami`, path: '/.meshgate/whoami' };

async function requestedWhoami(at: Context, own: ProofKey, claims?: Record<string, unknown>): Promise<number> {
  const token = tokenOf(own, claims);
  const proof = await signProof(own, { url: whoami.url, token });
  return (await at.whoami({ ...withProof(token, proof), 'X-Meshgate-Uri': whoami.path })).status;
}

describe('a caller has a part of the room', () => {
  it('with any number of keys, and others pass when it is used up', async () => {
    const at = gateway(0.5);
    const reported: string[] = [];
    for (let i = 0; i < 20; i++) reported.push(...(await requested(at, await createProofKey(), 1)));
    expect(reported).toEqual([...times('passed', 5), ...times('limit_exceeded', 15)]);
    expect(proofs.size()).toBe(5);
    expect(await requested(at, await createProofKey(), 5, ben)).toEqual(times('passed', 5));
  });

  it('at whoami as well', async () => {
    const at = gateway(0.5);
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) statuses.push(await requestedWhoami(at, await createProofKey()));
    expect(statuses).toEqual([...Array(5).fill(200), ...Array(3).fill(429)]);
    expect(proofs.size()).toBe(5);
    expect(await requestedWhoami(at, await createProofKey(), ben)).toBe(200);
  });
});

describe('a key has a part of the room', () => {
  it('with any caller, and others pass when it is used up', async () => {
    const at = gateway(0.5);
    expect(await requested(at, key, 3)).toEqual(times('passed', 3));
    expect(await requested(at, key, 20, ben)).toEqual([...times('passed', 2), ...times('limit_exceeded', 18)]);
    expect(proofs.size()).toBe(5);
    expect(await requested(at, await createProofKey(), 3, ben)).toEqual(times('passed', 3));
  });

  it('in each context of each worker', async () => {
    expect(await requested(gateway(0.5), key, 5)).toEqual(times('passed', 5));
    expect(await requested(gateway(0.5), key, 2)).toEqual(times('limit_exceeded', 2));
  });

  it('which is refilled', async () => {
    const at = gateway(0.5);
    await requested(at, key, 6);
    fake.clock += 4000;
    vi.setSystemTime(fake.clock);
    expect(await requested(at, key, 3)).toEqual([...times('passed', 2), 'limit_exceeded']);
  });

  it('at whoami as well', async () => {
    const at = gateway(0.5);
    await requested(at, key, 5);
    expect(await requestedWhoami(at, key, ben)).toBe(429);
  });
});
