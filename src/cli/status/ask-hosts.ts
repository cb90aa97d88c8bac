import { foreign } from '../../base/hostile-text.ts';
import type { Paint } from '../common/colours.ts';
import { type FlagsOf, flag, formatFlag, NO, type Report, WrongUse, YES } from '../common/context.ts';
import { count, readText } from '../common/load.ts';
import { network } from '../common/provider.ts';
import { splitUrl } from '../decide/ask.ts';
import type { Ask } from '../machine/http.ts';
import type { Runtime } from '../machine/runtime.ts';
import { gatewayAddress } from '../test/at-gateway.ts';
import { type Found, foundIn } from './closed.ts';
import type { Asked, Skipped } from './routes-to-ask.ts';

interface Result extends Asked {
  readonly found: Found;
}

/** The flags of every command that asks hosts. */
export const askingFlags = {
  gateway: flag('URL', 'Connect to this address, https://HOST:PORT, whatever the names of the hosts resolve to'),
  caFile: flag('FILE', "CA of the gateway's certificate, PEM (default: the system's)"),
  format: formatFlag,
} as const;

type Flags = FlagsOf<typeof askingFlags>;

/** Returns what to ask for a URL of the command line. */
export function askedAt(url: string): Asked {
  if (!/^https?:\/\/[^/?#\s]+(?:[/?#]\S*)?$/i.test(url)) throw new WrongUse(`${url}: write https://HOST/PATH`);
  return { url, method: 'GET' };
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
    return {
      ...asked,
      found: foundIn(await ask({ ...request, ...(ca !== undefined && { ca }) }), { ...request, url: asked.url }),
    };
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

/** Returns a function that takes what to ask, and returns what was found. */
export function asking(runtime: Runtime, flags: Flags) {
  const ask = network(runtime, 'status');
  const ca = flags.caFile === undefined ? undefined : readText(runtime, flags.caFile, 'the CA');
  return async (all: readonly (Asked | Skipped)[]): Promise<Report> => {
    const skipped = all.flatMap((it) => ('skipped' in it ? [it] : []));
    const asked = all.flatMap((it) => ('skipped' in it ? [] : [it]));
    const results = await askAll(ask, asked, flags, ca);
    const isClosed = results.every(({ found }) => found.kind === 'closed');
    return {
      code: isClosed ? YES : NO,
      value: { closed: isClosed, asked: results.map(({ found, ...it }) => ({ ...it, ...found })), skipped },
      text: (paint) =>
        [
          ...results.map((it) => `${lineOf(it, paint)}\n`),
          ...skipped.map((it) => `${paint('dim', 'skipped')}  ${it.url}: ${it.skipped}\n`),
          summary(results, paint),
        ].join(''),
    };
  };
}
