import { formatProof } from '../../audit/log/line-proof.ts';
import { Malformed } from '../../audit/log/malformed.ts';
import { findLines, proveEntry } from '../../audit/verify/prove-line.ts';
import { foreign } from '../../base/hostile-text.ts';
import { argument, command, Failed, YES } from '../common/context.ts';
import { firstKey, folderFlag, keyFlag, logFolder } from './sealed-folder.ts';

/** `meshgate audit prove`: prints a proof for one line. */
export const auditProveCommand = command({
  brief: 'Print a proof that one line of the log was sealed',
  text: 'Finds the line of a request in a transparency log, and prints a proof (C2SP tlog-proof) that it was sealed. The proof contains the line, the hashes that lead to a signed checkpoint with its cosignatures, and the chain from the first key of the log to the key that signed. "meshgate audit check" verifies it without the log. The id is that of the request, which a page or a response shows, or a trace id.',
  examples: [
    'meshgate audit prove 9795ce5ecb841cd57231e9be6a3e3b4b --log-folder audit > line.tlog-proof',
    'meshgate audit check line.tlog-proof --key first.vkey',
  ],
  flags: { logFolder: folderFlag, key: keyFlag },
  args: [argument('ID', 'The id of the request (request_id), or its trace id')],
  async run(runtime, { logFolder: folder, key }, id) {
    const files = logFolder(runtime, folder);
    const first = firstKey(runtime, files, key);
    try {
      const [line, ...more] = findLines(files, id);
      if (line === undefined)
        throw new Failed(`no sealed line has the id ${foreign(id)}; a line is sealed within about a second`);
      if (more.length > 0)
        throw new Failed(
          `${more.length + 1} lines have this trace id; name a request: ${[line, ...more].map((it) => foreign(it.requestId)).join(', ')}`,
        );
      runtime.out(formatProof(await proveEntry(files, line, first)));
      return YES;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new Failed(`the line cannot be proven: ${error.message}; "meshgate audit verify" says what was altered`);
    }
  },
});
