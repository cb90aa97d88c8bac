/** The log on standard output: a write holds several whole lines, and no line is lost by a reload or a stop. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ready, startEcho, startGateway, testStage, until, waitForWorkers } from '../harness/index.ts';
import { openRaw } from '../harness/raw.ts';

const stage = await testStage('log-stream');
await startEcho(stage, { alias: 'wiki' });
const host = 'wiki.test';
const policy = `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: https://acme.test, audiences: [wiki] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [anyone] }
`;

/** A gateway with two workers, which share the stream. */
async function start(alias: string) {
  const gateway = await startGateway(stage, { policy, workers: 2, alias });
  await ready(gateway, host, { path: '/' });
  let sent = 0;
  return {
    gateway,
    /** Sends `count` requests at once; the lines have different lengths. */
    async ask(count: number): Promise<readonly string[]> {
      const paths = Array.from({ length: count }, () => `/page-${++sent}/${'x'.repeat((sent * 37) % 700)}`);
      const answers = await Promise.all(paths.map((path) => gateway.send(host, { path })));
      expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
      return paths;
    },
    /** Paths of the log's lines. Parsing fails for an incomplete line. */
    logged: (mark: number) =>
      gateway
        .access(mark)
        .map((line) => String(line['url.path']))
        .filter((path) => path.startsWith('/page-')),
  };
}

test('writes the line of a request without waiting for another request', async () => {
  const { gateway, ask } = await start('alone');
  const mark = gateway.mark();
  const [path] = await ask(1);
  await gateway.box.logs.waitFor(new RegExp(`"url.path":"${path}"`), mark);
});

test('keeps every line over a reload', async () => {
  const { gateway, ask, logged } = await start('reloaded');
  const mark = await waitForWorkers(gateway);
  const [before] = await Promise.all([ask(100), gateway.reload()]);
  const after = await ask(100);
  await waitForWorkers(gateway);
  expect(logged(mark).sort()).toEqual([...before, ...after].sort());
});

test.each(['SIGQUIT', 'SIGTERM'])('keeps every line when %s stops it', async (signal) => {
  const { gateway, ask, logged } = await start(signal.toLowerCase());
  const mark = await waitForWorkers(gateway);
  const paths = await ask(100);
  await gateway.box.signal(signal);
  await gateway.box.logs.waitForEnd();
  expect(logged(mark).sort()).toEqual([...paths].sort());
});

test('a request that is not checked when SIGQUIT comes gets 503, and its line is kept', async () => {
  const { gateway, logged } = await start('unchecked');
  const mark = await waitForWorkers(gateway);
  const socket = openRaw(gateway.target(host));
  const answer = once(socket, 'data');
  await once(socket, 'connect');
  socket.write(`GET /page-late HTTP/1.1\r\nHost: ${host}\r\n`);
  // State: nginx has begun to read the request, so that it does not close the connection as an idle one.
  await waitForWorkers(gateway);
  await gateway.box.signal('SIGQUIT');
  await until(() => gateway.workers().length === 0, { what: 'both workers to accept no more' });
  socket.write('Connection: close\r\n\r\n');
  expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 503 /);
  await gateway.box.logs.waitForEnd();
  expect(logged(mark)).toEqual(['/page-late']);
});

test('keeps the lines that were written before a worker is killed, and continues with whole lines', async () => {
  const { gateway, ask, logged } = await start('killed');
  const before = await ask(20);
  const mark = gateway.mark();
  await waitForWorkers(gateway);
  const [worker] = gateway.workers();
  const { exitCode, stdout } = await gateway.box.exec('sh', '-c', `kill -9 ${worker}`);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  await gateway.box.logs.waitFor(/start worker process/, mark);
  const after = await ask(20);
  await waitForWorkers(gateway);
  expect(logged(0).sort()).toEqual([...before, ...after].sort());
});
