import {
  DEFAULTS,
  KEYS_JOB_INTERVAL_S,
  MAX_ASSERTION_LIFETIME,
  MAX_CLOCK_SKEW,
  MIN_ASSERTION_LIFETIME,
} from '../limits.ts';
import { type DraftPolicy, entriesOf, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { seconds } from './units.ts';

const DAY_S = 86_400;

/** Checks that times are within limits and consistent, and that TLS is not configured for plain HTTP. */
export function checkGateway(report: Report, draft: DraftPolicy): void {
  const { gateway } = draft;
  if (gateway) checkTimes(report, gateway);
  checkIssuer(report, draft);
  if (gateway) checkHealth(report, gateway);
  checkTls(report, ['gateway', 'tls'], gateway?.tls);
  for (const [name, host] of entriesOf(draft.hosts)) checkTls(report, ['hosts', name, 'tls'], host.tls);
  if (!gateway?.insecure_http) return;
  const idle = (path: Path) =>
    report.add(path, 'no effect: gateway.insecure_http serves plain HTTP; remove one of the two', 'key');
  if (gateway.tls) idle(['gateway', 'tls']);
  for (const [name, host] of entriesOf(draft.hosts)) if (host.tls) idle(['hosts', name, 'tls']);
}

/** Checks that a certificate has a key. An nginx with its own certificate needs only the clients' CA. */
function checkTls(report: Report, path: Path, tls: object | undefined): void {
  if (tls === undefined || report.touches(path)) return;
  const [cert, key] = [writes(tls, 'cert_file'), writes(tls, 'key_file')];
  if (cert ? key : !key && writes(tls, 'client_ca_file')) return;
  const missing = cert ? 'key_file' : 'cert_file';
  report.add([...path, missing], `missing key "${missing}"; write ${missing}: /run/secrets/name.pem`, 'key');
}

/** Rejects a provider with the gateway's own issuer, which could vouch for assertions. */
function checkIssuer(report: Report, { gateway, providers }: DraftPolicy): void {
  const issuer = gateway?.assertion?.issuer;
  const [name] = entriesOf(providers).find(([, provider]) => issuer !== undefined && provider.issuer === issuer) ?? [];
  if (name === undefined) return;
  const message = `provider ${quote(name)} has this issuer; write a URL of the gateway itself, as in https://wiki.example.com`;
  report.add(['gateway', 'assertion', 'issuer'], message);
}

/** Checks that each port has only one listener. */
function checkHealth(report: Report, gateway: NonNullable<DraftPolicy['gateway']>): void {
  const listen = gateway.health?.listen;
  if (listen === undefined) return;
  const port = Number(String(listen).split(':').at(-1));
  const taken = port === (gateway.listen ?? DEFAULTS.listen);
  const inner = gateway.inner && port === (gateway.inner.listen ?? DEFAULTS.innerListen);
  if (!taken && !inner) return;
  const by = taken ? 'gateway.listen' : 'gateway.inner.listen';
  report.add(['gateway', 'health', 'listen'], `${by} has port ${port}; write another, as in 127.0.0.1:8081`);
}

function checkTimes(report: Report, gateway: NonNullable<DraftPolicy['gateway']>): void {
  const bound = (path: readonly string[], text: string | undefined, least: number, most: number, write: string) => {
    if (text === undefined) return;
    const time = seconds(text);
    if (time < least || time > most)
      report.add(['gateway', ...path], `${text} is too ${time < least ? 'short' : 'long'}; write ${write}`);
  };
  bound(['hsts', 'max_age'], gateway.hsts?.max_age, DAY_S, Number.POSITIVE_INFINITY, 'at least 1d');
  bound(['clock_skew'], gateway.clock_skew, 0, MAX_CLOCK_SKEW, `at most ${MAX_CLOCK_SKEW}s`);
  bound(['token_cache'], gateway.token_cache, 1, Number.POSITIVE_INFINITY, 'at least 1s');
  const keys = gateway.keys ?? {};
  const refresh = keys.refresh === undefined ? DEFAULTS.keysRefresh : seconds(keys.refresh);
  const least = KEYS_JOB_INTERVAL_S;
  bound(['keys', 'refresh'], keys.refresh, least, DEFAULTS.keysStale, `from ${least}s to 1d`);
  bound(['keys', 'cool_down'], keys.cool_down, 1, 3600, 'from 1s to 1h');
  bound(['keys', 'stale'], keys.stale, refresh, Number.POSITIVE_INFINITY, `at least the refresh, ${refresh}s`);
  const [shortest, longest] = [MIN_ASSERTION_LIFETIME, MAX_ASSERTION_LIFETIME];
  bound(['assertion', 'lifetime'], gateway.assertion?.lifetime, shortest, longest, `from ${shortest}s to ${longest}s`);
}
