import { type Path, ROUTES } from '../../forms/path.ts';
import { type DraftHost, type DraftPolicy, type DraftRoute, entriesOf, routesOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';

type DraftProxy = NonNullable<DraftRoute['proxy']>;
type DraftCors = NonNullable<DraftRoute['cors']>;

/** Checks that the proxy and CORS settings of hosts and routes are within their limits and have an effect. */
export function checkTraffic(report: Report, draft: DraftPolicy): void {
  for (const [name, host] of entriesOf(draft.hosts)) {
    const path = ['hosts', name];
    if (host.proxy) checkProxy(report, [...path, 'proxy'], host.proxy, {});
    if (host.cors !== undefined) checkCors(report, [...path, 'cors'], host.cors, undefined);
    if (host.cors) checkMethods(report, [...path, 'cors'], host.cors, sharing(host));
  }
  for (const { host, path, route } of routesOf(draft)) {
    const grpc = draft.services?.[route.service ?? '']?.protocol === 'grpc';
    if (route.proxy && grpc) checkGrpc(report, [...path, 'proxy'], route.proxy);
    if (route.proxy) checkProxy(report, [...path, 'proxy'], route.proxy, host.proxy ?? {});
    if (route.cors !== undefined) checkCors(report, [...path, 'cors'], route.cors, host);
    if (route.cors) checkMethods(report, [...path, 'cors'], route.cors, [route]);
  }
}

const USUAL = { stream: false, buffering: true } as const;

/** @param outer the settings of the host, if these are a route's settings */
function checkProxy(report: Report, path: Path, proxy: DraftProxy, outer: DraftProxy): void {
  for (const [key, usual] of Object.entries(USUAL) as [keyof typeof USUAL, boolean][]) {
    if (proxy[key] !== usual || writes(outer, key) || (key !== 'stream' && writes(outer, 'stream'))) continue;
    if (key !== 'stream' && proxy.stream === true) continue;
    report.key([...path, key], `no effect: ${key} is ${usual} by default; remove it`);
  }
  if (proxy.stream !== true) return;
  for (const key of ['buffering', 'request_buffering'].filter((it) => writes(proxy, it))) {
    report.key([...path, key], 'with stream: true, nginx buffers nothing; keep one of the two');
  }
}

function checkGrpc(report: Report, path: Path, proxy: DraftProxy): void {
  for (const key of [...Object.keys(USUAL), 'request_buffering'].filter((it) => writes(proxy, it))) {
    report.key([...path, key], 'no effect: nginx never buffers gRPC; remove it');
  }
}

/** @param host the host of the route; absent if these are the host's own settings */
function checkCors(report: Report, path: Path, cors: DraftCors | null, host: DraftHost | undefined): void {
  if (cors === null) {
    if (host?.cors === undefined || host.cors === null) {
      report.key(path, 'no effect: without this, pages of other origins may not send requests either; remove it');
    }
    return;
  }
  const { origins = [], credentials } = cors;
  const all = report.has([...path, 'origins']) ? -1 : origins.indexOf('*');
  if (all >= 0 && credentials === true) {
    const message = 'browsers send no credentials to a service that is open to any page; write the allowed origins';
    report.add([...path, 'origins', all], message);
  } else if (all >= 0 && origins.length > 1) {
    report.add([...path, 'origins', all], '"*" stands for every origin; keep only "*", or write the allowed origins');
  }
}

const sharing = (host: DraftHost): readonly DraftRoute[] =>
  entriesOf(host[ROUTES]).flatMap(([, route]) => (writes(route, 'cors') ? [] : [route]));

/** Rejects a method that no rule of the routes allows: the gateway would deny such a request anyway. */
function checkMethods(report: Report, path: Path, { methods = [] }: DraftCors, routes: readonly DraftRoute[]): void {
  const rules = routes.flatMap((route) => route.allow ?? [undefined]);
  const allowed = new Set<string>();
  for (const rule of rules) {
    if (typeof rule !== 'object' || !writes(rule, 'methods')) return;
    for (const method of rule.methods ?? []) {
      if (method === undefined) return;
      allowed.add(method);
      if (method === 'GET') allowed.add('HEAD');
    }
  }
  if (rules.length === 0) return;
  for (const [index, method] of methods.entries()) {
    if (method === undefined || allowed.has(method)) continue;
    const message = `no effect: no rule here allows ${method}; write such a rule, or remove this`;
    report.add([...path, 'methods', index], message);
  }
}
