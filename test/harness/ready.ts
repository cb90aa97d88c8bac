import { newAgent } from './agent.ts';
import type { Gateway } from './gateway.ts';
import type { Sent } from './http.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

/**
 * Waits until this request passes: the gateway has the keys of its provider, and nginx the address of its service. Both
 * come after nginx has begun to listen.
 */
export async function ready(gateway: Gateway, host: string, sent: Sent = {}): Promise<void> {
  await until(async () => (await gateway.send(host, sent)).status === 200, {
    what: `a request to ${host}${sent.path ?? '/'} to pass`,
    help: () => gateway.box.logs.tail(),
  });
}

/** Waits until a page redirects to its provider: the gateway has the provider's discovery document. */
export async function readyToSignIn(stage: Stage, gateway: Gateway, page: string, issuer: string): Promise<void> {
  await until(async () => new URL((await newAgent(stage).visit(page)).url).origin === new URL(issuer).origin, {
    what: `${page} to lead to ${issuer}`,
    help: () => gateway.box.logs.tail(),
  });
}
