import { parseNote, type VerifierKey, verifyNote } from '../../audit/log/note.ts';
import { codeOf, type Disk, folderOf, ifThere } from '../../audit/seal/disk.ts';
import { ADD_CHECKPOINT } from '../../audit/witness/add-checkpoint.ts';
import type { CosigningMachine } from '../../audit/witness/witnesses.ts';
import type { Ask } from './http.ts';

const URL = /^(https?):\/\/(\[[^\]]*\]|[^/:]+)(?::(\d+))?(\/.*)?$/;

/** Reads a CA at each request, because it may be replaced. */
function readCa(disk: Disk, path: string): string {
  const bytes = ifThere(() => disk.load(path));
  if (bytes === undefined) throw new Error(`there is no file ${path}, which the policy names as its ca_file`);
  return Buffer.from(bytes).toString();
}

/** What the command uses to ask witnesses for cosignatures.
 * @param now returns the seconds since the epoch */
export function witnessMachine(disk: Disk, folder: string, ask: Ask, now: () => number): CosigningMachine {
  return {
    now,
    load: (name) => ifThere(() => disk.load(`${folder}/${name}`)),
    put(name, text) {
      const path = `${folder}/${name}`;
      try {
        disk.put(path, text);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
        disk.makeFolder(folderOf(path));
        disk.put(path, text);
      }
    },
    async post({ url, caFile }, body) {
      const [, scheme, host = '', port, path = ''] = URL.exec(url) ?? [];
      const tls = scheme === 'https';
      const name = host.replace(/^\[|\]$/g, '');
      const ca = caFile === undefined ? undefined : readCa(disk, caFile);
      const answer = await ask({
        ...{ address: name, port: Number(port ?? (tls ? 443 : 80)), tls, name },
        ...{ authority: port === undefined ? host : `${host}:${port}`, method: 'POST' },
        ...{ target: `${path}${ADD_CHECKPOINT}`, headers: { 'Content-Type': 'text/plain' }, body },
        ...(ca !== undefined && { ca }),
      });
      if ('error' in answer) throw new Error(answer.error.replace('with --ca-file', 'in ca_file of the witness'));
      return { status: answer.status, type: answer.headers['content-type'] ?? '', text: answer.body };
    },
    async verify(note, key: VerifierKey) {
      await verifyNote(parseNote(note), [key], now());
    },
  };
}
