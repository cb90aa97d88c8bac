import { type Box, envoyImage, type Stage, startContainer } from '../../harness/index.ts';
import { HUNG_MS } from './hung.ts';

const config = '/etc/envoy/envoy.json';

/** Waits for its configuration, which holds an address that is known only once the container is there. */
const script = `echo waiting; until [ -f ${config} ]; do sleep 0.02; done; exec envoy -c ${config} --disable-hot-restart --file-flush-interval-msec 20 --concurrency 1 --drain-time-s 1`;

/** An Envoy that waits for {@link configure}: in a container of its own, or inside another box's network. */
export function startEnvoyIn(
  stage: Stage,
  alias: string,
  where: { readonly aliases: readonly string[] } | { readonly inside: Box },
): Promise<Box> {
  return startContainer(stage, {
    image: envoyImage,
    alias,
    command: ['sh', '-c', script],
    ready: /waiting/,
    ...where,
  });
}

/** Gives it its bootstrap configuration; done when its workers have started. */
export async function configure(box: Box, bootstrap: string): Promise<void> {
  await box.write({ [config]: bootstrap });
  // State: Envoy's own line; it writes it once.
  await box.logs.waitFor(/starting workers/, 0, HUNG_MS);
}
