/** The parts of a message of the Model Context Protocol that rules depend on. */
export interface Message {
  /** Method of the JSON-RPC message, e.g. `tools/call`. */
  readonly method: string;
  /** Name of the tool or prompt, or URI of the resource. */
  readonly name?: string;
}

export const CALL = 'tools/call';

/** `METHOD`, or `METHOD:NAME`. The name of a method contains no colon. */
export const MCP_MESSAGE = /^([A-Za-z/_-]{1,64})(?::([^\u0000-\u001f\u007f]{1,256}))?$/;

export const toolCall = (name: string): Message => ({ method: CALL, name });

/** Parses a message such as `tools/list` or `prompts/get:review`; undefined if the text is no message. */
export function parseMessage(text: string): Message | undefined {
  const [, method, name] = MCP_MESSAGE.exec(text) ?? [];
  if (method === undefined) return undefined;
  return name === undefined ? { method } : { method, name };
}
