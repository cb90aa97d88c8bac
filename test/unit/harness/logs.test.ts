import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { LogBuffer, markerPath, troubles } from '../../harness/logs.ts';

test('lines are whole in whatever parts they arrive', () => {
  const logs = new LogBuffer();
  logs.add('one\ntw');
  expect(logs.lines).toEqual(['one']);
  logs.add('o\nthree\n');
  expect(logs.lines).toEqual(['one', 'two', 'three']);
});

test('warnings, errors and crashes are problems, and notices and access lines are not', () => {
  const good = [
    '{"status":200}',
    '2026/01/02 03:04:05 [notice] 1#1: start worker process 7',
    'meshgate: insecure: x',
    '2026/01/02 03:04:05 [error] 7#7: *1 writev() failed (32: Broken pipe) while sending request to upstream, client: 172.17.0.1, server: a.test, request: "GET / HTTP/1.1", subrequest: "/.meshgate/hop/a.test/*", upstream: "http://unix:/run/meshgate/check.sock:/.meshgate/hop/a.test/*", host: "a.test"',
    '',
  ];
  const bad = [
    '2026/01/02 03:04:05 [error] 7#7: *1 js call exception: Error: x',
    '2026/01/02 03:04:05 [warn] 7#7: x',
    '2026/01/02 03:04:05 [error] 7#7: *1 writev() failed (32: Broken pipe) while sending request to upstream, upstream: "https://10.0.0.1:8443/"',
    'Segmentation fault',
  ];
  expect(troubles([...good, ...bad])).toEqual(bad);
});

test('a line that a test waits for must come after the mark', async () => {
  const logs = new LogBuffer();
  logs.add('ready\n');
  await expect(logs.waitFor(/ready/, logs.mark(), 30)).rejects.toThrow('a log line like /ready/');
  await expect(logs.waitFor(/ready/)).resolves.toBe('ready');
});

test('the two streams do not interrupt each other’s lines', () => {
  const logs = new LogBuffer();
  logs.add('{"a":', 'stdout');
  logs.add('an error\n', 'stderr');
  logs.add('1}\n', 'stdout');
  expect(logs.lines).toEqual(['an error', '{"a":1}']);
});

test('a marker counts once it is in both streams, names its worker, and is not returned as a line', async () => {
  const logs = new LogBuffer();
  let here = false;
  const waited = logs.waitForMarker(markerPath(7)).then((worker) => {
    here = true;
    return worker;
  });
  logs.add(`{"url.path":"${markerPath(7)}"}\n`, 'stdout');
  await Promise.resolve();
  expect(here).toBe(false);
  logs.add(
    `2026/01/02 03:04:05 [error] 18#18: *1 client intended to send too large body: 9 bytes, request: "POST ${markerPath(7)} HTTP/1.1"\n`,
    'stderr',
  );
  expect(await waited).toBe('18');
  expect(logs.lines).toEqual([]);
});

test('a wait for a line ends if the log has ended', async () => {
  const logs = new LogBuffer();
  const stream = new EventEmitter();
  logs.follow(stream, (out) => out.write('no\n'));
  stream.emit('end');
  await expect(logs.waitFor(/ready/)).rejects.toThrow('the container ended without a log line like /ready/');
});
