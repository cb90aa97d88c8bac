import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { type LiveObject, titleOf } from '../kube-object.ts';
import { serverName } from './objects.ts';
import { isManaged, liveFiles } from './parse.ts';
import { workloadsOf } from './workloads.ts';

const serversOf = (objects: readonly LiveObject[]) => objects.filter(({ kind }) => kind === 'Server');

/** Our servers that are not there: then Linkerd's default policy decides. */
export function unguarded(own: readonly LiveObject[], live: readonly LiveObject[]): readonly LiveObject[] {
  const there = new Set(serversOf(live.filter(isManaged)).map(titleOf));
  return serversOf(own).filter((it) => !there.has(titleOf(it)));
}

/** Whether no server guards the workload of a host. */
export function unguardedHosts(policy: Policy, rules: readonly Rule[], files: Readonly<Record<string, string>>) {
  const there = new Set(
    serversOf(liveFiles(files).objects.filter(isManaged)).map(
      ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
    ),
  );
  const open = workloadsOf(policy, rules).filter(
    ({ service }) => !there.has(`${service.namespace}/${serverName(service)}`),
  );
  const hosts = open.flatMap(({ service, authorities }) => [
    ...authorities.map(({ host }) => host),
    `${service.namespace}/${serverName(service)}`,
  ]);
  return (host: string): boolean => hosts.includes(host.split(' ')[0] as string);
}
