import { DEFAULTS, MAX_SESSION } from '../../forms/bounds.ts';
import { type Path, quote } from '../../forms/path.ts';
import { seconds } from '../../forms/units.ts';
import { type DraftPolicy, type DraftProvider, entriesOf, type RouteAt, routesOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { oneOf } from '../../read/suggest.ts';

type DraftGateway = NonNullable<DraftPolicy['gateway']>;

/** Checks that people can sign in, that a route accepts sessions, and that the times are consistent. */
export function checkSessions(report: Report, draft: DraftPolicy): void {
  const gateway = draft.gateway ?? {};
  if (report.has(['gateway'])) return;
  if (!writes(gateway, 'session')) {
    if (!report.touches(['gateway'])) checkWithout(report, draft, gateway);
    return;
  }
  checkTimes(report, gateway);
  checkSignin(report, draft, gateway);
  checkUse(report, draft);
}

const clientsOf = (draft: DraftPolicy): [string, DraftProvider][] =>
  entriesOf(draft.providers).filter(([, provider]) => writes(provider, 'client'));

function isHidden(report: Report, draft: DraftPolicy): boolean {
  const paths = [['providers'], ...entriesOf(draft.providers).map(([name]) => ['providers', name])];
  return paths.some((path) => report.touches(path));
}

/** Names of a host's providers; undefined if an error hides them. */
export function providersOfHost(draft: DraftPolicy, { host }: RouteAt): readonly string[] | undefined {
  if (!writes(host, 'providers')) return Object.keys(draft.providers ?? {});
  const names = host.providers?.filter((it) => it !== undefined);
  return names !== undefined && names.length === host.providers?.length ? names : undefined;
}

/** Whether a route accepts sessions; true if an error hides it. */
export function takesSessions(draft: DraftPolicy, at: RouteAt): boolean {
  const { accept } = at.route;
  if (writes(at.route, 'accept')) return accept?.some((it) => it === undefined || it === 'session') ?? true;
  const names = providersOfHost(draft, at);
  return names?.some((name) => writes(draft.providers?.[name] ?? {}, 'client')) ?? true;
}

/** Reports the keys for the sign-in if the policy has no sessions. All clients together are one mistake. */
function checkWithout(report: Report, draft: DraftPolicy, gateway: DraftGateway): void {
  const write = 'write session: { keys_file: /run/secrets/session.jwks } under gateway, or remove';
  const [first, ...others] = clientsOf(draft).filter(([, it]) => !writes(it, 'introspection', 'groups_endpoint'));
  if (first !== undefined) {
    report.key(['providers', first[0], 'client'], `no effect without gateway.session; ${write} this`);
    for (const [name] of others) report.mark(['providers', name, 'client']);
    return;
  }
  for (const key of ['signin', 'store'].filter((it) => writes(gateway, it))) {
    report.key(['gateway', key], `no effect without gateway.session; ${write} this`);
  }
}

function checkTimes(report: Report, { session }: DraftGateway): void {
  if (session === undefined) return;
  const bound = (key: 'idle' | 'absolute' | 'fresh', most: number, write: string) => {
    const text = session[key];
    if (text === undefined) return most;
    const time = seconds(text);
    const path = ['gateway', 'session', key];
    if (time < 1) report.add(path, `${text} is too short; write at least 1s`);
    else if (time > most) report.add(path, `${text} is longer than ${write}`);
    return Math.min(time, most);
  };
  const month = `a session may last; write at most ${MAX_SESSION / 86400}d`;
  const absolute = writes(session, 'absolute') ? bound('absolute', MAX_SESSION, month) : DEFAULTS.sessionAbsolute;
  const isKnown = !report.touches(['gateway', 'session', 'absolute']);
  const entire = `the whole session, absolute; write at most ${absolute}s, or a longer absolute`;
  const idle = bound('idle', isKnown ? absolute : MAX_SESSION, entire);
  const unused = writes(session, 'idle') ? idle : Math.min(DEFAULTS.sessionIdle, absolute);
  const sure = isKnown && !report.touches(['gateway', 'session', 'idle']);
  bound('fresh', sure ? unused : MAX_SESSION, `idle, ${unused}s, so no session would be renewed; write less`);
}

function checkSignin(report: Report, draft: DraftPolicy, { signin }: DraftGateway): void {
  if (signin === undefined || report.touches(['gateway', 'signin'])) return;
  const path = ['gateway', 'signin'];
  const { host } = signin;
  if (host !== undefined && writes(draft.hosts ?? {}, host)) {
    const message = `${quote(host)} is also under hosts, but the sign-in needs a host of its own; write another, as in auth.example.com`;
    report.add([...path, 'host'], message);
  }
}

/** Checks that people can sign in at a host, and that each client is used for sessions. */
function checkUse(report: Report, draft: DraftPolicy): void {
  const path: Path = ['gateway', 'session'];
  if (report.has(['hosts']) || isHidden(report, draft)) return;
  const clients = clientsOf(draft);
  const routes = routesOf(draft).filter((route) => takesSessions(draft, route));
  if (clients.length === 0) {
    report.key(path, 'no effect: no provider has a client; add client: { id: … } to a provider, or remove this');
  } else if (routes.length === 0) {
    report.key(path, 'no effect: no route accepts sessions; add session to the accept of a route, or remove this');
  }
  for (const [name] of routes.length === 0 ? [] : clients) {
    if (routes.some((route) => providersOfHost(draft, route)?.includes(name) ?? true)) continue;
    const message =
      'no effect: no route with sessions accepts this provider; add it to providers there, or remove this';
    report.key(['providers', name, 'client'], message);
  }
}

/** Checks that a provider of the host supports the credentials of a route, and that keys for pages have an effect. */
export function checkAccept(report: Report, draft: DraftPolicy): void {
  const routes = routesOf(draft);
  for (const route of routes) {
    checkRoute(report, draft, route);
    checkWorkers(report, route);
  }
  const missing = draft.gateway === undefined || !writes(draft.gateway, 'session');
  const clients = entriesOf(draft.providers).some(([, provider]) => writes(provider, 'client'));
  // If providers have clients but gateway.session is missing, checkWithout reports this one error.
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
  if (names === undefined || names.length === 0 || names.some((name) => isUnsure(report, draft, name))) return;
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

function isUnsure(report: Report, draft: DraftPolicy, name: string): boolean {
  const provider = draft.providers?.[name];
  return provider === undefined || report.touches(['providers', name]) || report.has(['providers', name, 'audiences']);
}
