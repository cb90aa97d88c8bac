import { MCP_VERSIONS } from '../base/limits.ts';
import { CALL } from '../policy/forms/mcp-message.ts';

export { CALL };

/** The headers of the Model Context Protocol in a request (SEP-2243), as received. Absent members are absent headers. */
export interface McpHeaders {
  readonly version?: string | undefined;
  /** The method of the JSON-RPC message. */
  readonly method?: string | undefined;
  /** The name of the tool, prompt or resource. */
  readonly name?: string | undefined;
}

/** Methods that every rule with tools allows, because they only list what a server offers. */
export const LISTING: readonly string[] = [
  ...['server/discover', 'subscriptions/listen'],
  ...['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'],
];

/** Methods about a task that an allowed call has started (SEP-2663). Only the server knows the caller of a task. */
export const TASKS: readonly string[] = ['tasks/get', 'tasks/update', 'tasks/cancel'];

/** The prefix of all notification methods. */
export const NOTIFICATIONS = 'notifications/';

/** The characters of names that need no encoding. The comma is missing: nginx joins two headers with it. */
export const NAME_CHARACTER = '[A-Za-z0-9_./-]';
/** The characters of methods. */
export const METHOD_CHARACTER = '[A-Za-z/_-]';

// Only nginx limits the length: meshes must enforce the same expressions, and cannot count so far.
const plain = new RegExp(`^${NAME_CHARACTER}+$`);
const isMethod = new RegExp(`^${METHOD_CHARACTER}+$`);

/** The encoding of names that a header cannot contain. The SEP defines it as UTF-8 in base64. */
const encoded = /^=\?base64\?(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\?=$/;
const short = /^=\?base64\?(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)\?=$/;

/** Whether a value has a form that the SEP defines: plain printable ASCII, or base64 between its marks. */
function isName(name: string): boolean {
  if (name.startsWith('=?base64?') && name.endsWith('?=')) return encoded.test(name) || short.test(name);
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name);
}

function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  if (!plain.test(name)) return false;
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Returns why a rule with these patterns does not cover a request. `protocol_refused`: headers are missing, repeated
 * or broken, or servers of this version do not compare the headers with the body. `tool_refused`: the headers name a
 * tool or method that the rule does not allow. A name that needs encoding matches only `*`. */
export function refusedTool(
  tools: readonly string[],
  { version, method, name }: McpHeaders,
): 'protocol_refused' | 'tool_refused' | undefined {
  if (version === undefined || !MCP_VERSIONS.includes(version)) return 'protocol_refused';
  if (method === undefined || !isMethod.test(method)) return 'protocol_refused';
  if (LISTING.includes(method) || method.startsWith(NOTIFICATIONS)) return undefined;
  const isTask = TASKS.includes(method);
  if (method !== CALL && !isTask) return 'tool_refused';
  if (name === undefined || !isName(name)) return 'protocol_refused';
  if (isTask) return undefined;
  return tools.some((pattern) => matches(pattern, name)) ? undefined : 'tool_refused';
}

/** Returns the MCP messages that rules with these tools distinguish; `undefined` is a request without a message. */
export function messagesOf(all: readonly (readonly string[] | undefined)[]): readonly (McpHeaders | undefined)[] {
  const tools = all.filter((it) => it !== undefined);
  return tools.length === 0 ? [undefined] : [undefined, ...toolAtoms(tools.flat())];
}

/** The characters of {@link NAME_CHARACTER}. A digit comes first, because few tools begin with one. */
const CHARACTERS = [...'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./'];

/** Returns a plain name that begins with `from`, and that no longer beginning and no exact name covers; undefined if
 * these cover all such names. */
function ownName(from: string, exact: ReadonlySet<string>, longer: readonly string[]): string | undefined {
  const isOwn = (name: string) => name !== '' && !exact.has(name) && !longer.some((other) => name.startsWith(other));
  // A name that leaves every known text leaves it after one of the beginnings of these texts.
  const known = [...longer, ...exact].filter((it) => it.startsWith(from));
  const stems = new Set([from, ...known.flatMap((it) => [...it].map((_, end) => it.slice(0, end + 1)))]);
  for (const stem of [...stems].filter((it) => it.startsWith(from))) {
    const found = [...CHARACTERS.map((it) => stem + it), stem].find(isOwn);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A name that is not plain, and a name in base64. Of all patterns, only `*` covers them. */
const ODD_NAMES = ['a b', '=?base64?w6Q=?='];

/** Returns one MCP message of each set of messages that tools distinguish, on the side of a rule or of a mesh. A rule
 * with tools allows all listings and all messages about tasks. A mesh may allow only some of them. */
export function toolAtoms(tools: readonly string[]): readonly McpHeaders[] {
  const [version = ''] = MCP_VERSIONS;
  const [task = ''] = TASKS;
  const exact = new Set(tools.filter((it) => !it.endsWith('*')));
  const stems = [...new Set(['', ...tools.flatMap((it) => (it.endsWith('*') ? it.slice(0, -1) : []))])];
  const longer = (stem: string) => stems.filter((it) => it !== stem && it.startsWith(stem));
  const own = stems.flatMap((stem) => ownName(stem, exact, longer(stem)) ?? []);
  return [
    { version, method: 'tools/list' },
    ...[...exact, ...own, ...ODD_NAMES].map((name) => ({ version, method: CALL, name })),
    ...['0', ...ODD_NAMES].map((name) => ({ version, method: task, name })),
  ];
}

/** A message in words: its method and, if it has one, its name. */
export const messageText = ({ method = '', name }: McpHeaders): string =>
  name === undefined ? method : `${method} ${name}`;
