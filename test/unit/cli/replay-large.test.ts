/** `meshgate replay` on a log of 100,000 lines. */
import { expect, test } from 'vitest';
import { lineText, refused } from '../audit/logged.ts';
import { meshgate, POLICY } from './fake.ts';

const LINES = 100_000;

/** The limit is for a machine that is busy with other tests, too: CPU time, and not time. */
const MAX_CPU_S = 10;

test('takes less than ten seconds of CPU time, and counts every line', async () => {
  const denied = refused('role_missing', 'reader', 'wiki.example.com/*#1');
  const log = Array.from({ length: LINES }, (_, i) =>
    lineText({
      request_id: String(i),
      'url.path': `/page/${i}`,
      ...(i % 10 === 0 && { 'http.request.method': 'POST', ...denied }),
    }),
  ).join('\n');
  const files = {
    'new.yaml': POLICY.replace('role: reader, methods: [GET]', 'role: reader, methods: [GET, POST]'),
    'a.log': log,
  };
  const before = process.cpuUsage();
  const { out } = await meshgate(['replay', '--json', '--policy', 'new.yaml', 'a.log'], { files });
  const { user, system } = process.cpuUsage(before);
  expect(JSON.parse(out)).toMatchObject({ requests: LINES, changed: LINES / 10 });
  expect((user + system) / 1e6).toBeLessThan(MAX_CPU_S);
});
