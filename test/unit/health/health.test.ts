import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { afterLook, bundleOf, caPart, toSayOfCa, wantsReload } from '../../../src/health/ca.ts';
import { changesPart, keysPart, readiness, revocationsPart } from '../../../src/health/readiness.ts';
import { type Found, readSvid, svidPart, toSay } from '../../../src/health/svid.ts';
import { healthReasons, type Part } from '../../../src/health/types.ts';
import { noKeys } from '../../../src/token/keys/key-refresh.ts';
import { createCa, type Subject } from '../../harness/pki.ts';

const id = 'spiffe://example.org/ns/edge/sa/gateway';
const ca = await createCa();
const svid = await ca.client(id);
const another = await ca.client(id);

describe('reading an SVID', () => {
  const dates = { notBefore: expect.any(Number), notAfter: expect.any(Number) };

  test('from one PEM file, or from two files', () => {
    expect(readSvid(svid.pem, svid.pem, id)).toEqual(dates);
    expect(readSvid(svid.key + svid.cert, svid.key + svid.cert, id)).toEqual(dates);
    expect(readSvid(svid.cert, svid.key, id)).toEqual(dates);
  });

  test('uses the first certificate, and a chain may follow', () => {
    expect(readSvid(svid.cert + another.cert + ca.cert, svid.key, id)).toEqual(dates);
    expect(readSvid(another.cert + svid.cert, svid.key, id)).toBe('svid_key_mismatch');
  });

  describe('for workloads of Linkerd', () => {
    const own = 'gateway.edge.serviceaccount.identity.linkerd.example.org';
    const names = [own, id];
    const usual = '1.3.6.1.5.5.7.3.2';

    test.each<[string, Subject]>([
      ['an EC key and the SPIFFE id', { uris: [id] }],
      ['an address before the SPIFFE id', { ips: ['10.0.0.1'], uris: [id] }],
      ['the DNS name of the service account', { dns: [own] }],
      ['both names', { dns: [own], uris: [id] }],
      ['no extended key usage', { uris: [id], usages: [] }],
      ['a usage for clients only', { uris: [id], usages: [usual] as never }],
    ])('accepts %s', async (_, subject) => {
      const { cert, key } = await ca.issue(subject);
      expect(readSvid(cert, key, id, names)).toEqual(dates);
    });

    test.each<[string, Subject, string]>([
      ['an RSA key', { uris: [id], keyType: 'rsa' }, 'svid_rsa'],
      ['a DNS name before the SPIFFE id', { dns: ['gateway.example.com'], uris: [id] }, 'svid_first_name'],
      ['the name of another service account', { dns: [`x${own}`] }, 'svid_first_name'],
      ['no name', { commonName: own }, 'svid_first_name'],
      ['a usage for servers only', { uris: [id], usages: ['1.3.6.1.5.5.7.3.1'] as never }, 'svid_not_for_clients'],
    ])('names %s, and accepts it elsewhere', async (_, subject, fault) => {
      const { cert, key } = await ca.issue(subject);
      expect(readSvid(cert, key, id, names)).toBe(fault);
      expect(readSvid(cert, key, id)).toEqual(dates);
    });
  });

  test('accepts any identity for a certificate without URIs, as Linkerd issues them', async () => {
    const named = await ca.issue({ dns: ['gateway.edge.serviceaccount.identity.linkerd.cluster.local'] });
    expect(readSvid(named.cert, named.key, id)).toEqual(dates);
  });

  test.each([
    ['nothing', '', svid.key, 'svid_malformed'],
    ['no key', svid.cert, svid.cert, 'svid_malformed'],
    ['a key for a certificate', svid.key, svid.key, 'svid_malformed'],
    ['half a certificate', svid.cert.slice(0, 300), svid.key, 'svid_malformed'],
    ['another key', svid.cert, another.key, 'svid_key_mismatch'],
  ])('%s', (_, cert, key, fault) => expect(readSvid(cert, key, id)).toBe(fault));

  test('rejects another identity, longer or shorter', () => {
    expect(readSvid(svid.cert, svid.key, `${id}-2`)).toBe('svid_other_identity');
    expect(readSvid(svid.cert, svid.key, id.slice(0, -1))).toBe('svid_other_identity');
  });
});

describe('the state of an SVID', () => {
  const found: Found = { seen: 'x', svid: { notBefore: 1000, notAfter: 4000 } };

  test.each([
    [999, 'failed', 'svid_not_yet_valid', 3001],
    [1000, 'ok', undefined, 3000],
    [3000, 'ok', undefined, 1000],
    [3001, 'warning', 'svid_expiring', 999],
    [4000, 'warning', 'svid_expiring', 0],
    [4000.5, 'failed', 'svid_expired', -1],
  ])('at %d: %s', (now, state, reason, seconds) => {
    expect(svidPart(found, now)).toMatchObject({ state, expires_in: seconds, ...(reason && { reason }) });
    expect(svidPart(found, now).reason).toBe(reason);
  });

  test('is a fault at any time', () => {
    const part = svidPart({ seen: '', fault: 'svid_unreadable' }, 5);
    expect(part).toEqual({ state: 'failed', reason: 'svid_unreadable', help: healthReasons.svid_unreadable });
    expect(svidPart({ seen: '' }, 5).reason).toBe('svid_unchecked');
  });

  test('is logged at once, then once a minute, and another reason at once', () => {
    const fault: Found = { seen: '', fault: 'svid_unreadable' };
    expect(toSay(fault, 100)).toBe('svid_unreadable');
    const reported: Found = { ...fault, reported: { reason: 'svid_unreadable', at: 100 } };
    expect(toSay(reported, 159)).toBeUndefined();
    expect(toSay(reported, 160)).toBe('svid_unreadable');
    expect(toSay({ ...reported, fault: 'svid_malformed' }, 101)).toBe('svid_malformed');
    expect(toSay(reported, 99), 'after the clock was set back').toBe('svid_unreadable');
    expect(toSay(found, 2000)).toBeUndefined();
  });

  test('is logged about ten times until the SVID expires', () => {
    let at = found;
    let count = 0;
    for (let now = 3000; now <= 4000; now += 5) {
      const reason = toSay(at, now);
      if (reason === undefined) continue;
      count++;
      at = { ...found, reported: { reason, at: now } };
    }
    expect(count).toBe(10);
    const year: Found = { seen: 'x', svid: { notBefore: 0, notAfter: 365 * 86_400 } };
    const now = 300 * 86_400;
    expect(toSay({ ...year, reported: { reason: 'svid_expiring', at: now - 86_400 } }, now)).toBeUndefined();
  });
});

describe('the state of keys', () => {
  const key = { kid: 'a' } as never;
  test.each([
    ['none yet', noKeys, 'failed', 'keys_missing'],
    ['nothing at all', undefined, 'failed', 'keys_missing'],
    ['an empty set', { ...noKeys, fetchedAt: 990 }, 'failed', 'keys_missing'],
    ['too old', { ...noKeys, keys: [key], fetchedAt: 900 }, 'failed', 'keys_stale'],
    ['some', { ...noKeys, keys: [key, key], fetchedAt: 990 }, 'ok', undefined],
    ['some, in an outage', { ...noKeys, keys: [key], fetchedAt: 990, failures: 1 }, 'warning', 'provider_unreachable'],
    ['too old, in an outage', { ...noKeys, keys: [key], fetchedAt: 900, failures: 9 }, 'failed', 'keys_stale'],
  ])('%s', (_, state, is, reason) => {
    const part = keysPart(state, 60, 1000);
    expect([part.state, part.reason]).toEqual([is, reason]);
    if (is === 'ok') expect(part).toMatchObject({ keys: 2, age: 10 });
  });
});

test('the gateway is ready if no part has failed', () => {
  const [fine, warned, bad] = (['ok', 'warning', 'failed'] as const).map((state) => ({ state }));
  const parts = {
    policy: '5f2d0c81b9a3e6740d1b8c6a2e97f354',
    check: fine!,
    providers: { a: fine! },
    assertion: fine!,
    identities: { a: warned! },
  };
  expect(readiness(parts).ready).toBe(true);
  expect(readiness({ ...parts, check: bad! }).ready).toBe(false);
  expect(readiness({ ...parts, assertion: bad! }).ready).toBe(false);
  expect(readiness({ ...parts, providers: { a: fine!, b: bad! } }).ready).toBe(false);
  expect(readiness({ ...parts, identities: { a: fine!, b: bad! } }).ready).toBe(false);
});

describe('changes of the mounted files', () => {
  const why = '/etc/meshgate/meshgate.yaml:1:1 nothing';
  test.each<[string, Part, Partial<Part>]>([
    ['are loaded', changesPart(2, undefined), { state: 'ok' }],
    ['were rejected', changesPart(2, `${why}\n`), { state: 'warning', reason: 'change_rejected', why }],
    ['are not looked for', changesPart(121, undefined), { state: 'warning', reason: 'watcher_stopped' }],
  ])('%s, and the gateway stays ready', (_, part, wanted) => {
    expect(part).toMatchObject(wanted);
    expect(readiness({ policy: '', check: { state: 'ok' }, providers: {}, identities: {}, changes: part }).ready).toBe(
      true,
    );
  });
});

test('docs/health.md has every reason with its sentence', () => {
  const rows = [...readFileSync('docs/health.md', 'utf8').matchAll(/^\|[^|]*\| `(\w+)` \| (.+) \|$/gm)];
  expect(Object.fromEntries(rows.map(([, reason, help]) => [reason, help]))).toEqual(healthReasons);
});

describe('the CA of the ingress', async () => {
  const [old, next] = [await createCa('old'), await createCa('next')];
  const look = (holds: string) => ({ seen: 'x', holds });

  test('a bundle is the set of its certificates, in any order, and must be complete', () => {
    expect(bundleOf(old.cert + next.cert)).toBe(bundleOf(`# comment\n${next.cert}${old.cert}${old.cert}`));
    expect(bundleOf(old.cert)).not.toBe(bundleOf(old.cert + next.cert));
    for (const text of ['', 'nothing', old.cert.slice(0, -30), old.cert + svid.key, old.cert.replace('MII', 'MIJ')]) {
      expect(bundleOf(text), text).toBeUndefined();
    }
  });

  test('a reload is requested once, if the bundle has other certificates than nginx loaded', () => {
    const first = afterLook(undefined, look('a'), 7);
    expect([wantsReload(first), caPart(first).state]).toEqual([false, 'ok']);
    const changed = afterLook(first, look('b'), 7);
    expect([wantsReload(changed), caPart(changed).reason]).toEqual([true, 'ca_changed']);
    const requested = { ...changed, requested: 'b' };
    expect([wantsReload(requested), caPart(requested).state]).toEqual([false, 'warning']);
    expect(wantsReload(afterLook(requested, look('c'), 7))).toBe(true);
    expect(wantsReload(afterLook(requested, look('a'), 7)), 'the old ones are back').toBe(false);
    expect(wantsReload(afterLook(requested, look('b'), 8)), 'another worker has loaded it').toBe(false);
  });

  test('a bundle that nginx could not load never causes a reload', () => {
    const first = afterLook(undefined, look('a'), 7);
    for (const fault of ['ca_unreadable', 'ca_malformed'] as const) {
      const broken = afterLook(first, { seen: '', fault }, 7);
      expect([wantsReload(broken), caPart(broken).reason]).toEqual([false, fault]);
      expect(wantsReload(afterLook(broken, look('b'), 7))).toBe(true);
    }
  });

  test('is logged at once, then once a minute', () => {
    const changed = { ...afterLook(undefined, look('a'), 7), holds: 'b' };
    expect(toSayOfCa(changed, 100)).toBe('ca_changed');
    const reported = { ...changed, reported: { reason: 'ca_changed', at: 100 } } as const;
    expect([toSayOfCa(reported, 159), toSayOfCa(reported, 160)]).toEqual([undefined, 'ca_changed']);
    expect(toSayOfCa({ ...reported, fault: 'ca_malformed' }, 101)).toBe('ca_malformed');
    expect(toSayOfCa({ ...reported, holds: 'a' }, 200)).toBeUndefined();
  });
});

describe('revocations', () => {
  test('are healthy while there is room, and the revocations of other replicas are known', () => {
    expect(revocationsPart(0.1, undefined)).toEqual({ state: 'ok', taken: 10 });
    expect(revocationsPart(0.794, 4.9)).toEqual({ state: 'ok', taken: 79, age: 4 });
  });

  test('that were never read make the gateway unready', () => {
    const unread = revocationsPart(0.1, 1, { unread: true });
    expect(unread).toMatchObject({ state: 'failed', reason: 'revocations_unread' });
    const parts = { policy: '', check: { state: 'ok' }, providers: {}, identities: {} } as const;
    expect(readiness({ ...parts, revocations: unread }).ready).toBe(false);
  });

  test('are a warning otherwise, and the gateway stays ready', () => {
    expect(revocationsPart(0.9, undefined, { dropped: true })).toMatchObject({
      state: 'warning',
      reason: 'revocations_dropped',
    });
    const full = revocationsPart(0.8, undefined);
    expect(full).toMatchObject({ state: 'warning', reason: 'revocations_nearly_full', taken: 80 });
    const old = revocationsPart(0.9, 5);
    expect(old).toMatchObject({ state: 'warning', reason: 'revocations_old', age: 5 });
    const parts = { policy: '', check: { state: 'ok' }, providers: {}, identities: {} } as const;
    expect(readiness({ ...parts, revocations: old }).ready).toBe(true);
  });
});
