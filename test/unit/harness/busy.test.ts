import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { busyProcess } from '../../harness/busy.ts';
import { until } from '../../harness/until.ts';

/** Whether a process runs. One that has ended, and whose parent has not asked for its code, does not. */
const runs = (pid: string): boolean =>
  existsSync(`/proc/${pid}/stat`) && readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0] !== 'Z';

test('the busy process ends with its parent, even if that is killed', async () => {
  const module = fileURLToPath(new URL('../../harness/busy.ts', import.meta.url));
  const code = `import { busyProcess } from ${JSON.stringify(module)}; console.log(busyProcess().pid);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = String(await new Promise((resolve) => parent.stdout.once('data', resolve))).trim();
  expect(runs(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !runs(pid), { what: 'the end of the busy process' });
});

test('a busy process that has ended is no load', async () => {
  const busy = busyProcess();
  process.kill(busy.pid!, 'SIGKILL');
  await until(() => !runs(String(busy.pid)), { what: 'the end of the busy process' });
  const sentence = 'the process that keeps all cores busy has ended';
  await until(() => busy.end() === sentence, { what: 'the sentence about it' });
});
