import { isWithin, type Range, rangeText, readRange } from '../../../base/cidr.ts';
import type { Path } from '../../forms/path.ts';
import { RESERVED_PROVIDERS } from '../../forms/reserved-names.ts';
import { type DraftHost, type DraftPolicy, entriesOf, routesOf, writes } from '../../read/draft.ts';
import { allFacts, roleFacts } from '../../read/draft-facts.ts';
import type { Report } from '../../read/report.ts';

/** Checks that no client can forge facts about the request, and that hosts request the certificates they accept. */
export function checkRequestFacts(report: Report, draft: DraftPolicy): void {
  checkProxied(report, draft);
  checkCredentials(report, draft);
  for (const [name] of entriesOf(draft.providers)) {
    if (!RESERVED_PROVIDERS.includes(name)) continue;
    report.key(['providers', name], `${name} is reserved for the gateway; write another name`);
  }
}

export const asksCertificates = ({ gateway }: DraftPolicy, host: DraftHost): boolean =>
  [gateway?.tls, host.tls].some((tls) => tls !== undefined && writes(tls, 'client_ca_file'));

function checkCredentials(report: Report, draft: DraftPolicy): void {
  for (const { host, route, path } of routesOf(draft)) {
    const index = route.accept?.indexOf('certificate') ?? -1;
    if (index < 0 || asksCertificates(draft, host)) continue;
    const message = 'this host requests no certificates; add client_ca_file to gateway.tls, or remove this';
    report.add([...path, 'accept', index], message);
  }
}

/** The minimum prefix length of a trusted proxy range if networks give roles: the range may be one subnet at most. The
 * keys are the lengths of IPv4 and IPv6 addresses in bytes. */
const NARROWEST: Readonly<Record<number, number>> = { 4: 24, 16: 64 };

/** Any machine in the range of a trusted proxy can claim any client address: nginx uses the last address in
 * X-Forwarded-For that is not a trusted proxy. So the range must contain only proxies. If the network of a role
 * overlaps the range, every client in the range could get the role. */
function checkProxied(report: Report, draft: DraftPolicy): void {
  const { gateway } = draft;
  const networks = networksOf(report, draft);
  const trusted = (gateway?.trusted_proxies ?? []).map((text) => (text && readRange(text)) || undefined);
  const insecure = gateway !== undefined && writes(gateway, 'insecure_proxied_networks');
  const forged = [...wide(trusted, networks.length > 0), ...overlapping(trusted, networks)];
  if (!insecure) for (const { path, message } of forged) report.add(path, message);
  const key = ['gateway', 'insecure_proxied_networks'];
  if (forged.length > 0 || !insecure || report.touches(key)) return;
  report.key(key, 'no effect: no trusted proxy can forge an address in a network of a role; remove this');
}

const networksOf = (report: Report, draft: DraftPolicy): readonly { readonly range: Range; readonly path: Path }[] =>
  roleFacts(draft)
    .flatMap(allFacts)
    .flatMap(({ fact, path }) => {
      if (typeof fact !== 'object' || report.touches(path)) return [];
      return (fact.network ?? []).flatMap((text, index) => {
        const range = text === undefined ? undefined : readRange(text);
        return range === undefined ? [] : [{ range, path: [...path, 'network', index] }];
      });
    });

const OTHERWISE = 'trust only addresses of proxies, or write insecure_proxied_networks: true next to trusted_proxies';

/** Ranges of trusted proxies so large that they may contain clients, if networks give roles. */
const wide = (trusted: readonly (Range | undefined)[], gives: boolean) =>
  trusted.flatMap((range, index) => {
    const narrowest = range && NARROWEST[range.bytes.length];
    if (!gives || narrowest === undefined || range === undefined || range.length >= narrowest) return [];
    const message = `every address in ${rangeText(range)} can claim any other address, even one in a network that gives a role: with such roles, write a range of /${narrowest} or narrower; ${OTHERWISE}`;
    return [{ path: ['gateway', 'trusted_proxies', index], message }];
  });

const overlaps = (one: Range, other: Range): boolean =>
  isWithin(one.bytes, other, one.length) || isWithin(other.bytes, one, other.length);

const overlapping = (trusted: readonly (Range | undefined)[], networks: ReturnType<typeof networksOf>) =>
  networks.flatMap(({ range, path }) => {
    const proxies = trusted.find((it) => it !== undefined && overlaps(range, it));
    if (proxies === undefined) return [];
    const message = `it overlaps ${rangeText(proxies)} of gateway.trusted_proxies, so clients in this range can forge such an address; ${OTHERWISE}`;
    return [{ path, message }];
  });
