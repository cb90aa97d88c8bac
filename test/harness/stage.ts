import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Network, type StartedNetwork } from 'testcontainers';
import type { Box } from './container.ts';
import { networkPrefix, removeNetwork, runId } from './docker.ts';
import { type Ca, createCa } from './pki.ts';

/** One network with all its containers, and the authorities that they trust. */
export interface Stage {
  readonly name: string;
  readonly network: StartedNetwork;
  readonly boxes: Box[];
  /** Containers that are starting. */
  readonly starting: Set<Promise<unknown>>;
  /** Checks for the end, before the containers stop. They throw if something is wrong. */
  readonly checks: (() => void)[];
  /** Signs the certificates of gateway and providers. */
  readonly ca: Ca;
  /** Signs mesh identities and the ingress. */
  readonly meshCa: Ca;
  /** Stops and removes everything. */
  close(): Promise<void>;
}

let counter = 0;

/** Opens its own network. `name` is for people: it is in container labels and in the names of saved logs. */
export async function openStage(name: string): Promise<Stage> {
  const networkName = `${networkPrefix}${runId()}-${process.pid}-${++counter}`;
  const [network, ca, meshCa] = await Promise.all([
    new Network({ nextUuid: () => networkName }).start(),
    createCa('meshgate test CA'),
    createCa('meshgate test mesh CA'),
  ]);
  const boxes: Box[] = [];
  const starting = new Set<Promise<unknown>>();
  const close = async () => {
    // State: no container joins the network any more, and all have left it.
    await Promise.allSettled(starting);
    await Promise.all(boxes.splice(0).map((box) => box.stop()));
    await removeNetwork(networkName);
  };
  return { name, network, boxes, starting, checks: [], ca, meshCa, close };
}

/** Writes every container's log to test-results/; returns the last lines for an error message. */
export function saveLogs(stage: Stage, title: string): string {
  const folder = join('test-results', 'logs');
  mkdirSync(folder, { recursive: true });
  const prefix = `${stage.name} ${title}`.replace(/[^\w.-]+/g, '-').slice(0, 120);
  const tails = stage.boxes.map((box) => {
    const file = join(folder, `${prefix}.${box.alias}.log`);
    writeFileSync(file, box.logs.lines.join('\n') + '\n');
    return `--- ${box.alias} (all of it: ${file})\n${box.logs.tail(15)}`;
  });
  return tails.join('\n');
}
