import { systemAsk } from '../../src/cli/machine/http.ts';
import { meshgate, type Ran } from '../unit/cli/fake.ts';
import type { Box } from './container.ts';

/**
 * Runs the command as a person with these files does: over Node's own network, to one container, whatever its port is
 * on this machine.
 *
 * @param files texts by path
 */
export function commandAt(box: Box, files: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  const ask = systemAsk();
  if (ask === undefined) throw new Error('Node has a network');
  return meshgate(args, {
    files,
    now: Date.now() / 1000,
    ask: (requested) => ask({ ...requested, address: box.host, port: requested.port }),
  });
}
