import { FolderError, readFolder } from '../../targets/nginx/inspect/folder.ts';
import { type Inspection, inspectFiles, inspectNginx } from '../../targets/nginx/inspect/warnings.ts';
import { WrongUse } from '../common/context.ts';
import { type Loaded, readFile, reasonOf, utf8 } from '../common/load.ts';
import { fileName } from '../common/source.ts';
import type { Runtime } from '../machine/runtime.ts';

const BOM = '\uFEFF';

/** Decodes a configuration. Comments may contain bytes that are not UTF-8, which do not matter here. nginx reads a byte
 * order mark as a part of the first word, so it is kept. */
function decode(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes as unknown as ArrayBuffer);
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return marked && !text.startsWith(BOM) ? BOM + text : text;
}

/** Reads scripts that the configuration names. A script on another machine, or of another user, is absent: the
 * inspection says what this means. */
const reader =
  (runtime: Runtime, real = (path: string) => path) =>
  (path: string): string | undefined => {
    try {
      return utf8(runtime.read(real(path)));
    } catch {
      return undefined;
    }
  };

function ofFolder(runtime: Runtime, { policy, rules }: Loaded, given: string, prefix: string | undefined): Inspection {
  const folder = given.startsWith('/') ? given.replace(/(?<=[^/])\/+$/, '') : runtime.folder(given);
  const there = (prefix ?? folder).replace(/(?<=[^/])\/+$/, '');
  if (!there.startsWith('/')) throw new WrongUse(`--nginx-prefix ${prefix}: write an absolute path such as /etc/nginx`);
  try {
    const files = readFolder(folder, there, {
      read: (path) => decode(runtime.read(path)),
      names: (path) => runtime.names(path),
      reason: reasonOf,
    });
    const real = (path: string) => (path.startsWith(`${there}/`) ? `${folder}${path.slice(there.length)}` : path);
    return inspectFiles(files, policy, rules, reader(runtime, real));
  } catch (error) {
    if (error instanceof FolderError) throw new WrongUse(error.message);
    throw error;
  }
}

/** Returns findings about the nginx configuration that includes the rendered files (`--nginx`).
 * @param given a file with the output of `nginx -T`, or a folder such as /etc/nginx
 * @param prefix the path of the folder on nginx's machine, if it is a copy */
export function inspected(runtime: Runtime, loaded: Loaded, given: string, prefix: string | undefined): Inspection {
  if (given !== '-' && runtime.isFolder(given)) return ofFolder(runtime, loaded, given, prefix);
  if (prefix !== undefined) throw new WrongUse(`--nginx-prefix needs a folder, and ${fileName(given)} is a file`);
  const dump = decode(readFile(runtime, given, 'the output of nginx -T'));
  const inspection = inspectNginx(dump, loaded.policy, loaded.rules, reader(runtime));
  if (inspection === undefined) {
    throw new WrongUse(`${fileName(given)} is not output of nginx -T; if nginx -T prints nothing, nginx -t says why`);
  }
  return inspection;
}
