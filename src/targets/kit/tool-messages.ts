import { MCP_VERSIONS } from '../../base/limits.ts';
import { CALL, LISTING, METHOD_CHARACTER, NAME_CHARACTER, NOTIFICATIONS, TASKS } from '../../rules/tools.ts';

/** The headers that describe an MCP message (SEP-2243), in the spelling of meshes. */
export const VERSION_HEADER = 'mcp-protocol-version';
export const METHOD_HEADER = 'mcp-method';
export const NAME_HEADER = 'mcp-name';

/** The exact value of a header, or a prefix and the class of the characters after it, as in a regular expression. */
export type HeaderText = { readonly exact: string } | { readonly prefix: string; readonly of: string };

/** Conditions for the messages that a rule with tools allows. A message must meet all of them. */
export interface ToolMessages {
  readonly versions: readonly string[];
  readonly methods: readonly HeaderText[];
  /** The names; `any`: see {@link ANY_NAME}; absent: any name, or no name. */
  readonly names?: readonly HeaderText[] | 'any';
}

/** The names that `*` covers, as regular expressions for a whole value: names that are `encoded`, and names that are
 * `plain` and not `marked` as encoded. There is no look-ahead, because meshes do not support it. */
export const ANY_NAME = {
  plain: '[!-~]([ -~]*[!-~])?',
  marked: '=\\?base64\\?(.*\\?)?=',
  encoded: '=\\?base64\\?([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)\\?=',
} as const;

/** The text of a gap: Envoy's permissions match a repeated header even if only one of its values matches. */
export const twiceText = (mesh: string): string =>
  `if a message repeats a header, it passes ${mesh} when one of the two values may pass; the gateway denies it, and so does the MCP server, which compares the headers with the message`;

/** The tools of a rule that the rendered files name. */
export const namedTools = (tools: readonly string[]) => (tools.includes('*') ? ['*'] : [...new Set(tools)]);

export const exactly = (texts: readonly string[]): readonly HeaderText[] => texts.map((exact) => ({ exact }));

const called = (tool: string): HeaderText =>
  tool.endsWith('*') ? { prefix: tool.slice(0, -1), of: NAME_CHARACTER } : { exact: tool };

/** The messages that {@link refusedTool} allows, as conditions on headers. There are three kinds of messages:
 * listings, calls and messages about tasks. If a mesh cannot express a condition, it must report a gap or deny.
 * @param tools the patterns of a rule, as policies write them */
export function toolMessages(tools: readonly string[]): readonly [ToolMessages, ToolMessages, ToolMessages] {
  const versions = MCP_VERSIONS;
  const names = tools.includes('*') ? 'any' : namedTools(tools).map(called);
  return [
    { versions, methods: [...exactly(LISTING), { prefix: NOTIFICATIONS, of: METHOD_CHARACTER }] },
    { versions, methods: exactly([CALL]), names },
    { versions, methods: exactly(TASKS), names: 'any' },
  ];
}
