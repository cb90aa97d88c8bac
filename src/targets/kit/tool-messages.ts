import { MCP_VERSIONS } from '../../limits.ts';
import { CALL, LISTING, METHOD_CHARACTER, NAME_CHARACTER, NOTIFICATIONS, TASKS } from '../../rules/tools.ts';

/** Headers that describe an MCP message (SEP-2243), as meshes write them. */
export const VERSION_HEADER = 'mcp-protocol-version';
export const METHOD_HEADER = 'mcp-method';
export const NAME_HEADER = 'mcp-name';

/** A header's exact value, or a prefix followed by characters of a class, as in regular expressions. */
export type HeaderText = { readonly exact: string } | { readonly prefix: string; readonly of: string };

/** Conditions for the messages that a rule with tools allows; all of them must be met. */
export interface ToolMessages {
  readonly versions: readonly string[];
  readonly methods: readonly HeaderText[];
  /** `any`: see {@link ANY_NAME}; absent: any name, or none. */
  readonly names?: readonly HeaderText[] | 'any';
}

/** What `*` covers, as regular expressions for a whole value. They have no look-ahead, which meshes do not support:
 * what is `encoded`, and what is `plain` and not `marked` as encoded. */
export const ANY_NAME = {
  plain: '[!-~]([ -~]*[!-~])?',
  marked: '=\\?base64\\?(.*\\?)?=',
  encoded: '=\\?base64\\?([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)\\?=',
} as const;

/** The gap that Envoy's permissions need only one matching value of a repeated header. */
export const twiceText = (mesh: string): string =>
  `a repeated header of a message passes ${mesh} if one of the two values may; the gateway denies it, and so does the server, which compares the headers with the message`;

/** The tools of a rule, as far as the rendered files distinguish them. */
export const namedTools = (tools: readonly string[]): readonly string[] =>
  tools.includes('*') ? ['*'] : [...new Set(tools)];

const called = (tool: string): HeaderText =>
  tool.endsWith('*') ? { prefix: tool.slice(0, -1), of: NAME_CHARACTER } : { exact: tool };

/** The messages that {@link refusedTool} allows, as conditions on headers: a message must meet one of three kinds. If a
 * mesh cannot express a condition, it must report a gap or deny.
 *
 * @param tools patterns of a rule, as policies write them
 */
export function toolMessages(
  tools: readonly string[],
): readonly [listing: ToolMessages, calls: ToolMessages, tasks: ToolMessages] {
  const listing: readonly HeaderText[] = [
    ...LISTING.map((exact) => ({ exact })),
    { prefix: NOTIFICATIONS, of: METHOD_CHARACTER },
  ];
  return [
    { versions: MCP_VERSIONS, methods: listing },
    {
      versions: MCP_VERSIONS,
      methods: [{ exact: CALL }],
      names: tools.includes('*') ? 'any' : namedTools(tools).map(called),
    },
    { versions: MCP_VERSIONS, methods: TASKS.map((exact) => ({ exact })), names: 'any' },
  ];
}
