import type { McpHeaders } from '../../rules/tools.ts';
import { MAX_ENTRY_BYTES } from '../log/tiles.ts';

/** A line of the log: what the gateway wrote about one request. docs/log.md describes the fields. */
export interface LogLine {
  readonly id: string;
  readonly time: string;
  readonly address: string;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** The route of the policy; empty: the request has none. */
  readonly route: string;
  readonly status: number;
  readonly user: string;
  readonly roles: readonly string[];
  readonly provider: string;
  readonly agent: string;
  /** Whether the agent acted alone; absent: the line does not say. */
  readonly alone?: boolean;
  /** The headers of an MCP message; absent: the policy has no rules for tools. */
  readonly mcp?: McpHeaders;
  /** The digest of the policy. */
  readonly policy: string;
  readonly rule: string;
  readonly reason: string;
  readonly service: string;
  readonly identity: string;
  /** The addresses that nginx tried; empty: none. */
  readonly upstream: string;
  /** How long the request took, in seconds. */
  readonly duration: number;
  /** The claims that roles read, as JSON; absent: the log does not contain claims. */
  readonly claims?: string;
}

/** Stands in a field for the rest of a value that was cut. */
export const CUT = '\ufffd';

/** When the gateway decided the request of a line, in seconds since the epoch. A line has the time of the end. */
export const decidedAt = ({ time, duration }: LogLine): number => Date.parse(time) / 1000 - duration;

export const isCut = (value: string): boolean => value.includes(CUT);

/** What is wrong with a line that is longer than nginx writes lines, and that only a digest stands for in the sealed log. */
export const LONG_MISTAKE = `it has more than ${MAX_ENTRY_BYTES} bytes, and nginx writes no such line`;

/** The field that contains the claims. */
const CLAIMS_FIELD = 'meshgate.claims';

const TEXTS = {
  id: 'request_id',
  time: 'time',
  address: 'client.address',
  host: 'server.address',
  method: 'http.request.method',
  path: 'url.path',
  route: 'http.route',
  user: 'user.id',
  provider: 'meshgate.provider',
  policy: 'meshgate.policy',
  rule: 'meshgate.rule',
  reason: 'meshgate.reason',
  service: 'meshgate.service',
  identity: 'meshgate.identity',
  upstream: 'meshgate.upstream',
} as const;

/** The log's text for a request that has no route. */
const NO_ROUTE = '-';

/** The fields that only some policies have. */
const AGENT = 'meshgate.agent';
const ALONE = 'meshgate.alone';
const MCP = { method: 'mcp.method.name', name: 'gen_ai.tool.name', version: 'mcp.protocol.version' } as const;

type Fields = Readonly<Record<string, unknown>>;

const parsed = (text: string): Fields | undefined => {
  // An exception of the parser takes ten times as long as a comparison, and a file can have millions of other lines.
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
};

/** Returns the headers of the MCP message. An empty field is an absent header. */
function messageOf(fields: Fields): McpHeaders | undefined {
  if (fields[MCP.method] === undefined) return undefined;
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
  return { method: text(MCP.method), name: text(MCP.name), version: text(MCP.version) };
}

/** Reads a line of the log.
 * @returns the line, or what is wrong with it */
export function readLine(text: string): LogLine | { readonly mistake: string } {
  // A character has at most three bytes for each unit of its text.
  if (3 * text.length > MAX_ENTRY_BYTES && Buffer.byteLength(text) > MAX_ENTRY_BYTES) return { mistake: LONG_MISTAKE };
  const fields = parsed(text);
  if (fields === undefined) return { mistake: 'not a JSON object' };
  const texts: Record<string, string> = {};
  for (const [key, name] of Object.entries(TEXTS)) {
    const value = fields[name];
    if (typeof value !== 'string') return { mistake: `not a line of the log: it has no text ${name}` };
    texts[key] = value;
  }
  if (Number.isNaN(Date.parse(texts.time as string))) return { mistake: 'not a line of the log: its time is no date' };
  const { 'user.roles': roles, 'http.response.status_code': status } = fields;
  if (typeof roles !== 'string') return { mistake: 'not a line of the log: it has no text user.roles' };
  if (typeof status !== 'number') return { mistake: 'not a line of the log: it has no http.response.status_code' };
  const { [AGENT]: agent, [ALONE]: alone, [CLAIMS_FIELD]: claims, duration } = fields;
  if (typeof duration !== 'number') return { mistake: 'not a line of the log: it has no duration' };
  const mcp = messageOf(fields);
  return {
    ...(texts as Record<keyof typeof TEXTS, string>),
    route: texts.route === NO_ROUTE ? '' : (texts.route as string),
    roles: roles === '' ? [] : roles.split(','),
    status,
    duration,
    agent: typeof agent === 'string' ? agent : '',
    ...(alone !== undefined && { alone: alone === '1' || alone === true }),
    ...(mcp && { mcp }),
    ...(typeof claims === 'string' && claims !== '' && { claims }),
  };
}
