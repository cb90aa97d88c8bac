import { type DraftPolicy, entriesOf, type RouteAt, routesOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { oneOf } from '../../read/suggest.ts';
import { providersOfHost, takesSessions } from './signins.ts';

/** Checks that a provider of the host supports the credentials of a route, and that keys for pages have an effect. */
export function checkAccept(report: Report, draft: DraftPolicy): void {
  const routes = routesOf(draft);
  for (const route of routes) {
    checkRoute(report, draft, route);
    checkWorkers(report, route);
  }
  const missing = draft.gateway === undefined || !writes(draft.gateway, 'session');
  const clients = entriesOf(draft.providers).some(([, provider]) => writes(provider, 'client'));
  // If providers have clients but gateway.session is missing, signins.ts reports this one error.
  if (missing && clients) return;
  for (const [name, host] of entriesOf(draft.hosts)) {
    const own = routes.filter(({ hostName }) => hostName === name);
    if (report.touches(['hosts', name]) || own.length === 0) continue;
    if (own.some((route) => takesSessions(draft, route))) continue;
    const pages = 'pages are for browsers that sign in';
    const workers = 'the gateway refuses service workers only where people sign in';
    const idle = { owner: pages, ask: pages, service_workers: workers, insecure_service_workers: workers };
    for (const { path, route } of [{ path: ['hosts', name], route: host }, ...own]) {
      for (const [key, why] of Object.entries(idle).filter(([it]) => writes(route, it))) {
        report.key([...path, key], `no effect: no route of this host accepts sessions, and ${why}; remove it`);
      }
    }
  }
}

/** The scope of a service worker is the folder of its script. At the root, it includes the gateway's paths. */
function checkWorkers(report: Report, { path, name, route }: RouteAt): void {
  if (writes(route, 'service_workers') && (name === '/*' || /^\/[^/]*$/.test(name))) {
    const message = `a service worker from ${name} sees the sign-in, too; serve the app from a folder, as in /app/*, or write insecure_service_workers: true`;
    report.key([...path, 'service_workers'], message);
  }
}

function checkRoute(report: Report, draft: DraftPolicy, at: RouteAt): void {
  const names = providersOfHost(draft, at);
  if (names === undefined || names.length === 0 || names.some((name) => isHidden(report, draft, name))) return;
  const { accept } = at.route;
  if (writes(at.route, 'audiences') && accept && !accept.includes('bearer') && !accept.includes(undefined)) {
    const path = [...at.path, 'audiences'];
    report.key(path, 'no effect: this route accepts no tokens; add bearer to accept, or remove this');
  }
  const has = (...keys: string[]) => names.some((name) => writes(draft.providers?.[name] ?? {}, ...keys));
  for (const [index, kind] of (at.route.accept ?? []).entries()) {
    const path = [...at.path, 'accept', index];
    if (kind === 'session' && !has('client')) {
      const write = `add client: { id: … } to ${oneOf(names)}, or remove this`;
      report.add(path, `no provider of this host has a client; ${write}`);
    }
    if (kind === 'bearer' && !writes(at.route, 'audiences') && !has('audiences', 'insecure_any_audience')) {
      const message = `tokens of this host’s providers are not accepted; add audiences to ${oneOf(names)} or here, or remove this`;
      report.add(path, message);
    }
  }
}

function isHidden(report: Report, draft: DraftPolicy, name: string): boolean {
  const provider = draft.providers?.[name];
  return provider === undefined || report.touches(['providers', name]) || report.has(['providers', name, 'audiences']);
}
