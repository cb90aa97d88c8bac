import { MCP_VERSIONS } from '../../base/limits.ts';
import type { Message } from '../../policy/checked/types.ts';
import { parseMessage, toolCall } from '../../policy/forms/mcp-message.ts';
import type { McpHeaders } from '../../rules/tools.ts';
import { type FlagsOf, flag, WrongUse } from './context.ts';

/** Returns the message that the flags describe; undefined if there are no such flags. */
export function messageOf({ tool, mcp }: FlagsOf<typeof messageFlags>): Message | undefined {
  if (tool !== undefined && mcp !== undefined)
    throw new WrongUse('give --tool or --mcp, not both: a request is one message');
  return tool === undefined ? mcp : toolCall(tool);
}

/** Returns a name as a header value (SEP-2243): printable ASCII is unchanged, any other name is base64. */
function headerValue(name: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name);
  if (isPlain && !/^=\?base64\?.*\?=$/.test(name)) return name;
  return `=?base64?${Buffer.from(name).toString('base64')}?=`;
}

/** Returns the headers for a message, in the protocol version in which servers compare them with the body. */
export function mcpHeaders({ method, name }: Message): McpHeaders {
  const [version] = MCP_VERSIONS;
  return { version, method, ...(name !== undefined && { name: headerValue(name) }) };
}

/** Returns the same headers as fields of a request. */
export function mcpFields(message: Message | undefined): Readonly<Record<string, string>> {
  if (message === undefined) return {};
  const { version = '', method = '', name } = mcpHeaders(message);
  const fields = { 'MCP-Protocol-Version': version, 'Mcp-Method': method };
  return name === undefined ? fields : { ...fields, 'Mcp-Name': name };
}

function parseMcp(text: string): Message {
  const message = parseMessage(text);
  if (message === undefined) throw new Error('write METHOD or METHOD:NAME, such as tools/list or prompts/get:review');
  return message;
}

function parseTool(text: string): string {
  if (text === '') throw new Error('write the name of a tool');
  return text;
}

/** The flags for commands that explain a request. */
export const messageFlags = {
  tool: flag('NAME', 'The request calls this MCP tool, and its headers say so', parseTool),
  mcp: flag('METHOD[:NAME]', 'The request is this MCP message, and its headers say so', parseMcp),
};
