import { afterAll, afterEach, expect, test } from 'vitest';
import type { Gateway } from './gateway.ts';
import { type Answer, type Sent, send, sendHttp2 } from './http.ts';
import { jsonLines, markerPath, troubles } from './logs.ts';
import { type RawOptions, rawRequest } from './raw.ts';
import { type Echo, type Received, valuesOf } from './services.ts';
import { openStage, type Stage, saveLogs } from './stage.ts';
import { until } from './until.ts';

/** The systems around the gateway under test. */
export interface Setup {
  readonly gateway: Gateway;
  /** All upstreams that a case may reach, or must not reach. */
  readonly echoes: readonly Echo[];
}

/** One request and all expected results. */
export interface Case {
  /** One sentence. */
  readonly name: string;
  /** The host of the policy that receives it. */
  readonly host: string;
  /** A request, or exact bytes. */
  readonly request: Sent | { readonly raw: string | readonly string[]; readonly options?: RawOptions };
  /** Sends it to the inner listener, with this client certificate and its key in one PEM; empty: without one. */
  readonly inner?: string;
  /** Sends this client certificate, with its key in one PEM. */
  readonly client?: string;
  /** Default HTTP/1.1. */
  readonly over?: 'http1' | 'http2';
  readonly status: number;
  /** Reason code, in the body and in the log. */
  readonly reason?: string;
  /** Detail in the body: which of the checks that have this reason refused the request. */
  readonly detail?: RegExp;
  /** Headers of the answer: exact value, pattern, or null for absent. */
  readonly answer?: Readonly<Record<string, string | RegExp | null>>;
  /** The request that the upstream received; `never`: none was called. Default for a status from 400 on: `never`. */
  readonly upstream?: 'never' | UpstreamExpected;
  readonly log?: LogExpected;
}

export interface UpstreamExpected {
  readonly service?: string;
  readonly method?: string;
  /** The raw request target. */
  readonly url?: string;
  /** Every value of the header, in order; one string is exactly one header. */
  readonly headers?: Readonly<Record<string, string | RegExp | readonly string[]>>;
  /** Names that must not have arrived. */
  readonly absent?: readonly string[];
}

export interface LogExpected {
  /** Fields of the access log line. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Error log lines that must be there; without them any line at warn or above fails the case. */
  readonly expected?: readonly RegExp[];
  /** Texts that no line of any log may contain. A bearer token of the request is always forbidden. */
  readonly forbidden?: readonly RegExp[];
  /** Access log lines that one run writes; default 1. */
  readonly lines?: number;
}

/** A stage for one test file: closed after its last test; a failing test gets every container's log. */
export async function testStage(name: string): Promise<Stage> {
  const stage = await openStage(name);
  afterAll(async () => {
    try {
      for (const check of stage.checks) check();
    } finally {
      await stage.close();
    }
  });
  afterEach(({ task }) => {
    const error = task.result?.state === 'fail' ? task.result.errors?.[0] : undefined;
    if (error === undefined) return;
    const tails = `\n\n${saveLogs(stage, task.name)}`;
    error.message += tails;
    if (error.stack !== undefined) error.stack = error.stack.replace(/^(?= {4}at )/m, `${tails}\n`);
  });
  return stage;
}

/** A case whose request is made when its test begins: what expires soon is not signed while the file is loaded. */
export type FreshCase = Omit<Case, 'request'> & { readonly request: () => Promise<Sent> };

/** Defines a test that runs the case twice, one after the other, on the gateway as earlier cases have left it. */
export function gatewayCase(setup: Setup, given: Case | FreshCase): void {
  test(given.name, async () => {
    await waitForWorkers(setup.gateway, given.host);
    const { request } = given;
    const one: Case = { ...given, request: typeof request === 'function' ? await request() : request };
    await runCase(setup, one, 'first run');
    await runCase(setup, one, 'second run');
  });
}

/**
 * Waits until all lines that the workers wrote so far are here, in both logs: each worker has received a marker.
 *
 * @param host one that asks for no client certificate; default the policy's first
 * @returns a mark after the lines
 */
export async function waitForWorkers(gateway: Gateway, host = gateway.policy.hosts[0]!.name): Promise<number> {
  const marked = new Set<string>();
  const missing = () => gateway.workers().filter((worker) => !marked.has(worker));
  const all = async () => {
    // A single worker receives the first marker. Of several, those that are not busy receive the next ones, so some are
    // sent at once.
    const count = gateway.workers().length === 1 ? 1 : 2 * gateway.workers().length;
    const took = await Promise.all(Array.from({ length: count }, () => markLog(gateway, host.replace('*', 'settle'))));
    for (const worker of took) marked.add(worker);
    return missing().length === 0;
  };
  await until(all, { what: 'a marker of each worker', help: () => `none of ${missing().join(', ')}` });
  return gateway.mark();
}

let markers = 0;

/**
 * Sends a request that nginx itself refuses: it is larger than any route allows. This writes a line of the error log
 * and one of the access log, after those of earlier requests.
 *
 * @returns the worker that took it, once its lines are here
 */
async function markLog(gateway: Gateway, name: string): Promise<string> {
  const path = markerPath(++markers);
  const marking = rawRequest(`POST ${path} HTTP/1.1`, [
    ['Host', name],
    ['Content-Length', '1000000000000000'],
  ]);
  const { answers } = await gateway.sendRaw(name, marking);
  if (answers[0]?.status !== 413) throw new Error(`${name} does not mark its log: ${answers[0]?.status}`);
  return gateway.box.logs.waitForMarker(path);
}

/** Runs a case once and checks response, upstream and logs. */
export async function runCase(setup: Setup, one: Case, run: string): Promise<Answer> {
  const { gateway, echoes } = setup;
  await Promise.all(echoes.map((echo) => echo.clear()));
  const mark = gateway.mark();
  const answer = await ask(gateway, one);
  expect(answer.status, `${run}: status; body ${answer.text.slice(0, 400)}`).toBe(one.status);
  if (one.reason !== undefined && answer.text !== '') expect(answer.json().reason, `${run}: reason`).toBe(one.reason);
  if (one.detail !== undefined) expect(answer.json().detail, `${run}: detail`).toMatch(one.detail);
  for (const [name, value] of Object.entries(one.answer ?? {})) {
    expectValue(answer.header(name), value, `${run}: ${name} of the answer`);
  }
  const received = (await Promise.all(echoes.map((echo) => echo.requests()))).flat();
  expectUpstream(received, one.upstream ?? (one.status >= 400 ? 'never' : {}), run);
  await expectLog(gateway, mark, one, run);
  return answer;
}

async function ask(gateway: Gateway, one: Case): Promise<Answer> {
  if (one.inner !== undefined && !('raw' in one.request)) {
    return send(gateway.inner(one.host, one.inner === '' ? undefined : one.inner), one.request);
  }
  if ('raw' in one.request) {
    const { answers, text } = await gateway.sendRaw(one.host, one.request.raw, one.request.options);
    if (answers[0] === undefined) throw new Error(`no answer but ${JSON.stringify(text)}`);
    return answers[0];
  }
  const target = gateway.target(one.host, one.client);
  if (one.over === 'http2') return (await sendHttp2(target, [one.request]))[0]!;
  return send(target, one.request);
}

function expectUpstream(received: readonly Received[], expected: 'never' | UpstreamExpected, run: string): void {
  if (expected === 'never') {
    expect(received, `${run}: no upstream may be called`).toEqual([]);
    return;
  }
  expect(received.length, `${run}: requests that reached an upstream`).toBe(1);
  const [request] = received as [Received];
  if (expected.service !== undefined) expect(request.service, `${run}: service`).toBe(expected.service);
  if (expected.method !== undefined) expect(request.method, `${run}: method`).toBe(expected.method);
  if (expected.url !== undefined) expect(request.url, `${run}: url`).toBe(expected.url);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const values = valuesOf(request, name);
    if (typeof value === 'string') expect(values, `${run}: ${name} at the upstream`).toEqual([value]);
    else if (value instanceof RegExp) {
      expect(values.length, `${run}: number of ${name} at the upstream`).toBe(1);
      expect(values[0], `${run}: ${name} at the upstream`).toMatch(value);
    } else expect(values, `${run}: ${name} at the upstream`).toEqual(value);
  }
  for (const name of expected.absent ?? [])
    expect(valuesOf(request, name), `${run}: ${name} at the upstream`).toEqual([]);
}

async function expectLog(gateway: Gateway, mark: number, one: Case, run: string): Promise<void> {
  const log = one.log ?? {};
  const count = log.lines ?? 1;
  // State: the request's own line is there, whatever it waited for; then all lines that came with it are.
  await gateway.box.logs.waitForJson(count, mark);
  for (const pattern of log.expected ?? []) await gateway.box.logs.waitFor(pattern, mark);
  const end = await waitForWorkers(gateway, one.host);
  const all = gateway.box.logs.since(mark).slice(0, end - mark);
  const lines = jsonLines(all);
  expect(lines.length, `${run}: access log lines`).toBe(count);
  const line = lines.at(-1)!;
  if (one.reason !== undefined) expect(line['meshgate.reason'], `${run}: reason in the log`).toBe(one.reason);
  expect(line, `${run}: access log line`).toMatchObject(log.fields ?? {});
  for (const pattern of [...(log.forbidden ?? []), ...secretsOf(one)]) {
    expect(
      all.filter((text) => pattern.test(text)),
      `${run}: log lines with ${pattern}`,
    ).toEqual([]);
  }
  expectTroubles(all, log.expected, run);
}

/** Throws if the error log has lines at `warn` or above since the mark that no pattern expects. It waits for all lines
 * in flight. */
export async function expectCleanLog(
  gateway: Gateway,
  mark: number,
  expected: readonly RegExp[] = [],
  run = 'afterwards',
): Promise<void> {
  await waitForWorkers(gateway);
  expectTroubles(gateway.box.logs.since(mark), expected, run);
}

function expectTroubles(lines: readonly string[], expected: readonly RegExp[] = [], run: string): void {
  const unexpected = troubles(lines).filter((line) => !expected.some((pattern) => pattern.test(line)));
  // The first line is a part of the message, so that the last lines of a run name it.
  expect(unexpected, `${run}: unexpected lines in the error log, the first: ${unexpected[0]}`).toEqual([]);
}

/** The last part of a token is enough to find it, and is never a part of another text. */
function secretsOf(one: Case): RegExp[] {
  const token = 'token' in one.request ? one.request.token : undefined;
  const last = token?.split('.').at(-1) ?? '';
  return /^[\w-]{16,}$/.test(last) ? [new RegExp(last)] : [];
}

function expectValue(actual: string | undefined, expected: string | RegExp | null, what: string): void {
  if (expected === null) expect(actual, what).toBeUndefined();
  else if (expected instanceof RegExp) expect(actual, what).toMatch(expected);
  else expect(actual, what).toBe(expected);
}
