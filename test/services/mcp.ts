/**
 * A real MCP server (the SDK's) over plain HTTP at /mcp: tools `search_pages`, `delete_page`, and `watch_page`, which
 * reports progress, waits until it is released, and reports again. It knows nothing of tokens: the gateway does.
 *
 * Admin port: GET /calls (tools that were called, with the caller that the gateway names), DELETE /calls, POST /release.
 * Environment: PORT, ADMIN_PORT; LEGACY=1 serves protocol versions before 2026-07-28 as well.
 */
import type { RequestListener } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, type ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { admin } from './shared/admin.ts';
import { listen, plain, setting, stopOnSignals } from './shared/listen.ts';

interface Call {
  readonly tool: string;
  readonly user?: string;
  readonly authorization?: string;
}

let calls: Call[] = [];
let release = () => {};

function note(tool: string, { http }: ServerContext): void {
  const header = (name: string) => http?.req?.headers.get(name) ?? undefined;
  const [user, authorization] = [header('x-forwarded-user'), header('authorization')];
  calls.push({ tool, ...(user !== undefined && { user }), ...(authorization !== undefined && { authorization }) });
}

const reported = (text: string) => ({ content: [{ type: 'text' as const, text }] });

async function watch(context: ServerContext): Promise<void> {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const report = (progress: number) =>
    context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 2 } });
  await report(1);
  await new Promise<void>((resolve) => {
    release = resolve;
  });
  await report(2);
}

function build(): McpServer {
  const server = new McpServer({ name: 'pages', version: '1.0.0' });
  server.registerTool('search_pages', { inputSchema: z.object({ text: z.string() }) }, ({ text }, context) => {
    note('search_pages', context);
    return reported(`found ${text}`);
  });
  server.registerTool('delete_page', { inputSchema: z.object({ id: z.string() }) }, ({ id }, context) => {
    note('delete_page', context);
    return reported(`deleted ${id}`);
  });
  server.registerTool('watch_page', { inputSchema: z.object({}) }, async (_, context) => {
    note('watch_page', context);
    await watch(context);
    return reported('watched');
  });
  return server;
}

const handler = createMcpHandler(build, { legacy: setting('LEGACY', '') === '1' ? 'stateless' : 'reject' });
stopOnSignals();
// The SDK's types have no request without a method, and Node never sends one.
const serve = toNodeHandler(handler) as unknown as RequestListener;
await listen(plain(serve), Number(setting('PORT', '8080')), 'mcp');
await listen(
  plain(
    admin({
      'GET /calls': () => calls,
      'DELETE /calls': () => {
        calls = [];
      },
      'POST /release': () => release(),
    }),
  ),
  Number(setting('ADMIN_PORT', '9901')),
  'admin',
);
