import type { IncomingMessage, RequestListener } from 'node:http';
import { readJson, sendJson } from './body.ts';

/** One action of an admin port: receives the query and the JSON body, and returns the JSON answer. */
export type Action = (query: URLSearchParams, body: Record<string, unknown>) => unknown;

/** The admin port of a test service: a table of `METHOD /path` → action. An error of an action is a 400 with its
 * text. */
export function admin(actions: Readonly<Record<string, Action>>): RequestListener {
  return (request, response) => {
    run(actions, request).then(
      (value) => sendJson(response, value === undefined ? 404 : 200, value ?? { title: 'no such action' }),
      (error: unknown) => sendJson(response, 400, { title: String(error) }),
    );
  };
}

async function run(actions: Readonly<Record<string, Action>>, request: IncomingMessage): Promise<unknown> {
  const [path, query] = (request.url ?? '').split('?');
  const action = actions[`${request.method} ${path}`];
  if (action === undefined) return undefined;
  return (await action(new URLSearchParams(query), await readJson(request))) ?? {};
}
