import { ADD_CHECKPOINT } from '../audit/add-checkpoint.ts';
import { codeOf, type Disk, folderOf, ifThere } from '../audit/disk.ts';
import { parseNote, type VerifierKey, verifyNote } from '../audit/note.ts';
import type { CosigningMachine } from '../audit/witnesses.ts';
import type { Ask } from './http.ts';

const URL = /^(https?):\/\/(\[[^\]]*\]|[^/:]+)(?::(\d+))?(\/.*)?$/;

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
    async post({ url }, body) {
      const [, scheme, host = '', port, path = ''] = URL.exec(url) ?? [];
      const tls = scheme === 'https';
      const name = host.replace(/^\[|\]$/g, '');
      const answer = await ask({
        ...{ address: name, port: Number(port ?? (tls ? 443 : 80)), tls, name },
        ...{ authority: port === undefined ? host : `${host}:${port}`, method: 'POST' },
        ...{ target: `${path}${ADD_CHECKPOINT}`, headers: { 'Content-Type': 'text/plain' }, body },
      });
      if ('error' in answer) throw new Error(answer.error);
      return { status: answer.status, type: answer.headers['content-type'] ?? '', text: answer.body };
    },
    async verify(note, key: VerifierKey) {
      await verifyNote(parseNote(note), [key]);
    },
  };
}
