/** Says whether DNS has an address of a name; undefined if the servers give no answer.
 * @param servers DNS servers as `address` or `address:port`; none: those of the system */
export type InDns = (name: string, servers: readonly string[]) => Promise<boolean | undefined>;

/** The parts of Node's `dns` that are used here. */
interface NodeDns {
  readonly promises: {
    readonly Resolver: new (options: {
      timeout: number;
      tries: number;
    }) => {
      setServers(servers: readonly string[]): void;
      resolve4(name: string): Promise<readonly string[]>;
      resolve6(name: string): Promise<readonly string[]>;
    };
  };
}

const ABSENT = ['ENOTFOUND', 'ENODATA'];

/** Returns a function that asks DNS servers as nginx does: without /etc/hosts and without a search list; undefined if the
 * engine has no DNS client. */
export function systemDns(): InDns | undefined {
  const { getBuiltinModule } = process as { getBuiltinModule?(name: string): unknown };
  if (getBuiltinModule === undefined) return undefined;
  return async (name, servers) => {
    const { Resolver } = (getBuiltinModule('node:dns') as NodeDns).promises;
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    if (servers.length > 0) resolver.setServers(servers);
    const found = await Promise.all(
      [resolver.resolve4(name), resolver.resolve6(name)].map((queried) =>
        queried.then(
          () => true,
          ({ code }: { code?: string }) => (ABSENT.includes(code ?? '') ? false : undefined),
        ),
      ),
    );
    if (found.includes(true)) return true;
    return found.includes(undefined) ? undefined : false;
  };
}
