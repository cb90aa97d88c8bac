import { CALLER_FIELDS } from '../../src/base/internal-headers.ts';
import { callerLine } from '../../src/rules/decide/answer-lines.ts';
import type { Numbers } from './bounds.ts';

/**
 * The costs of each part of a known request, with TLS from clients and mutual TLS to the service. Each part includes
 * all parts before it; the last row is another system that does the same job.
 */
export const parts = [
  { part: 'bare', label: 'bare proxy' },
  { part: 'proxied', label: 'the rendered proxying without a check' },
  { part: 'hop', label: 'the check answered by `return 204`' },
  { part: 'file', label: 'all of it, the log in a file' },
  { part: 'stdout', label: 'all of it, the log on standard output under Docker' },
  { part: 'envoy', label: 'beside it: Envoy with `jwt_authn` and its cache' },
] as const;

export type Part = (typeof parts)[number]['part'];

/** Its key in results.json. */
export const partKey = (part: Part): string => `part_${part}.cpu_us`;

/** The caller as the check would name it, used instead of the check. */
const CALLER = { rule: 'bench.example.com/*#2', user: '00u1a2b3c4-00000001', provider: 'bench', roles: 'reader' };

const SET = Object.entries(CALLER)
  .map(([name, value]) => `set $meshgate_${name} ${value};`)
  .join(' ')
  .replaceAll('#', '\\#');

const FIELDS: Readonly<Record<string, string>> = { ...CALLER, as: 'id-0' };
const LINE = callerLine(CALLER_FIELDS.map((name) => FIELDS[name] ?? '')).replaceAll('\t', '\\\\t');

/** Shell commands that remove from the rendered files what a part does not have. */
const CHANGES: Readonly<Partial<Record<Part | 'silent', string>>> = {
  silent: `sed -i -E 's#access_log [^;]*;#access_log off;#' $(grep -rl access_log .)`,
  proxied: `sed -i -E 's#auth_request_set#set#g; s#^( +.*)auth_request /[^;]*;#\\1auth_request off; ${SET}#' services/*.conf hosts/*.conf`,
  hop: `sed -i 's#js_content meshgate.check;#add_header X-Meshgate-Caller "${LINE.replaceAll('#', '\\#')}" always; return 204;#' http.conf`,
};

/** The image's command with a part: rendered files, and the place of the log. */
export function partCommand(part: Exclude<Part, 'bare' | 'envoy'> | 'silent'): string {
  const log = part === 'stdout' ? '/dev/stdout' : '/bench/access.log';
  const conf = '/run/meshgate/conf';
  const changes = CHANGES[part];
  return [
    `mkdir -p ${conf}`,
    `meshgate render --target nginx --out ${conf} --dir ${conf} --access-log ${log} --state-dir /var/lib/meshgate /bench/meshgate.yaml >/dev/null`,
    ...(changes === undefined ? [] : [`(cd ${conf} && ${changes})`]),
    'exec /usr/lib/meshgate/entrypoint.sh',
  ].join(' && ');
}

/** Label, microseconds, and how many times the bare proxy; empty unless all parts were measured. */
function rows(numbers: Numbers): string[][] {
  const values = parts.map(({ part, label }) => [label, numbers[partKey(part)]] as const);
  const bare = values[0]?.[1];
  return values.flatMap(([label, value], i) => {
    const before = parts[i]?.part === 'envoy' ? undefined : values[i - 1]?.[1];
    if (value === undefined || bare === undefined) return [];
    const more = before === undefined ? '' : (value - before).toFixed(1);
    return [[label, value.toFixed(1), more, (value / bare).toFixed(2)]];
  });
}

const HEAD = ['a known request, TLS in and mutual TLS out', 'µs', 'more than above', 'x bare'];

/** The table with its head; empty if nothing was measured. */
export function ablationRows(numbers: Numbers): string[][] {
  const found = rows(numbers);
  return found.length === 0 ? [] : [HEAD, ...found];
}

/** docs/contributing/bench.md with the table of this run; unchanged unless all parts were measured. */
export function withAblation(text: string, numbers: Numbers): string {
  const found = rows(numbers);
  if (found.length < parts.length) return text;
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const table = row(HEAD) + row(HEAD.map((_, i) => (i === 0 ? '---' : '---:'))) + found.map(row).join('');
  return text.replace(/(<!-- ablation -->\n\n)(?:(?:\|[^\n]*\n)+\n)?/, (_, head: string) => `${head}${table}\n`);
}
