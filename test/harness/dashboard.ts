import { readFileSync } from 'node:fs';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** A query of the dashboard, as Prometheus gets it. */
export interface DashboardQuery {
  readonly title: string;
  readonly expr: string;
}

/** All queries of the dashboard, for all gateways and the last minute. */
export function dashboardQueries(): readonly DashboardQuery[] {
  const { panels } = JSON.parse(readFileSync('nginx/chart/monitoring/dashboard.json', 'utf8')) as {
    readonly panels: readonly Panel[];
  };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      expr: expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m'),
    })),
  );
}

/** The metric that only a gateway of a real mesh has. test/mesh/istio.test.ts asks for its queries. */
export const OF_THE_MESH = 'meshgate_mesh_enforcing';

/** A request to the API of a Prometheus. */
export async function askPrometheus<T>(host: string, path: string): Promise<T> {
  const answer = await fetch(`http://${host}:9090/api/v1/${path}`);
  const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string };
  if (status !== 'success') throw new Error(`${path}: ${error}`);
  return data;
}

export interface Found {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** The result of a query at this moment. */
export const queryPrometheus = async (host: string, expr: string): Promise<readonly Found[]> =>
  (await askPrometheus<{ result: readonly Found[] }>(host, `query?query=${encodeURIComponent(expr)}`)).result;
