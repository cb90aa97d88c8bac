/** The output of a command in a container arrives unchanged, however the engine splits it. */
import { expect, test } from 'vitest';
import { bareImage, startContainer, testStage } from '../harness/index.ts';

const stage = await testStage('exec');
const box = await startContainer(stage, {
  image: bareImage,
  alias: 'box',
  command: ['sh', '-c', 'echo ready && exec tail -f /dev/null'],
  ready: /ready/,
});

test('keeps characters of three bytes whole across parts of the stream', async () => {
  // The parts of a stream have 2^n bytes, which three does not divide.
  const { exitCode, stdout, stderr } = await box.exec('sh', '-c', 'yes € | tr -d "\\n" | head -c 300000; echo ü >&2');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'ü\n' });
  expect(stdout === '€'.repeat(100_000)).toBe(true);
});

test('runs as the requested user, and returns the exit code', async () => {
  expect(await box.execAs('10101', 'id', '-u')).toEqual({ exitCode: 0, stdout: '10101\n', stderr: '' });
  expect((await box.exec('sh', '-c', 'exit 7')).exitCode).toBe(7);
});
