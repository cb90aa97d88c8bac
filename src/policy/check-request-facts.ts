import { isMappedRange, isWithin, type Range, rangeText, readRange } from '../cidr.ts';
import { type DraftFact, type DraftHost, type DraftPolicy, entriesOf, routesOf, writes } from './draft.ts';
import { allFacts, roleFacts } from './facts.ts';
import type { Path } from './path.ts';
import type { Report } from './report.ts';
import { RESERVED_PROVIDERS } from './reserved.ts';
import { oneOf } from './suggest.ts';

/** Facts of the request can be true, and certificates are asked for where they are taken. */
export function checkRequestFacts(report: Report, draft: DraftPolicy): void {
  checkProxied(report, draft);
  const asks = entriesOf(draft.hosts).some(([, host]) => asksCertificates(draft, host));
  for (const { fact, path } of roleFacts(draft).flatMap(allFacts)) {
    if (typeof fact !== 'object' || report.touches(path)) continue;
    checkNetwork(report, fact, [...path, 'network']);
    if (!writes(fact, 'certificate') || asks) continue;
    const message =
      'never true: no host asks for certificates; write gateway.tls.client_ca_file, the CA that signs them';
    report.add([...path, 'certificate'], message, 'key');
  }
  checkCredentials(report, draft);
  for (const [name] of entriesOf(draft.providers)) {
    if (!RESERVED_PROVIDERS.includes(name)) continue;
    report.add(['providers', name], `${name} is a word of the gateway’s own; write another name`, 'key');
  }
}

/** True where a client can show a certificate. */
function asksCertificates({ gateway }: DraftPolicy, host: DraftHost): boolean {
  return [gateway?.tls, host.tls].some((tls) => tls !== undefined && writes(tls, 'client_ca_file'));
}

function checkCredentials(report: Report, draft: DraftPolicy): void {
  for (const { host, route, path } of routesOf(draft)) {
    const index = route.accept?.indexOf('certificate') ?? -1;
    if (index < 0 || asksCertificates(draft, host)) continue;
    const message = 'this host asks for no certificates; add client_ca_file to gateway.tls, or remove this';
    report.add([...path, 'accept', index], message);
  }
}

function checkNetwork(report: Report, { network }: Exclude<DraftFact, string>, path: Path): void {
  const ranges = (network ?? []).map((text) => (text === undefined ? undefined : readRange(text)));
  for (const [index, range] of ranges.entries()) {
    const text = network?.[index];
    const mistake = text === undefined ? undefined : rangeMistake(text, range, ranges.slice(0, index));
    if (mistake !== undefined) report.add([...path, index], mistake);
  }
}

/**
 * A client inside a trusted proxy's range writes any address into X-Forwarded-For, and nginx believes the last one that is
 * no proxy's: a role by a network that overlaps the range is everybody's in there.
 */
function checkProxied(report: Report, draft: DraftPolicy): void {
  const { gateway } = draft;
  const trusted = (gateway?.trusted_proxies ?? []).flatMap((text) => (text && readRange(text)) || []);
  const overlaps = (one: Range, other: Range) =>
    isWithin(one.bytes, other, one.length) || isWithin(other.bytes, one, other.length);
  let found = false;
  for (const { fact, path } of roleFacts(draft).flatMap(allFacts)) {
    if (typeof fact !== 'object' || report.touches(path)) continue;
    for (const [index, text] of (fact.network ?? []).entries()) {
      const range = text === undefined ? undefined : readRange(text);
      const proxies = range && trusted.find((it) => overlaps(range, it));
      if (proxies === undefined) continue;
      found = true;
      if (gateway !== undefined && writes(gateway, 'insecure_proxied_networks')) continue;
      const message = `it overlaps ${rangeText(proxies)} of gateway.trusted_proxies, where any client can forge such an address; trust the proxies' own addresses alone, or write insecure_proxied_networks: true beside`;
      report.add([...path, 'network', index], message);
    }
  }
  const key = ['gateway', 'insecure_proxied_networks'];
  if (found || gateway === undefined || !writes(gateway, 'insecure_proxied_networks') || report.touches(key)) return;
  report.add(key, 'no effect: no network of a role overlaps trusted_proxies; remove it', 'key');
}

function rangeMistake(
  text: string,
  range: Range | undefined,
  before: readonly (Range | undefined)[],
): string | undefined {
  if (range === undefined) return `"${text}" is no range of addresses; write 10.9.0.0/24 or fd00::/8`;
  if (isMappedRange(range)) {
    const plain = rangeText({ bytes: range.bytes.slice(12), length: range.length - 96 });
    return `no client has such an address; write ${plain}`;
  }
  const address = readRange(text.replace(/\/[\s\S]*$/, range.bytes.length === 4 ? '/32' : '/128'));
  if (address?.bytes.some((byte, i) => byte !== range.bytes[i])) {
    return `what is behind the first ${range.length} bits does not count; write ${rangeText(range)}`;
  }
  const around = before.find((it) => it !== undefined && isWithin(range.bytes, it, range.length));
  return around === undefined ? undefined : `no effect: it lies in ${oneOf([rangeText(around)])}; remove it`;
}
