import { MCP_VERSIONS } from '../../base/limits.ts';
import type { DecidingCaller } from '../../rules/decide/decide.ts';
import type { McpHeaders } from '../../rules/tools.ts';
import { isCut, type LogLine } from './line.ts';

/** What the rules read of a request, beside its route. */
export interface Requested {
  readonly method: string;
  readonly caller: DecidingCaller | null;
  readonly mcp?: McpHeaders;
}

/** Why the rules cannot decide a line again: a value is cut, or the caller was too long for the log. */
export type Unreadable = 'cut' | 'caller_long';

/** Reasons that only a caller with a credential gets. */
const OF_CALLERS = ['role_missing', 'step_up_required', 'scope_missing', 'actor_not_allowed', 'tool_refused'];

/** Returns the MCP headers. A log without the version does not say whether a message was refused because of it. */
const message = ({ version, ...rest }: McpHeaders, reason: string): McpHeaders => ({
  ...rest,
  version: version ?? (reason === 'protocol_refused' ? undefined : MCP_VERSIONS[0]),
});

/** Returns the request of a line as the rules read it. There are two if an agent may have been alone, because an older
 * log does not say so. */
export function requestedBy(line: LogLine): readonly Requested[] | Unreadable {
  const { method, roles, user, provider, agent, alone, mcp, reason } = line;
  if ([method, ...roles, agent].some(isCut)) return 'cut';
  const request = { method, ...(mcp && { mcp: message(mcp, reason) }) };
  if (agent !== '') {
    if (mcp !== undefined && [mcp.method, mcp.name, mcp.version].some((it) => it !== undefined && isCut(it)))
      return 'cut';
    const one = (isAlone: boolean): Requested => ({
      ...request,
      caller: { roles, agent, ...(isAlone && { alone: true as const }) },
    });
    return alone === undefined && roles.length === 0 ? [one(true), one(false)] : [one(alone === true)];
  }
  if (user !== '' || provider !== '') return [{ ...request, caller: { roles } }];
  if (OF_CALLERS.includes(reason)) return 'caller_long';
  return [{ ...request, caller: roles.length === 0 ? null : { roles, nobody: true } }];
}
