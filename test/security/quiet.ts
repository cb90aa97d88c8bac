import type { Gateway } from '../harness/index.ts';

let count = 0;

/**
 * Waits until the access log has every line of the requests before: one worker writes them in order.
 *
 * @param host one on which nobody may ask for `/quiet`, so that no service is asked
 * @returns a mark after them
 */
export async function quiet(gateway: Gateway, host: string): Promise<number> {
  const path = `/quiet-${++count}`;
  const mark = gateway.mark();
  await gateway.send(host, { path });
  await gateway.box.logs.waitFor(new RegExp(`"url.path":"${path}"`), mark);
  return gateway.mark();
}
