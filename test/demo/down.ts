/** `make down`: nothing of the demo stays on this machine, but its images. */
import { rm } from 'node:fs/promises';
import { removeAll } from './docker.ts';
import { envFile, state } from './paths.ts';
import { command, step } from './trouble.ts';

await command('demo', async () => {
  await step('containers and network', async () => `${await removeAll()} removed`);
  await rm(envFile, { force: true });
  await rm(state, { recursive: true, force: true });
});
