import { withoutSlashes } from '../../base/slashes.ts';
import { pathMistake } from '../../policy/check/routes/hosts.ts';
import type { Paths } from '../expressions.ts';
import type { Findings } from '../findings.ts';
import { comment, type Draft, freeName, type Mapping } from '../new-policy.ts';
import { covers, type Served } from '../served-paths.ts';
import { durationText, isAuthority, isHttpsUrl, isHttpUrl, isServerName, secondsOf } from '../text-forms.ts';
import { neverTrue, roleFor } from './access.ts';
import type { Settings } from './settings.ts';

export interface Upstream {
  readonly label: string;
  /** The path that oauth2-proxy matches. With a slash at its end, it stands for all paths below it. */
  readonly path: string;
  readonly uri: string;
  readonly isStatic?: true;
  /** Set if the path is rewritten. */
  readonly rewrite?: true;
  readonly passHost: boolean;
  readonly webSockets: boolean;
  readonly skipVerify: boolean;
  readonly timeout: string | undefined;
  readonly flush: string | undefined;
}

/** Reads the upstreams of flags. */
export function upstreamsOfFlags(settings: Settings): readonly Upstream[] {
  return settings.list('upstream').map((uri) => {
    const [, scheme = '', path = ''] = /^([a-z]+):\/\/[^/?#]*([^?#]*)/i.exec(uri) ?? [];
    const fragment = uri.includes('#') ? uri.slice(uri.indexOf('#') + 1) : '';
    const isRoot = scheme === 'static' || scheme === 'unix';
    return {
      label: settings.label('upstream'),
      path: scheme === 'file' && fragment !== '' ? fragment : isRoot || path === '' ? '/' : path,
      uri,
      ...(scheme === 'static' && { isStatic: true }),
      passHost: settings.is('pass-host-header', true),
      webSockets: settings.is('proxy-websockets', true),
      skipVerify: settings.is('ssl-upstream-insecure-skip-verify'),
      timeout: settings.text('upstream-timeout'),
      flush: settings.text('flush-interval'),
    };
  });
}

/** The URL of a service until a person writes the right one. */
const NO_SERVICE = 'https://fill-in.invalid';

/** Where an upstream is, without a password and without its path. */
const originOf = (uri: string): string => uri.replace(/^([a-z]+:\/\/)(?:[^/@]*@)?([^/?#]*).*$/is, '$1$2');

function pathsOf(path: string): Paths | undefined {
  if (path === '/') return { kind: 'prefix', path: '' };
  const isFolder = path.endsWith('/');
  const plain = isFolder ? withoutSlashes(path) : path;
  if (!plain.startsWith('/') || pathMistake(plain) !== undefined) return undefined;
  return { kind: isFolder ? 'below' : 'exact', path: plain };
}

const MOST_TIMEOUT = 86_400;

function proxyOf({ timeout, flush }: Upstream): Mapping {
  const seconds = timeout === undefined ? undefined : secondsOf(timeout);
  const isTimed = seconds !== undefined && seconds >= 1;
  return {
    ...(isTimed && { read_timeout: durationText(Math.min(seconds, MOST_TIMEOUT)) }),
    ...(flush !== undefined && { buffering: false }),
  };
}

function addService(upstream: Upstream, draft: Draft, findings: Findings): string {
  const { uri, label, passHost, skipVerify } = upstream;
  const origin = originOf(uri).toLowerCase();
  const isHttps = isHttpsUrl(origin);
  const isHttp = isHttpUrl(origin);
  const name = freeName(/^\w+:\/\/([a-z][a-z0-9-]*)/.exec(origin)?.[1] ?? 'app', {});
  const own = origin.replace(/^\w+:\/\//, '');
  const authority = !passHost && isAuthority(own) ? { authority: own } : {};
  const hostname = origin.replace(/^\w+:\/\/|:\d+$/g, '');
  const needsName = isHttps && !isServerName(hostname.replace(/^\[|\]$/g, 'x:'));
  const keys: Mapping = isHttps
    ? {
        url: origin,
        ...(needsName || /^[\d.]+$/.test(hostname) ? { server_name: 'fill-in.invalid' } : {}),
        ...authority,
      }
    : isHttp
      ? { insecure_url: origin, ...authority }
      : { url: NO_SERVICE, ...authority };
  const known = Object.entries(draft.services).find(([, it]) => JSON.stringify(it) === JSON.stringify(keys))?.[0];
  if (known !== undefined) return known;
  const free = freeName(name, draft.services);
  draft.services[free] = keys;
  const place = `services.${free}`;
  if (keys.server_name !== undefined) {
    findings.ask(label, `write the DNS name in the certificate of the service into ${place}.server_name`);
    comment(draft, place, 'FILL IN: server_name, the DNS name in the certificate of the service.');
  }
  if (isHttps && skipVerify) {
    findings.ask(
      label,
      `the gateway verifies the certificate of the service: write ca_file (and server_name) into ${place}`,
    );
    comment(draft, place, 'The gateway verifies this certificate: write ca_file, unless a CA of the system signed it.');
  }
  if (!isHttps && !isHttp) comment(draft, place, 'FILL IN: the URL of the service.');
  return free;
}

/** Why the gateway cannot serve the paths of an upstream; undefined if it can. */
function lackOf({ uri, isStatic, rewrite }: Upstream): string | undefined {
  if (isStatic) return 'a fixed response: nginx itself can return one, in a location of your own (docs/nginx.md)';
  if (rewrite)
    return 'the gateway does not rewrite paths: let the service accept the path that clients send, and add a route for it';
  const scheme = /^([a-z]+):/i.exec(uri)?.[1]?.toLowerCase();
  const add = 'add its URL under services and a route for it';
  if (scheme === 'file') return `the gateway serves no files: let a web server do it, and ${add}`;
  return scheme === 'unix' ? `the gateway reaches services by host and port: ${add}` : undefined;
}

const UNNAMED = 'a policy cannot name this path: add a route for the part before it, as /x/*';

/** The paths of upstreams that the gateway cannot serve. Without a route, an upstream with a shorter path gets them. */
function closedRoutes(all: readonly Paths[], served: readonly Served[], draft: Draft): readonly Served[] {
  const shadowed = all.filter((paths) =>
    served.some((it) => covers(it.paths, { kind: paths.kind === 'exact' ? 'exact' : 'prefix', path: paths.path })),
  );
  if (shadowed.length === 0) return [];
  const service = freeName('fill-in', draft.services);
  draft.services[service] = { url: NO_SERVICE };
  const allow = [roleFor(draft, 'fill-in', neverTrue(draft))];
  return shadowed.map((paths) => ({ paths, service, allow }));
}

/** Adds the services of oauth2-proxy, with the paths that each of them serves. */
export function migrateUpstreams(upstreams: readonly Upstream[], draft: Draft, findings: Findings): readonly Served[] {
  const served: Served[] = [];
  const closed: Paths[] = [];
  // A policy has no two paths that differ in case only.
  const spelled = new Map<string, string>();
  for (const upstream of upstreams) {
    const { label, uri, path, rewrite, webSockets } = upstream;
    const named = rewrite ? undefined : pathsOf(path);
    const first = named && (spelled.get(named.path.toLowerCase()) ?? named.path);
    const paths = first === named?.path ? named : undefined;
    if (paths !== undefined) spelled.set(paths.path.toLowerCase(), paths.path);
    const lack = lackOf(upstream);
    if (lack !== undefined || paths === undefined) {
      if (paths !== undefined) closed.push(paths);
      findings.lose(label, lack ?? UNNAMED, paths === undefined ? true : undefined);
      continue;
    }
    if (!isHttpUrl(originOf(uri).toLowerCase()) && !isHttpsUrl(originOf(uri).toLowerCase())) {
      findings.ask(label, 'not the URL of a service: write it under services');
    }
    if (!webSockets) findings.differ(label, 'WebSockets pass on each route that a rule allows');
    const proxy = proxyOf(upstream);
    const keys = Object.keys(proxy).length > 0 ? { proxy } : {};
    served.push({ paths, service: addService(upstream, draft, findings), keys });
  }
  if (served.length > 0) return [...served, ...closedRoutes(closed, served, draft)];
  findings.ask(
    upstreams[0]?.label ?? '--upstream',
    'no service remains that nginx can reach: write the URL of your service under services',
  );
  const service = freeName('app', draft.services);
  draft.services[service] = { url: NO_SERVICE };
  comment(draft, `services.${service}`, 'FILL IN: the URL of the service behind the gateway.');
  return [{ paths: { kind: 'prefix', path: '' }, service }];
}
