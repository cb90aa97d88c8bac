/** A listener as Envoy runs it. */
export interface Listener {
  readonly name: string;
  /** Its configuration in JSON; undefined while it is warming. */
  readonly active?: unknown;
  /** The reason why Envoy refused its newest configuration. */
  readonly refused?: string;
}

/** The configuration as an Envoy's admin port reports it. */
export interface Dump {
  /** Listeners that came from istiod. */
  readonly listeners: readonly Listener[];
  /** Route configurations that came from istiod. */
  readonly routes: readonly { readonly name: string; readonly config: unknown }[];
  /** Names of clusters that came from istiod. */
  readonly clusters: readonly string[];
  /** Names of clusters that wait for their endpoints or certificates; an older version may be in use. */
  readonly warming: readonly string[];
  /** All that came from istiod. Envoy leaves private keys out of it. */
  readonly json: unknown;
  /** One line each, for people. */
  summary(): string;
}

// biome-ignore lint/suspicious/noExplicitAny: Envoy's dump has many shapes; only what is named here is read
type Any = any;

export function readDump(text: string): Dump {
  // The bootstrap has the token for istiod.
  const configs: Any[] = JSON.parse(text).configs.filter((one: Any) => !one['@type'].endsWith('.BootstrapConfigDump'));
  const of = (type: string): Any => configs.find((config) => config['@type'].endsWith(`.${type}`)) ?? {};
  const listeners: Listener[] = (of('ListenersConfigDump').dynamic_listeners ?? []).flatMap(listenerOf);
  const routes = (of('RoutesConfigDump').dynamic_route_configs ?? []).map(({ route_config }: Any) => ({
    name: route_config?.name ?? '',
    config: route_config,
  }));
  const clustersIn = (state: string): string[] =>
    (of('ClustersConfigDump')[state] ?? []).map(({ cluster }: Any) => cluster.name);
  const clusters = clustersIn('dynamic_active_clusters');
  const warming = clustersIn('dynamic_warming_clusters');
  const summary = () =>
    [
      ...listeners.map(
        ({ name, active, refused }) => `listener ${name}: ${refused ?? (active ? 'active' : 'warming')}`,
      ),
      ...routes.map(({ name }: { name: string }) => `routes ${name}`),
      ...clusters.map((name) => `cluster ${name}`),
      ...warming.map((name) => `cluster ${name}: warming`),
    ].join('\n');
  return { listeners, routes, clusters, warming, json: configs, summary };
}

/** A listener that only drains counts as gone. */
function listenerOf({ name, active_state, warming_state, error_state }: Any): Listener[] {
  if (!active_state && !warming_state && !error_state) return [];
  return [
    {
      name: name ?? error_state.failed_configuration?.name,
      ...(active_state && !warming_state ? { active: active_state.listener } : {}),
      ...(error_state ? { refused: error_state.details } : {}),
    },
  ];
}
