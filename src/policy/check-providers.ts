import { type DraftPolicy, entriesOf, writes } from './draft.ts';
import { namesOf } from './names.ts';
import { quote } from './path.ts';
import type { Report } from './report.ts';
import { oneOf } from './suggest.ts';

/** Issuers tell providers apart; hosts say which they accept, and subjects of two providers cannot be mixed up. */
export function checkProviders(report: Report, draft: DraftPolicy): void {
  const names = namesOf(report, 'provider');
  const issuers = new Map<string, string>();
  for (const [name, { issuer }] of entriesOf(draft.providers)) {
    const other = issuer === undefined ? undefined : issuers.get(issuer);
    if (other !== undefined) {
      const message = `provider ${quote(other)} has this issuer; list both audiences there, and remove this one`;
      report.add(['providers', name, 'issuer'], message);
    } else if (issuer !== undefined) issuers.set(issuer, name);
  }
  for (const [name, host] of entriesOf(draft.hosts)) {
    if (names && names.length > 1 && !writes(host, 'providers')) {
      const message = `missing key "providers"; write providers: with ${oneOf(names)}, in brackets`;
      report.add(['hosts', name, 'providers'], message, 'key');
    }
    checkPrefixes(report, draft, name, host.providers ?? []);
  }
}

/** `a-` + `b-x` and `a-b-` + `x` are one subject: no prefix may begin with another. */
function checkPrefixes(report: Report, draft: DraftPolicy, host: string, names: readonly (string | undefined)[]): void {
  const providers = names.flatMap((name) => (name !== undefined && draft.providers?.[name] ? [name] : []));
  const prefixOf = (name: string) => draft.providers?.[name]?.subject?.prefix ?? '';
  for (const [index, name] of providers.entries()) {
    const path = ['providers', name, 'subject', 'prefix'];
    const prefix = prefixOf(name);
    if (providers.length < 2 || report.has(path) || report.has(path.slice(0, 3))) continue;
    const clash = providers.find((other, at) => {
      const theirs = prefixOf(other);
      return other !== name && theirs !== '' && prefix.startsWith(theirs) && (at < index || prefix !== theirs);
    });
    if (prefix === '') {
      const message = `missing key "prefix": ${host} accepts several providers; write subject: { prefix: ${name}- }`;
      report.add(path, message, 'key');
    } else if (clash !== undefined) {
      const message = `begins like the prefix of ${clash}, which ${host} accepts as well; write ${name}-`;
      report.add(path, message);
    }
  }
}
