/** The network of a stage is removed once all containers have left it, by the engine's list. */
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { docker, networkPrefix, removeNetwork, runId } from '../harness/docker.ts';
import { bareImage, openStage, startContainer } from '../harness/index.ts';

const PATH = process.env.PATH!;
afterEach(() => {
  process.env.PATH = PATH;
});

const open = async () => {
  const stage = await openStage('network');
  const spec = { image: bareImage, command: ['sh', '-c', 'echo ready && exec tail -f /dev/null'], ready: /ready/ };
  await Promise.all(['one', 'two', 'three'].map((alias) => startContainer(stage, { ...spec, alias })));
  return stage;
};
const networks = () =>
  docker('network', 'ls', '--format', '{{.Name}}', '--filter', `name=^${networkPrefix}${runId()}-`);

test('a network with a container in it is kept, and the error names the container', async () => {
  const stage = await open();
  const name = stage.network.getName();
  await Promise.all(stage.boxes.slice(0, 2).map((box) => box.stop()));
  const left = (await docker('inspect', '--format', '{{.Name}}', stage.boxes[2]!.started.getId())).slice(1);
  await expect(removeNetwork(name)).rejects.toThrow(`the network ${name} still has ${left}`);
  expect(await networks()).toContain(name);
  await stage.close();
  expect(await networks()).not.toContain(name);
});

test('an engine that refuses to remove a network although its list is empty fails no test', async () => {
  const stage = await open();
  const name = stage.network.getName();
  // The engine's fault cannot be caused here, so a fake command refuses as the engine did.
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-docker-'));
  const refuses = `#!/bin/sh\n[ "$1 $2" != "network rm" ] || { echo "network $3 has active endpoints" >&2; exit 1; }\n`;
  writeFileSync(join(folder, 'docker'), `${refuses}PATH='${PATH}' exec docker "$@"\n`);
  chmodSync(join(folder, 'docker'), 0o755);
  process.env.PATH = `${folder}:${PATH}`;
  await stage.close();
  expect(await networks()).toContain(name);
  process.env.PATH = PATH;
  await removeNetwork(name);
  expect(await networks()).not.toContain(name);
});
