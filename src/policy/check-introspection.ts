import { MAX_INTROSPECTION_TIMEOUT } from '../limits.ts';
import { type DraftPolicy, type DraftProvider, entriesOf, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { seconds } from './units.ts';

/** Who is asked about tokens has a client that may ask, and tokens that say nothing are one provider's of a host. */
export function checkIntrospection(report: Report, draft: DraftPolicy): void {
  for (const [name, provider] of entriesOf(draft.providers)) {
    if (writes(provider, 'introspection')) checkAsked(report, ['providers', name, 'introspection'], provider);
  }
  for (const [name, host] of entriesOf(draft.hosts)) {
    const names = host.providers ?? Object.keys(draft.providers ?? {});
    const asked = names.filter((it) => it !== undefined && writes(draft.providers?.[it] ?? {}, 'introspection'));
    if (asked.length < 2 || report.touches(['hosts', name, 'providers'])) continue;
    const message = `tokens that are no JWTs do not say whose they are, and ${asked.map((it) => quote(it ?? '')).join(' and ')} are both asked about them; keep one of the two on a host`;
    report.add(['hosts', name, 'providers'], message, writes(host, 'providers') ? undefined : 'key');
  }
}

function checkAsked(report: Report, path: Path, provider: DraftProvider): void {
  const { client, introspection } = provider;
  if (!writes(provider, 'client')) {
    const message = 'missing key "client"; write client: { id: …, secret_file: … } beside it, who may ask the provider';
    report.add(path, message, 'key');
  } else if (client !== undefined && !writes(client, 'secret_file', 'keys_file', 'cert_file')) {
    const message = 'a provider answers no client without a secret; add secret_file, keys_file or cert_file to client';
    if (!report.touches([...path.slice(0, -1), 'client'])) report.add(path, message, 'key');
  }
  if (introspection === undefined) return;
  const { cache, timeout } = introspection;
  if (cache !== undefined && seconds(cache) < 1) {
    report.add([...path, 'cache'], `${cache} is too short; write at least 1s`);
  }
  if (timeout !== undefined && (seconds(timeout) < 1 || seconds(timeout) > MAX_INTROSPECTION_TIMEOUT)) {
    report.add([...path, 'timeout'], `write 1s to ${MAX_INTROSPECTION_TIMEOUT}s`);
  }
}
