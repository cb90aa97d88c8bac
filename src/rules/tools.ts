import { MCP_VERSIONS } from '../limits.ts';
import { CALL } from '../policy/message.ts';

export { CALL };

/** The headers of the Model Context Protocol in a request (SEP-2243), as received; absent: none. */
export interface McpHeaders {
  readonly version?: string | undefined;
  /** Method of the JSON-RPC message. */
  readonly method?: string | undefined;
  /** Name of the tool, prompt or resource. */
  readonly name?: string | undefined;
}

/** Methods that any rule with tools allows: they list what a server offers and call nothing. */
export const LISTING: readonly string[] = [
  ...['server/discover', 'subscriptions/listen'],
  ...['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'],
];

/** Methods about the task that a server made of a call (SEP-2663). Any rule with tools allows them, because it allowed
 * the call. `Mcp-Name` is the id of the task, and only the server can tell whose task it is. */
export const TASKS: readonly string[] = ['tasks/get', 'tasks/update', 'tasks/cancel'];

/** Beginning of the methods of notifications. */
export const NOTIFICATIONS = 'notifications/';

/** Characters of names that need no encoding. Two headers arrive joined by a comma, which is not among them. */
export const NAME_CHARACTER = '[A-Za-z0-9_./-]';
/** Characters of methods. */
export const METHOD_CHARACTER = '[A-Za-z/_-]';

// No limit of length besides nginx's own for headers: meshes, which enforce the same, cannot count that far.
const plain = new RegExp(`^${NAME_CHARACTER}+$`);
const isMethod = new RegExp(`^${METHOD_CHARACTER}+$`);

/** The form of a pattern in policies: a name, a prefix with a star, or a star. */
export const TOOL_PATTERN = /^(?:\*|[A-Za-z0-9_./-]{1,128}\*?)$/;

/** The encoding of names that a header cannot contain: UTF-8 in base64, as the SEP defines it. */
const encoded = /^=\?base64\?(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\?=$/;
const short = /^=\?base64\?(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)\?=$/;

/** Whether a value has a form of the SEP: plain printable ASCII, or base64 between its marks. */
function isName(name: string): boolean {
  if (name.startsWith('=?base64?') && name.endsWith('?=')) return encoded.test(name) || short.test(name);
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name);
}

function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  if (!plain.test(name)) return false;
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Why a rule with tools does not cover a request: `protocol_refused` if its headers cannot be relied on (missing,
 * repeated, broken, or a protocol version whose servers do not compare them with the body), `tool_refused` if they name
 * something else. Only `*` matches a name that needs encoding.
 *
 * @param tools patterns of the rule
 * @returns undefined if it covers the request
 */
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

/** The beginning of names that a pattern matches, or the name itself. */
const stem = (pattern: string): string => (pattern.endsWith('*') ? pattern.slice(0, -1) : pattern);

/** Messages that rules with these tools distinguish, one representative each: a listing method, each named tool, one
 * name for each prefix, and one that matches none. */
export function toolAtoms(tools: readonly string[]): readonly McpHeaders[] {
  const [version = ''] = MCP_VERSIONS;
  const stems = [...new Set(tools.map(stem))];
  // No longer pattern begins with it, because there are fewer patterns than numbers.
  const fresh = (from: string): string => {
    for (let i = 0; ; i++) {
      const name = `${from}${i}`;
      if (!stems.some((other) => other.length > from.length && name.startsWith(other))) return name;
    }
  };
  const names = [...new Set([...tools.filter((it) => !it.endsWith('*')), ...['', ...stems].map(fresh)])];
  return [{ version, method: 'tools/list' }, ...names.map((name) => ({ version, method: CALL, name }))];
}

/** A message in words: its method and its name. */
export const messageText = ({ method = '', name }: McpHeaders): string =>
  name === undefined ? method : `${method} ${name}`;
