/** Kills a sealer at a change of a file, on Node and on the command njs; and reads the log with the verifier. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseVkey } from '../../../src/audit/log/note.ts';
import { type VerifiedLog, verifyLog } from '../../../src/audit/verify/verify-log.ts';

/** A module that ends the process, as SIGKILL does, before the change of a file whose number is in a file. */
export const killedAt = (file: string): string => `
  import fs from 'fs';
  let left = Number(fs.readFileSync(${JSON.stringify(file)}, 'utf8'));
  for (const name of ['openSync', 'writeSync', 'renameSync', 'unlinkSync']) {
    const real = fs[name];
    fs[name] = (...args) => {
      const reads = name === 'openSync' && args[1] === 'r';
      if (!reads && --left === 0) process.kill(process.pid, 'SIGKILL');
      return real.apply(fs, args);
    };
  }
`;

/** Reads a log as an auditor does who has the first key, and all checkpoints that were seen before. */
export function audited(folder: string, seen: readonly string[]): Promise<VerifiedLog> {
  const path = (name: string) => join(folder, name);
  return verifyLog(
    {
      read: (name) => (existsSync(path(name)) ? readFileSync(path(name)) : undefined),
      names: (name) => (existsSync(path(name)) ? readdirSync(path(name)).sort() : []),
    },
    {
      key: parseVkey(readFileSync(path('keys/first'), 'utf8').trim()),
      kept: seen.map((text, at) => ({ name: `seen ${at}`, text: Buffer.from(text) })),
      witnesses: [],
      now: 0,
    },
  );
}

/** Expects that a log is whole after its sealer was killed, and continues the checkpoint that was seen last. Without a
 * checkpoint, there is nothing to verify yet. */
export async function expectComplete(folder: string, seen: string[], at: string): Promise<void> {
  if (!existsSync(join(folder, 'checkpoint'))) return;
  const { findings } = await audited(folder, seen.slice(-1));
  expect(findings, `the sealer was killed at change ${at}`).toEqual([]);
  seen.push(readFileSync(join(folder, 'checkpoint'), 'utf8'));
}

/** A shell script that kills the sealer of /sealer at each change of a file in turn, on the command njs. The last run is
 * not killed. It keeps each checkpoint. */
export const NJS_SCRIPT = `
  cd /sealer; mkdir conf seen; change=0; code=137
  echo '{"log":"/sealer/access.log","folder":"/sealer/audit","origin":"wiki.example.com/meshgate/gw-0","policies":"/sealer/conf"}' >seal.json
  while [ $code = 137 ]; do
    change=$((change + 1))
    echo $change >number
    for line in 1 2 3 4 5 6 7; do echo "{\\"time\\":\\"2026\\",\\"line\\":\\"$change $line\\"}"; done >>access.log
    code=0
    njs -n QuickJS -p /sealer -m main.js seal.json --key-interval 0.001 </dev/null 2>error || code=$?
    [ ! -f audit/checkpoint ] || cat audit/checkpoint >seen/$change
  done
  cat error
  exit $code
`;

/** The files of the script, below /sealer. */
export const njsFiles = (): Record<string, string> => ({
  '/sealer/main.js': "import 'killed.js';\nimport 'seal.js';\n",
  '/sealer/killed.js': killedAt('/sealer/number'),
  '/sealer/seal.js': readFileSync('dist/seal.js', 'utf8'),
});
