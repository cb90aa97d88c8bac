import type { Policy } from '../policy/types.ts';
import { decide } from '../rules/decide.ts';
import { splitUrl } from './ask.ts';
import { type Found, foundIn } from './closed.ts';
import { argument, command, type FlagsOf, flag, formatFlag, json, NO, WrongUse, YES } from './context.ts';
import { foreign } from './foreign.ts';
import type { Ask } from './http.ts';
import { gatewayAddress } from './live-gateway.ts';
import { count, type Loaded, loadValid, readText } from './load.ts';
import { network } from './provider.ts';
import type { Runtime } from './runtime.ts';
import { sourceFlags, sourceOf } from './source.ts';
import { type Paint, painter } from './style.ts';

/** A request without a credential, which nothing but the gateway may answer. */
interface Asked {
  readonly url: string;
  readonly method: 'GET';
}

/** A route that is not asked, because the policy lets anyone use it. */
interface Skipped {
  readonly url: string;
  readonly skipped: string;
}

interface Result extends Asked {
  readonly found: Found;
}

/** The first segment of a path, or the name below a wildcard, that no route names. */
const NOWHERE = 'meshgate-status';

/** Returns one URL for each route: a path that belongs to this route and not to a longer one. */
function urlOf(
  { gateway }: Policy,
  host: string,
  { path, kind }: { readonly path: string; readonly kind: string },
): string {
  const { publicPort = 443 } = gateway;
  const port = publicPort === 443 ? '' : `:${publicPort}`;
  return `https://${host.replace('*', NOWHERE)}${port}${path}${kind === 'prefix' ? `/${NOWHERE}` : ''}`;
}

/** Returns what to ask about each route of a policy. */
export function routesToAsk({ policy, rules }: Loaded): readonly (Asked | Skipped)[] {
  return policy.hosts.flatMap((host) =>
    host.routes.map((route) => {
      const url = urlOf(policy, host.name, route);
      const own = rules.filter((rule) => rule.route === route.name);
      const { allow } = decide(own, null, { route: route.name, method: 'GET' });
      return allow ? { url, skipped: 'the policy lets anyone in' } : { url, method: 'GET' as const };
    }),
  );
}

const flags = {
  gateway: flag('URL', 'Connect to this address, https://HOST:PORT, whatever the names of the hosts resolve to'),
  caFile: flag('FILE', "CA of the gateway's certificate, PEM (default: the system's)"),
  overlay: sourceFlags.overlay,
  env: sourceFlags.env,
  format: formatFlag,
} as const;

type Flags = FlagsOf<typeof flags>;

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

function checkUrl(url: string): void {
  if (!/^https?:\/\/[^/?#\s]+(?:[/?#]\S*)?$/i.test(url)) throw new WrongUse(`${url}: write https://HOST/PATH`);
}

/** Rejects a host or URL without `https://`, unless a file has this name. */
function refuseHost(runtime: Runtime, named: string): void {
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d+)?(?:\/|$)/i.test(named) || /\.(?:ya?ml|json)$/i.test(named)) return;
  try {
    runtime.read(named);
  } catch {
    throw new WrongUse(`there is no policy ${named}; for a host, write https://${named}`);
  }
}

/** How many requests are on their way at once. */
const AT_ONCE = 8;

async function askAll(ask: Ask, all: readonly Asked[], flags: Flags, ca: string | undefined): Promise<Result[]> {
  const gateway = flags.gateway === undefined ? undefined : gatewayAddress(flags.gateway);
  const one = async (asked: Asked): Promise<Result> => {
    const { host, target } = splitUrl(asked.url) ?? { host: '', target: '/' };
    const { address, port, tls } = gateway ?? gatewayAddress(asked.url.replace(/^(https?:\/\/[^/?#]*).*$/is, '$1'));
    const name = host.replace(/:\d*$/, '').toLowerCase();
    // A browser's Accept is not sent, so that the gateway says its reason and does not lead to the sign-in.
    const headers = { Accept: '*/*' };
    const request = { address, port, tls, name, authority: host, method: asked.method, target, headers };
    return { ...asked, found: foundIn(await ask({ ...request, ...(ca !== undefined && { ca }) }), request) };
  };
  const results: Result[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(one))));
  }
  return results;
}

function lineOf({ url, method, found }: Result, paint: Paint): string {
  if (found.kind === 'closed') return `${paint('good', 'closed')}   ${method} ${url}: ${found.status} ${found.by}`;
  if (found.kind === 'unknown')
    return `${paint('bad', 'unknown')}  ${method} ${url}: no answer: ${foreign(found.error)}`;
  const what = found.status < 400 ? 'answers without a credential' : 'answers, and it is not the gateway';
  return `${paint('bad', 'open')}     ${method} ${url}: ${found.status}: a service ${what}`;
}

function summary(results: readonly Result[], paint: Paint): string {
  const number = (kind: Found['kind']) => results.filter(({ found }) => found.kind === kind).length;
  const [open, unknown] = [number('open'), number('unknown')];
  if (results.length === 0) return 'nothing asked: the policy lets anyone use every route\n';
  const all = count(results.length, 'request');
  if (open + unknown === 0) return `${all}: ${paint('good', 'closed')}\n`;
  return `${all}: ${paint('bad', [`${open} open`, ...(unknown > 0 ? [`${unknown} unknown`] : [])].join(', '))}\n`;
}

/** `meshgate status`: asks hosts without a credential, and fails if a service answers. */
export const statusCommand = command({
  brief: 'Ask hosts without a credential whether the gateway protects them',
  text: 'Asks each URL without a credential. Only the gateway may answer: with a refusal and its reason, with its challenge, or with the way to its sign-in or from HTTP to HTTPS. For a policy, asks one path of each route, except routes that anyone may use. A configuration that lost the check, for example because a controller dropped a snippet, passes every test of nginx; here it is open. Needs Node. Exit code 0: the gateway refused every request; 1: a service answered, or there was no answer.',
  examples: [
    'meshgate status',
    'meshgate status https://wiki.example.com/',
    'meshgate status meshgate.yaml',
    'meshgate status --gateway https://127.0.0.1:8443 --ca-file ca.pem meshgate.yaml',
  ],
  flags,
  args: [
    { ...argument('URL', 'A URL, or the file of a policy (default ./meshgate.yaml)'), optional: true, several: true },
  ],
  async run(runtime, flags, ...args) {
    const files = args.filter((it) => !isUrl(it));
    const [named, other] = files;
    const file = args.length === 0 ? sourceOf(runtime, undefined, flags).file : named;
    if (other !== undefined) throw new WrongUse(`two policies, ${named} and ${other}: give only one`);
    if (named !== undefined) refuseHost(runtime, named);
    for (const key of ['overlay', 'env'] as const) {
      if (file === undefined && flags[key] !== undefined) throw new WrongUse(`--${key} has no effect without a policy`);
    }
    const ask = network(runtime, 'status');
    const ca = flags.caFile === undefined ? undefined : readText(runtime, flags.caFile, 'the CA');
    const loaded = file === undefined ? undefined : loadValid(runtime, sourceOf(runtime, file, flags));
    if (file !== undefined && loaded === undefined) return NO;
    for (const url of args.filter(isUrl)) checkUrl(url);
    const urls = args.filter(isUrl).map((url): Asked => ({ url, method: 'GET' }));
    const all: readonly (Asked | Skipped)[] = [...urls, ...(loaded === undefined ? [] : routesToAsk(loaded))];
    const skipped = all.flatMap((it) => ('skipped' in it ? [it] : []));
    const results = await askAll(
      ask,
      all.flatMap((it) => ('skipped' in it ? [] : [it])),
      flags,
      ca,
    );
    const isClosed = results.every(({ found }) => found.kind === 'closed');
    if (flags.format === 'json') {
      const asked = results.map(({ found, ...it }) => ({ ...it, ...found }));
      runtime.out(json({ closed: isClosed, asked, skipped }));
    } else {
      const paint = painter(runtime);
      for (const result of results) runtime.out(`${lineOf(result, paint)}\n`);
      for (const it of skipped) runtime.out(`${paint('dim', 'skipped')}  ${it.url}: ${it.skipped}\n`);
      runtime.out(summary(results, paint));
    }
    return isClosed ? YES : NO;
  },
});
