import type { Read } from './inspect-read.ts';
import { everywhere, type Server, type Tree } from './inspect-tree.ts';
import { type Warning, warn } from './inspect-types.ts';

/** Variables with which a reader of the log could impersonate a caller: tokens, session cookies, and URLs of a
 * sign-in. */
const CREDENTIALS = /\$\{?(http_cookie|http_authorization|sent_http_set_cookie|sent_http_location)\b/;

/** Other access logs of the rendered servers, whose lines contain credentials. */
export function accessLogs(tree: Tree, ours: readonly Server[]): readonly Warning[] {
  const formats = new Map(
    tree.http.filter(({ name }) => name === 'log_format').map((node) => [node.args[0] ?? '', node] as const),
  );
  const logs = ours
    .flatMap(({ body }) => everywhere(body))
    .filter(({ name, file }) => name === 'access_log' && tree.kind(file) === 'other');
  const used = new Set(
    logs.map(({ args }) => formats.get(args[1] ?? '')).filter((one): one is Read => one !== undefined),
  );
  return [...used].flatMap((format) => {
    const [, variable] = CREDENTIALS.exec(format.args.slice(1).join(' ')) ?? [];
    if (variable === undefined) return [];
    return [
      warn(
        format,
        `log_format ${format.args[0]} writes $${variable} of the policy's hosts into a log: whoever reads it can come in with that`,
        'the format without it; the log of the rendered files says who asked',
      ),
    ];
  });
}
