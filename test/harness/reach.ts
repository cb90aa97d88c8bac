import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Throws an error of one line if this machine cannot reach a container's network. */
export function refuseUnreachable(alias: string, address: string): void {
  const own = new BlockList();
  for (const { cidr, family } of Object.values(networkInterfaces()).flatMap((all) => all ?? [])) {
    const [network, prefix] = cidr?.split('/') ?? [];
    if (network !== undefined && family === 'IPv4') own.addSubnet(network, Number(prefix), 'ipv4');
  }
  if (own.check(address)) return;
  throw new Error(
    `${alias} has the address ${address}, which this machine cannot reach: the tests need a Docker engine that runs as root on this Linux machine, not rootless, in a VM or on another machine`,
  );
}
