import { MCP_VERSIONS } from '../limits.ts';
import { CALL } from '../policy/message.ts';

export { CALL };

/** What a request says of itself in the headers of the Model Context Protocol (SEP-2243), as they came; absent: nothing. */
export interface McpHeaders {
  readonly version?: string | undefined;
  /** Method of the JSON-RPC message. */
  readonly method?: string | undefined;
  /** Name of the tool, prompt or resource. */
  readonly name?: string | undefined;
}

/** Methods that pass by any rule with tools: they tell what there is, and call nothing. */
export const LISTING: readonly string[] = [
  ...['server/discover', 'subscriptions/listen'],
  ...['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'],
];

/**
 * Methods about the task that a server made of a call (SEP-2663): they pass by any rule with tools, for that call passed by
 * one. `Mcp-Name` is the id of the task, which only the server can tell from another caller's.
 */
export const TASKS: readonly string[] = ['tasks/get', 'tasks/update', 'tasks/cancel'];

/** What the methods of notifications begin with. */
export const NOTIFICATIONS = 'notifications/';

/** What names are of that need no encoding, and so have none. Two headers arrive as one with a comma, which is none of it. */
export const NAME_CHARACTER = '[A-Za-z0-9_./-]';
/** What methods are of. */
export const METHOD_CHARACTER = '[A-Za-z/_-]';

// As long as headers may be: meshes, which hold the same, cannot count so far.
const plain = new RegExp(`^${NAME_CHARACTER}+$`);
const isMethod = new RegExp(`^${METHOD_CHARACTER}+$`);

/** What policies write: a name, what names begin with, or all. */
export const TOOL_PATTERN = /^(?:\*|[A-Za-z0-9_./-]{1,128}\*?)$/;

/** How the SEP writes what no header can hold: UTF-8 in base64. */
const encoded = /^=\?base64\?(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\?=$/;
const short = /^=\?base64\?(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)\?=$/;

/** Whether a value is one that the SEP knows: plain printable ASCII, or base64 between its marks. */
function isName(name: string): boolean {
  if (name.startsWith('=?base64?') && name.endsWith('?=')) return encoded.test(name) || short.test(name);
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name);
}

function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  if (!plain.test(name)) return false;
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/**
 * Why a rule with tools does not cover a request: `protocol_refused` where its headers cannot be relied on (none, twice,
 * broken, or a protocol version whose servers do not compare them with the body), `tool_refused` where they name something
 * else. Names that have to be encoded are none that a pattern names, but `*`.
 *
 * @param tools patterns of the rule
 * @returns undefined where it covers the request
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

/** What names begin with that a pattern covers; the pattern's name, where it is one. */
const stem = (pattern: string): string => (pattern.endsWith('*') ? pattern.slice(0, -1) : pattern);

/**
 * Messages that rules with these tools tell apart, each stood for by one: what lists, each tool that is named, one below
 * each beginning, and one that is none of them.
 */
export function toolAtoms(tools: readonly string[]): readonly McpHeaders[] {
  const [version = ''] = MCP_VERSIONS;
  const stems = [...new Set(tools.map(stem))];
  // No longer pattern begins like it: there are fewer of them than numbers.
  const fresh = (from: string): string => {
    for (let i = 0; ; i++) {
      const name = `${from}${i}`;
      if (!stems.some((other) => other.length > from.length && name.startsWith(other))) return name;
    }
  };
  const names = [...new Set([...tools.filter((it) => !it.endsWith('*')), ...['', ...stems].map(fresh)])];
  return [{ version, method: 'tools/list' }, ...names.map((name) => ({ version, method: CALL, name }))];
}

/** A message in words: its method, and what it names. */
export const messageText = ({ method = '', name }: McpHeaders): string =>
  name === undefined ? method : `${method} ${name}`;
