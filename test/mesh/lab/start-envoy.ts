import { type Box, envoyImage, type Stage, startContainer } from '../../harness/index.ts';
import { HUNG_MS } from './hung.ts';

const config = '/etc/envoy/envoy.json';

/** Waits for its configuration, which has an address that is only known once the container exists. */
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

/** Writes its bootstrap configuration; resolves when its workers have started. */
export async function configure(box: Box, bootstrap: string): Promise<void> {
  await box.write({ [config]: bootstrap });
  // State: Envoy's own line, which it writes once.
  await box.logs.waitFor(/starting workers/, 0, HUNG_MS);
}
