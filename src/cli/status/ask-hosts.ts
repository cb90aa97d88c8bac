import { foreign } from '../../base/hostile-text.ts';
import { reasons } from '../../base/reasons.ts';
import { SIGNIN_PATH } from '../../session/names.ts';
import { type FlagsOf, flag, formatFlag, NO, WrongUse, YES } from '../common/context.ts';
import { readText } from '../common/load.ts';
import { count, type Paint, type Report } from '../common/print.ts';
import { network } from '../common/provider.ts';
import { splitUrl } from '../decide/ask.ts';
import type { Ask, Incoming, Outgoing } from '../machine/http.ts';
import type { Runtime } from '../machine/runtime.ts';
import { gatewayAddress, refusalReason } from '../test/at-gateway.ts';
import type { Requested, Skipped } from './routes-to-ask.ts';

/** What a request without a credential found at an address. */
type Found =
  /** The gateway refused it with a reason, or led to the sign-in or to HTTPS. */
  | { readonly kind: 'closed'; readonly status: number; readonly by: string }
  /** A service answered, or something else that is not the gateway. */
  | { readonly kind: 'open'; readonly status: number }
  | { readonly kind: 'unknown'; readonly error: string };

/** The parts of a request that its response depends on. The name is the host without a port, in lower case. */
interface Sent extends Pick<Outgoing, 'name' | 'target'> {
  readonly url: string;
}

/** Whether a response leads to the gateway's sign-in, on this host or on the host of all sign-ins. */
const leadsToSignin = (status: number, location: string): boolean =>
  [302, 303, 307].includes(status) && new RegExp(`^(?:https?://[^/?#]+)?${SIGNIN_PATH}(?:[?#]|$)`).test(location);

/** Whether a 401 has the gateway's challenge for this host. A controller that asks the gateway may replace the body. */
const hasChallenge = (status: number, challenge: string, host: string): boolean =>
  status === reasons.credential_missing.status && challenge.includes(`realm="${host}"`);

/** Whether a response leads from an `http://` URL to the same host and target over HTTPS, at any port. For an `https://`
 * URL that is asked over plain HTTP, such a response says nothing about the host. */
const leadsToHttps = (status: number, location: string, { url, name, target }: Sent): boolean =>
  /^http:/i.test(url) &&
  [301, 308].includes(status) &&
  location.replace(/^https:\/\/([^/?#:]+)(?::\d+)?(?=[/?])/i, (_, host: string) => host.toLowerCase()) ===
    name + target &&
  /^https:/i.test(location);

/** Reads a response to a request without a credential. Only what the gateway itself writes counts as closed: a service
 * may have a 401 of its own. */
function foundIn(answer: Incoming, sent: Sent): Found {
  if ('error' in answer) return { kind: 'unknown', error: answer.error };
  const { status, headers } = answer;
  const reason = refusalReason(answer);
  if (reason !== undefined) return { kind: 'closed', status, by: reason };
  if (leadsToSignin(status, headers.location ?? '')) return { kind: 'closed', status, by: 'to the sign-in' };
  if (leadsToHttps(status, headers.location ?? '', sent)) return { kind: 'closed', status, by: 'leads to HTTPS' };
  if (hasChallenge(status, headers['www-authenticate'] ?? '', sent.name)) {
    return { kind: 'closed', status, by: 'with the challenge of the gateway' };
  }
  return { kind: 'open', status };
}

interface Result extends Requested {
  readonly found: Found;
}

/** The flags of every command that asks hosts. */
export const queryFlags = {
  gateway: flag('URL', 'Connect to this address, https://HOST:PORT, whatever the names of the hosts resolve to'),
  caFile: flag('FILE', "CA of the gateway's certificate, PEM (default: the system's)"),
  format: formatFlag,
} as const;

type Flags = FlagsOf<typeof queryFlags>;

/** Returns what to ask for a URL of the command line. */
export function requestAt(url: string): Requested {
  if (!/^https?:\/\/[^/?#\s]+(?:[/?#]\S*)?$/i.test(url)) throw new WrongUse(`${url}: write https://HOST/PATH`);
  return { url, method: 'GET' };
}

/** How many requests are on their way at once. */
const AT_ONCE = 8;

async function askAll(ask: Ask, all: readonly Requested[], flags: Flags, ca: string | undefined): Promise<Result[]> {
  const gateway = flags.gateway === undefined ? undefined : gatewayAddress(flags.gateway);
  const one = async (requested: Requested): Promise<Result> => {
    const { host, target } = splitUrl(requested.url) ?? { host: '', target: '/' };
    const { address, port, tls } = gateway ?? gatewayAddress(requested.url.replace(/^(https?:\/\/[^/?#]*).*$/is, '$1'));
    const name = host.replace(/:\d*$/, '').toLowerCase();
    // A browser's Accept is not sent, so that the gateway says its reason and does not lead to the sign-in.
    const headers = { Accept: '*/*' };
    const request = { address, port, tls, name, authority: host, method: requested.method, target, headers };
    return {
      ...requested,
      found: foundIn(await ask({ ...request, ...(ca !== undefined && { ca }) }), { ...request, url: requested.url }),
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
export function query(runtime: Runtime, flags: Flags) {
  const ask = network(runtime, 'status');
  const ca = flags.caFile === undefined ? undefined : readText(runtime, flags.caFile, 'the CA');
  return async (all: readonly (Requested | Skipped)[]): Promise<Report> => {
    const skipped = all.flatMap((it) => ('skipped' in it ? [it] : []));
    const requested = all.flatMap((it) => ('skipped' in it ? [] : [it]));
    const results = await askAll(ask, requested, flags, ca);
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
