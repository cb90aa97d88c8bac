import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactVerify, createLocalJWKSet, decodeJwt } from 'jose';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import { readSigningKeys } from '../../../src/assertion/signing-keys.ts';
import type { Sample } from '../../../src/health/exposition.ts';
import { meshPart, type ProbeAnswer, probeLine, stateOf, verdictOf } from '../../../src/health/mesh-probe.ts';
import type { DeniedBy, MeshProbe } from '../../../src/health/types.ts';
import { meshParts, probeMeshes } from '../../../src/njs/health/probe-mesh.ts';
import { meshMetrics } from '../../../src/njs/metrics/handler.ts';
import { fakeNgx } from '../njs/fake-ngx.ts';

const probe: MeshProbe = {
  probe: 'no_assertion',
  mesh: 'default',
  ingress: 'east',
  service: 'wiki',
  layer: 'workload',
  object: 'AuthorizationPolicy wiki/meshgate-workload-wiki',
  rule: 'wiki.test/rest/*#1',
  identity: 'editor',
  at: '/probe/ingress_east/editor/',
  authority: 'wiki.svc',
  path: '/.meshgate/probe',
  by: 'behind',
};
const silent: ProbeAnswer = { status: 200, reached: true, behind: false, proxyError: false, type: '', length: '' };
/** A denial by Envoy's filter, as it comes to nginx. */
const rbac = { status: 403, type: 'text/plain', length: '19' };
const verdict = (by: DeniedBy, answer: Partial<ProbeAnswer>) => verdictOf({ ...probe, by }, { ...silent, ...answer });

describe('an answer', () => {
  test.each<[string, DeniedBy, Partial<ProbeAnswer>, string]>([
    ['the first Envoy denies the request', 'first', rbac, 'closed'],
    ['the first Envoy denies it with another text', 'first', { status: 403 }, 'closed'],
    ['the first Envoy rejects an assertion', 'first', { status: 401 }, 'closed'],
    ['the one behind it denies the request, so the first one did not', 'first', { ...rbac, behind: true }, 'open'],
    ['the service answers', 'first', { status: 404, behind: true }, 'open'],
    ['the service fails', 'first', { status: 500, behind: true }, 'open'],
    ['the first Envoy has no such route, which it looks for after the rules', 'first', { status: 404 }, 'open'],
    ['the first Envoy does not reach the service', 'first', { status: 503 }, 'unknown'],
    ['there are too many requests', 'first', { status: 429 }, 'unknown'],
    ['the Envoy behind denies the request', 'behind', { ...rbac, behind: true }, 'closed'],
    ['a service has its own 403', 'behind', { status: 403, behind: true, type: 'text/html', length: '19' }, 'open'],
    ['a service has its own text', 'behind', { ...rbac, behind: true, length: '20' }, 'open'],
    ['a service has no such page', 'behind', { status: 404, behind: true }, 'open'],
    ['the first Envoy denied the request already', 'behind', rbac, 'unknown'],
    ['the Envoy behind does not reach the service', 'behind', { status: 503, behind: true }, 'unknown'],
    ['one of two Envoys denies', 'any', rbac, 'closed'],
    ['the other of two Envoys denies', 'any', { ...rbac, behind: true }, 'closed'],
    ['something denies in its own form', 'any', { status: 403, length: '7' }, 'unknown'],
    ['the service answers behind any proxy', 'any', { status: 302 }, 'open'],
    ['Linkerd does not allow the client', 'linkerd', { status: 403, proxyError: true }, 'closed'],
    ['Linkerd has no such route', 'linkerd', { status: 404, proxyError: true }, 'closed'],
    ['a service behind Linkerd has no such page', 'linkerd', { status: 404, type: 'text/html' }, 'open'],
    ['a 404 without a body may be Linkerd’s, to an RSA key', 'linkerd', { status: 404, length: '0' }, 'unknown'],
    ['the service answers a stranger behind Linkerd', 'linkerd', { status: 200 }, 'open'],
    ['a 403 behind Linkerd may be the service’s', 'linkerd', { status: 403 }, 'unknown'],
    ['Linkerd does not reach the service', 'linkerd', { status: 502, proxyError: true }, 'unknown'],
  ])('%s (%s)', (_, by, answer, expected) => {
    expect(verdict(by, answer)).toBe(expected);
  });

  test.each<DeniedBy>(['first', 'behind', 'any', 'linkerd'])('says nothing without a connection (%s)', (by) => {
    expect(verdict(by, { status: 502, reached: false })).toBe('unknown');
    expect(verdict(by, { status: 403, reached: false })).toBe('unknown');
    expect(verdictOf({ ...probe, by }, undefined)).toBe('unknown');
  });
});

test('a rejected assertion does not tell whether the mesh compares it with the connection', () => {
  const one: MeshProbe = { ...probe, by: 'first', probe: 'wrong_identity', assertion: { as: 'reader', roles: [] } };
  expect(verdictOf(one, { ...silent, status: 401 })).toBe('unknown');
  expect(verdictOf(one, { ...silent, status: 403 })).toBe('closed');
  expect(probeLine(one, { about: '', verdict: 'open', status: 200, at: 1 })).toContain(
    'as editor, with an assertion for reader,',
  );
});

describe('the state of a mesh', () => {
  const found = (verdict: 'closed' | 'open' | 'unknown', status: number) => ({ about: '', verdict, status, at: 1000 });
  const part = (...all: ReturnType<typeof found>[]) =>
    meshPart(all.map((it) => ({ probe, found: it, state: it.verdict })));

  test('is good if every probe is denied', () => expect(part(found('closed', 403))).toEqual({ state: 'ok' }));

  test('is a warning that names the object and the rule, of what is open before what is unknown', () => {
    const is = part(found('closed', 403), found('unknown', 503), found('open', 404));
    expect(is).toMatchObject({ state: 'warning', reason: 'mesh_not_enforcing' });
    expect(is.why).toBe(
      'mesh default, ingress east, service wiki: AuthorizationPolicy wiki/meshgate-workload-wiki does not enforce rule wiki.test/rest/*#1: mesh_not_enforcing: HEAD /.meshgate/probe as editor, without an assertion, passed the workload (status 404)',
    );
    expect(part(found('closed', 403), found('unknown', 503))).toMatchObject({
      state: 'warning',
      reason: 'mesh_not_probed',
      why: expect.stringContaining('rule wiki.test/rest/*#1 is unknown'),
    });
  });

  test('is unknown before the first answer, and once the last one is three intervals old', () => {
    expect(stateOf(undefined, 15, 1000)).toBe('unknown');
    expect(stateOf(found('open', 200), 15, 1045)).toBe('open');
    expect(stateOf(found('open', 200), 15, 1045.1)).toBe('unknown');
  });

  test('says that there was no answer', () => {
    expect(probeLine(probe, found('unknown', 0))).toMatch(/mesh_not_probed: .*, had no answer$/);
  });
});

describe('the job', () => {
  const fake = fakeNgx();
  const log = vi.spyOn(ngx, 'log');
  let requested: { url: string; method: string; headers: Record<string, string> }[] = [];
  let answer: (url: string) => Promise<{ status: number; headers: Headers }>;
  const denial = (more: Record<string, string> = {}) => ({
    status: 403,
    headers: new Headers({
      'X-Meshgate-Reached': '0.001',
      'Content-Type': 'text/plain',
      'Content-Length': '19',
      ...more,
    }),
  });
  const many = Array.from({ length: 20 }, (_, i) => ({ ...probe, by: 'first' as const, service: `s${i}` }));
  const probes = { egress: '/run/egress.sock', every: 5, requests: many };

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
    fake.zones.svids.clear();
    log.mockClear();
    requested = [];
    answer = async () => denial();
    fake.fetch = async (url, options) => {
      requested.push({ url, ...(options as { method: string; headers: Record<string, string> }) });
      return answer(url);
    };
    return () => vi.useRealTimers();
  });
  afterAll(() => log.mockRestore());

  /** The samples of the metrics at the time of the test. */
  const read = (requests: readonly MeshProbe[]) =>
    Object.fromEntries(
      meshMetrics.map((it) => [it.name, it.read({ config: { probes: { ...probes, requests } }, now: 1000 } as never)]),
    );
  const values = (read: Readonly<Record<string, readonly Sample[]>>) =>
    Object.values(read).flatMap((samples) => samples.map(([, value]) => value));

  test('sends HEAD without a credential through the egress server, and logs nothing while all is denied', async () => {
    const one = { ...many[0]!, path: '/a b/meshgate-probe' };
    await probeMeshes({ ...probes, requests: [one] });
    expect(requested).toEqual([
      {
        url: 'http://unix:/run/egress.sock:/probe/ingress_east/editor/a%20b/meshgate-probe',
        method: 'HEAD',
        headers: { Host: 'meshgate', 'X-Meshgate-Host': 'wiki.svc', 'X-Meshgate-Probe': 'wiki.test/rest/*#1' },
      },
    ]);
    expect(log).not.toHaveBeenCalled();
    expect(read([one])).toEqual({
      meshgate_mesh_enforcing: [
        [['no_assertion', 'default', 'east', 's0', 'workload', 'editor', one.object, 'wiki.test/rest/*#1'], 1],
      ],
      meshgate_mesh_probe_failed: [
        [['no_assertion', 'default', 'east', 's0', 'workload', 'editor', one.object, 'wiki.test/rest/*#1'], 0],
      ],
    });
  });

  test.each([
    ['rule', { rule: 'wiki.test/rest/*#2' }],
    ['object', { object: 'AuthorizationPolicy wiki/another' }],
    ['path', { path: '/rest/meshgate-probe' }],
  ])('of a policy with another %s does not take the result of the earlier policy', async (_, change) => {
    const [earlier, later] = [many[0]!, { ...many[0]!, ...change }];
    await probeMeshes({ ...probes, requests: [earlier] });
    expect([values(read([earlier])), values(read([later]))], 'enforcing and not failed; only failed').toEqual([
      [1, 0],
      [1],
    ]);
    answer = async () => denial({ 'x-envoy-upstream-service-time': '2' });
    await probeMeshes({ ...probes, requests: [later] });
    expect(values(read([later]))).toEqual([0, 0]);
  });

  test('signs an assertion for another identity, which names no person', async () => {
    const keysFile = join(mkdtempSync(join(tmpdir(), 'meshgate-probe-')), 'keys.jwks');
    const text = await newSigningKeys(1000);
    const settings = { issuer: 'https://wiki.test', keysFile, lifetime: 60 };
    const one: MeshProbe = {
      ...{ ...many[0]!, probe: 'wrong_identity' },
      assertion: { as: 'reader', roles: ['staff'] },
    };
    const all = { ...probes, assertion: settings, requests: [one] };
    await probeMeshes(all);
    expect(requested, 'without a key, the request would be another one').toEqual([]);
    expect(values(read([one]))).toEqual([1]);
    writeFileSync(keysFile, text);
    vi.setSystemTime(1_010_000);
    await probeMeshes(all);
    const [jwt = '', more] = requested.map(({ headers }) => headers['X-Meshgate-Assertion'] ?? '');
    expect(more).toBeUndefined();
    expect(decodeJwt(jwt)).toEqual({
      ...{ iss: 'https://wiki.test', aud: 's0', sub: 'meshgate:probe', provider: 'nobody' },
      ...{ roles: ['staff'], as: 'reader', iat: 1010, exp: 1070 },
    });
    const keys = await readSigningKeys(text);
    const jwks = JSON.parse(typeof keys === 'string' ? '' : keys.published);
    await compactVerify(jwt, createLocalJWKSet(jwks));
  });

  test('logs each change once, and a mesh that does not enforce as an error', async () => {
    const one = { ...probes, requests: [many[0]!] };
    answer = async () => denial({ 'x-envoy-upstream-service-time': '2' });
    await probeMeshes(one);
    await probeMeshes(one);
    expect(log.mock.calls).toEqual([[ngx.ERR, expect.stringMatching(/^meshgate: .* does not enforce rule /)]]);
    expect(values(read(one.requests))).toEqual([0, 0]);
    expect(meshParts(one, 1000)).toMatchObject({ default: { state: 'warning', reason: 'mesh_not_enforcing' } });
    answer = async () => denial();
    await probeMeshes(one);
    expect(log).toHaveBeenCalledTimes(2);
    answer = async () => Promise.reject(new Error('refused'));
    await probeMeshes(one);
    expect(log).toHaveBeenCalledTimes(3);
    expect(values(read(one.requests)), 'there is no value of meshgate_mesh_enforcing').toEqual([1]);
  });

  test('logs an ingress without a connection at the second time, because its name is looked up after the start', async () => {
    const one = { ...probes, requests: [many[0]!] };
    answer = async () => Promise.reject(new Error('no live upstreams'));
    await probeMeshes(one);
    expect(log).not.toHaveBeenCalled();
    expect(meshParts(one, 1000)).toMatchObject({ default: { state: 'warning', reason: 'mesh_not_probed' } });
    await probeMeshes(one);
    await probeMeshes(one);
    expect(log.mock.calls).toEqual([[ngx.WARN, expect.stringMatching(/^meshgate: .* had no answer$/)]]);
    log.mockClear();
    const other = { ...probes, requests: [many[1]!] };
    await probeMeshes(other);
    answer = async () => denial();
    await probeMeshes(other);
    expect(log).not.toHaveBeenCalled();
  });

  test('ends within the interval if the ingress hangs, and begins the next time with the others', async () => {
    answer = () => new Promise(() => {});
    const services = () => requested.map(({ url }) => url);
    const run = probeMeshes({ ...probes, requests: many.map((it) => ({ ...it, path: `/${it.service}` })) });
    const ended = vi.fn();
    void run.then(ended);
    await vi.advanceTimersByTimeAsync(4999);
    expect(ended).toHaveBeenCalled();
    const first = services();
    expect(first.length).toBeLessThan(20);
    requested = [];
    void probeMeshes({ ...probes, requests: many.map((it) => ({ ...it, path: `/${it.service}` })) });
    await vi.advanceTimersByTimeAsync(1);
    expect(services().filter((url) => first.includes(url))).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
  });
});
