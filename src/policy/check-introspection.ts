import { kindOfIssuer, providerKinds } from '../providers/index.ts';
import { MAX_ASKED_GROUPS, MAX_INTROSPECTION_TIMEOUT } from './bounds.ts';
import { type DraftFact, type DraftPolicy, type DraftProvider, entriesOf, routesOf, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { seconds } from './units.ts';

/** Checks that a provider with introspection has a client that may use the endpoint. Also checks that at most one
 * provider of a host issues opaque tokens. */
export function checkIntrospection(report: Report, draft: DraftPolicy): void {
  for (const [name, provider] of entriesOf(draft.providers)) {
    if (writes(provider, 'introspection')) checkAsked(report, ['providers', name, 'introspection'], provider);
    if (writes(provider, 'groups_endpoint')) {
      checkGroups(report, ['providers', name, 'groups_endpoint'], provider);
      checkAll(report, ['providers', name, 'groups_endpoint'], draft);
    }
  }
  for (const [name, host] of entriesOf(draft.hosts)) {
    const names = host.providers ?? Object.keys(draft.providers ?? {});
    const asked = names.filter((it) => it !== undefined && writes(draft.providers?.[it] ?? {}, 'introspection'));
    if (asked.length < 2 || report.touches(['hosts', name, 'providers'])) continue;
    const message = `tokens that are not JWTs do not name their provider, and ${asked.map((it) => quote(it ?? '')).join(' and ')} are both asked about them; keep one of the two on a host`;
    report.add(['hosts', name, 'providers'], message, writes(host, 'providers') ? undefined : 'key');
  }
}

/** Checks that only providers of a kind whose tokens may leave out groups have a groups endpoint. */
function checkGroups(report: Report, path: Path, provider: DraftProvider): void {
  checkClient(report, path, provider);
  const { kind, issuer } = provider;
  const known = kind ?? (issuer === undefined ? undefined : kindOfIssuer(issuer));
  if (known === undefined || report.touches(path) || providerKinds[known].leftOut !== undefined) return;
  report.add(path, `no effect: a provider of the kind ${known} leaves no groups out; remove it`, 'key');
}

/** Rejects facts and headers that need all groups of a person: the gateway asks the provider only for the groups that
 * roles name. */
function checkAll(report: Report, path: Path, draft: DraftPolicy): void {
  if (report.touches(path)) return;
  const layers = [
    draft,
    ...entriesOf(draft.hosts).map(([, host]) => host),
    ...routesOf(draft).map(({ route }) => route),
  ];
  const sent = layers
    .flatMap(({ headers }) => Object.entries(headers ?? {}))
    .find(([, source]) => source === 'groups' || (typeof source === 'object' && source?.claim === 'groups'))?.[0];
  const named = entriesOf(draft.roles).flatMap(([, fact]) => namesIn(fact));
  const all =
    sent === undefined
      ? named.includes(undefined) && 'a fact with "like" reads all groups'
      : `header ${sent} sends all groups`;
  if (all) {
    report.add(path, `only the groups that roles name are asked for, and ${all}; remove one of the two`, 'key');
  } else if (new Set(named).size > MAX_ASKED_GROUPS) {
    report.add(path, `the roles name more than ${MAX_ASKED_GROUPS} groups, too many to ask for; remove it`, 'key');
  }
}

/** The groups that a fact names. Contains undefined if the fact has a pattern. */
function namesIn(fact: DraftFact | undefined): readonly (string | undefined)[] {
  if (typeof fact !== 'object') return [];
  const inner = [...(fact.any ?? []), ...(fact.all ?? []), ...(fact.none ?? [])] as readonly (DraftFact | undefined)[];
  const own = writes(fact, 'group') ? [fact.group] : [];
  const like = fact.claim === 'groups' && writes(fact, 'like') ? [undefined] : [];
  return [...own, ...like, ...inner.flatMap(namesIn)];
}

function checkClient(report: Report, path: Path, provider: DraftProvider): void {
  const { client } = provider;
  if (!writes(provider, 'client')) {
    const message =
      'missing key "client"; write client: { id: …, secret_file: … } beside it, which may ask the provider';
    report.add(path, message, 'key');
  } else if (client !== undefined && !writes(client, 'secret_file', 'keys_file', 'cert_file')) {
    const message =
      'a provider does not answer a client without a secret; add secret_file, keys_file or cert_file to client';
    if (!report.touches([...path.slice(0, -1), 'client'])) report.add(path, message, 'key');
  }
}

function checkAsked(report: Report, path: Path, provider: DraftProvider): void {
  checkClient(report, path, provider);
  const { introspection } = provider;
  if (introspection === undefined) return;
  const { timeout } = introspection;
  if (timeout !== undefined && (seconds(timeout) < 1 || seconds(timeout) > MAX_INTROSPECTION_TIMEOUT)) {
    report.add([...path, 'timeout'], `write 1s to ${MAX_INTROSPECTION_TIMEOUT}s`);
  }
}
