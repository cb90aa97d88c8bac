import { type McpHeaders, refusedTool } from '../../../src/rules/tools.ts';
import type { MeshRule } from '../../../src/rules/types.ts';
import { consulAssertedText } from '../../../src/targets/consul/project.ts';
import type { Bearer } from './ask.ts';

/** Whether a rule that was read from Consul, or projected for it, is for a caller and a message. */
export function isFor(
  { who, agent, alone, asserted, tools }: MeshRule,
  bearer: Bearer | null,
  message: McpHeaders,
): boolean {
  if (tools !== undefined && refusedTool(tools, message) !== undefined) return false;
  if (who.kind === 'anyone') return true;
  if (agent !== undefined && alone !== bearer?.alone) return false;
  if (bearer === null || (agent !== undefined && (agent ?? undefined) !== bearer.agent)) return false;
  if (asserted !== consulAssertedText(bearer.as ?? '', bearer.service, 'meshgate')) return false;
  return who.kind === 'authenticated' || (who.kind === 'role' && bearer.roles.includes(who.role));
}
