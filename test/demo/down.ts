/** `make down`: removes everything of the demo from this machine, except its images. */
import { rm } from 'node:fs/promises';
import { removeAll } from './docker.ts';
import { envFile, state } from './paths.ts';
import { command, step } from './trouble.ts';

await command('demo', async () => {
  await step('containers, volumes and network', async () => `${await removeAll()} containers removed`);
  await rm(envFile, { force: true });
  await rm(state, { recursive: true, force: true });
});
