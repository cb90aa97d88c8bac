import { BlockList, isIP } from 'node:net';

/** A network with the length of its prefix. An address alone is a network of one. */
export function networkOf(cidr: string) {
  const [address = '', length, ...more] = cidr.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  if (version === 0 || more.length > 0 || !/^\d{1,3}$/.test(length ?? '0') || Number(length ?? most) > most) {
    return undefined;
  }
  return { address, version: version === 4 ? 'ipv4' : 'ipv6', length: Number(length ?? most) } as const;
}

/** Whether an address is in a network. An IPv4 address is in no IPv6 network. */
export function isInNetwork(address: string, cidr: string): boolean {
  const network = networkOf(cidr);
  const version = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  if (network === undefined || network.version !== version) return false;
  const list = new BlockList();
  list.addSubnet(network.address, network.length, network.version);
  return list.check(address, version);
}
