import { MCP_VERSIONS } from '../../limits.ts';
import { CALL, LISTING, METHOD_CHARACTER, NAME_CHARACTER, NOTIFICATIONS, TASKS } from '../../rules/tools.ts';

/** Headers that say what a message of MCP is (SEP-2243), as meshes write them. */
export const VERSION_HEADER = 'mcp-protocol-version';
export const METHOD_HEADER = 'mcp-method';
export const NAME_HEADER = 'mcp-name';

/** A value of a header, or those that begin so and are of these characters only: a class, as regular expressions have it. */
export type HeaderText = { readonly exact: string } | { readonly prefix: string; readonly of: string };

/** Messages that a rule with tools lets pass: all of it has to be so. */
export interface ToolMessages {
  readonly versions: readonly string[];
  readonly methods: readonly HeaderText[];
  /** `any`: see {@link ANY_NAME}; absent: it names whatever it likes, or nothing. */
  readonly names?: readonly HeaderText[] | 'any';
}

/**
 * What `*` covers, as regular expressions for a whole value, without look-ahead, which meshes do not know: what is
 * `encoded`, and what is `plain` and not `marked` as encoded.
 */
export const ANY_NAME = {
  plain: '[!-~]([ -~]*[!-~])?',
  marked: '=\\?base64\\?(.*\\?)?=',
  encoded: '=\\?base64\\?([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)\\?=',
} as const;

/** Permissions of Envoy's are content with one value of a header that fits. */
export const twiceText = (mesh: string): string =>
  `a header of a message that arrives twice passes ${mesh} if one of the two may; the gateway refuses it, and the server, which compares the headers with the message`;

/** Tools of a rule, as far as they can be told apart in what is rendered of them. */
export const namedTools = (tools: readonly string[]): readonly string[] =>
  tools.includes('*') ? ['*'] : [...new Set(tools)];

const called = (tool: string): HeaderText =>
  tool.endsWith('*') ? { prefix: tool.slice(0, -1), of: NAME_CHARACTER } : { exact: tool };

/**
 * The messages that {@link refusedTool} does not refuse, as conditions on headers: three kinds, of which a message has to be
 * one. Whatever a mesh cannot say of them is to be a gap, or refused.
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
