import { type Path, quote } from '../../forms/path.ts';
import {
  type DraftPolicy,
  type DraftRoute,
  entriesOf,
  type RouteAt,
  routesOf,
  serviceOf,
  writes,
} from '../../read/draft.ts';
import { restsOnNetwork } from '../../read/draft-facts.ts';
import type { Report } from '../../read/report.ts';
import { providersOfHost, takesSessions } from '../callers/signins.ts';
import { headerMistake } from './given-headers.ts';

/** Schemes that authenticate a connection, not a request. */
const CONNECTION = ['ntlm', 'negotiate', 'nego2', 'kerberos'];

/** Schemes that the gateway reads itself, and what to write instead. `query` is the word that nginx puts before the
 * header if the URL contains a token. */
const OWN: Readonly<Record<string, string>> = {
  bearer: 'write bearer: [glsa_], with the beginnings of the service’s tokens, or bearer: opaque',
  dpop: 'DPoP is a scheme of the gateway; remove it',
  query: 'the gateway uses this word itself; remove it',
};

/** Checks which credentials of services a route passes on, and that a request can have one. */
export function checkServiceCredentials(report: Report, draft: DraftPolicy): void {
  const routes = routesOf(draft).filter(({ route }) => writes(route, 'service_credential'));
  for (const at of routes) checkRoute(report, draft, at);
  checkHeader(report, draft, routes.length > 0);
}

function checkRoute(report: Report, draft: DraftPolicy, at: RouteAt): void {
  const path = [...at.path, 'service_credential'];
  const declared = at.route.service_credential;
  if (declared === undefined) return;
  if (!writes(declared, 'schemes', 'bearer') && !report.touches(path)) {
    report.key(path, 'nothing in it passes; write { schemes: [basic] }, or { bearer: [glsa_] }');
  }
  checkSchemes(report, [...path, 'schemes'], declared.schemes ?? []);
  checkBearer(report, draft, at, [...path, 'bearer'], declared.bearer);
  checkServices(report, at.route, [...path, 'services'], declared.services);
  checkReach(report, draft, at, path);
}

function checkSchemes(report: Report, path: Path, schemes: readonly (string | undefined)[]): void {
  for (const [index, scheme = ''] of schemes.entries()) {
    const lower = scheme.toLowerCase();
    const own = OWN[lower];
    if (own !== undefined) report.add([...path, index], own);
    if (!CONNECTION.includes(lower)) continue;
    const why = `${scheme} authenticates a connection, and nginx uses one connection for several callers: one caller’s requests would count as another’s`;
    report.add([...path, index], `${why}; let the service accept Basic or tokens, and remove this`);
  }
}

/** Base64 of the beginnings of a header: a brace and one of its usual members. */
const JWT = /^eyJ(?:hbGc|0eXA|raWQ|lbmM|jdHk|4NXQ)/;

type DraftBearer = NonNullable<DraftRoute['service_credential']>['bearer'];

function checkBearer(report: Report, draft: DraftPolicy, at: RouteAt, path: Path, bearer: DraftBearer): void {
  if (bearer === undefined) return;
  if (typeof bearer === 'string') {
    const queried = providersOfHost(draft, at)?.find((name) => writes(draft.providers?.[name] ?? {}, 'introspection'));
    if (queried === undefined) return;
    const why = `provider ${quote(queried)} of this host also has opaque tokens, and without a prefix the gateway could not tell whose a token is`;
    report.add(path, `${why}; write the beginnings of the service’s tokens, as in [glsa_]`);
    return;
  }
  for (const [index, prefix] of bearer.entries()) {
    if (prefix !== undefined && JWT.test(prefix)) {
      const why = 'tokens with this beginning are JWTs, and a JWT after Bearer is always for the gateway';
      report.add([...path, index], `no effect: ${why}; let clients send it in another scheme, and remove this`);
      continue;
    }
    const wider = bearer.find((it) => it !== undefined && it !== prefix && prefix?.startsWith(it));
    if (wider !== undefined) report.add([...path, index], `no effect: it begins with ${quote(wider)}; remove it`);
  }
}

/** The services that the rules of a route lead to; undefined if an error hides one. */
function servicesOf(route: DraftRoute): readonly string[] | undefined {
  const names = (route.allow ?? [undefined]).map((rule) => rule && serviceOf(route, rule));
  return names.includes(undefined) ? undefined : (names as readonly string[]);
}

type Names = readonly (string | undefined)[];

function checkServices(report: Report, route: DraftRoute, path: Path, services: Names | undefined): void {
  const reached = servicesOf(route);
  const { service: routed } = route;
  if (reached === undefined || routed === undefined) return;
  if (services === undefined) {
    if (reached.includes(routed) || report.touches(path)) return;
    const message = `no rule leads to ${quote(routed)}, so no service receives the header; write services: [${reached[0]}]`;
    report.key(path.slice(0, -1), message);
    return;
  }
  if (services.length === 1 && services[0] === routed) {
    report.key(path, 'no effect: the service of the route is the default; remove it');
    return;
  }
  for (const [index, name] of services.entries()) {
    if (name === undefined || reached.includes(name)) continue;
    report.add([...path, index], `no effect: no rule of this route leads to ${quote(name)}; remove it`);
  }
}

/** Whether a request can pass with the service's credential: a rule allows anonymous callers, or the gateway accepts
 * another credential beside it. */
function checkReach(report: Report, draft: DraftPolicy, at: RouteAt, path: Path): void {
  const { route } = at;
  if (report.touches(at.path) || report.has(['gateway']) || writes(draft.gateway ?? {}, 'credential_header')) return;
  if (takesSessions(draft, at) || route.accept?.some((it) => it === undefined || it === 'certificate')) return;
  const onNetwork = restsOnNetwork(draft);
  const isOpen = (rule: NonNullable<typeof route.allow>[number]): boolean => {
    if (typeof rule === 'object' && writes(rule, 'agent')) return false;
    const who = typeof rule === 'string' ? rule : (rule?.who ?? rule?.role);
    return who === undefined || who === 'anyone' || onNetwork.role(who);
  };
  if (route.allow === undefined || route.allow.some(isOpen)) return;
  const why = 'no effect: each rule needs a credential of the gateway, and the Authorization header has room for one';
  report.key(
    path,
    `${why}; write credential_header: X-Gateway-Authorization under gateway, or let the route accept sessions`,
  );
}

function checkHeader(report: Report, draft: DraftPolicy, isRead: boolean): void {
  const path = ['gateway', 'credential_header'];
  const name = draft.gateway?.credential_header;
  if (name === undefined) return;
  const mistake = headerMistake(draft, name);
  if (mistake !== undefined) report.add(path, mistake);
  const hidden = report.has(['hosts']) || entriesOf(draft.hosts).some(([host]) => report.touches(['hosts', host]));
  if (mistake !== undefined || isRead || hidden) return;
  report.key(path, 'no effect: no route has service_credential, so the gateway’s token is in Authorization; remove it');
}
