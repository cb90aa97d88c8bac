import { kindOfIssuer, providerKinds } from '../providers/index.ts';
import { isIssuerUrl } from './addresses.ts';
import { MAX_ASKED_GROUPS, MAX_INTROSPECTION_TIMEOUT } from './bounds.ts';
import {
  type DraftFact,
  type DraftPolicy,
  type DraftProvider,
  entriesOf,
  headersOf,
  repeated,
  writes,
} from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { seconds } from './units.ts';

const WAYS = ['secret_file', 'keys_file', 'cert_file'] as const;

/** Checks the clients of the providers, with which people sign in. */
export function checkClients(report: Report, draft: DraftPolicy): void {
  for (const [name, provider] of entriesOf(draft.providers)) {
    const path = ['providers', name];
    if (writes(provider, 'client')) checkClient(report, path, provider);
    if (!writes(provider, 'signin') || report.touches(path)) continue;
    if (writes(provider, 'client')) checkAsked(report, [...path, 'signin'], provider.signin);
    else report.key([...path, 'signin'], 'no effect without a client; add client: { id: … }, or remove it');
  }
  checkDomains(report, draft);
}

function checkClient(report: Report, provider: Path, { issuer, client, introspection }: DraftProvider): void {
  const path = [...provider, 'client'];
  if (issuer !== undefined && !isIssuerUrl(issuer) && introspection?.endpoint === undefined) {
    const message = `a sign-in needs the discovery document, and ${quote(issuer)} has none; remove it, or write the https: URL of the issuer`;
    report.key(path, message);
  }
  if (client === undefined || report.touches(path)) return;
  const [way, other] = WAYS.filter((key) => writes(client, key));
  if (way !== undefined && other !== undefined) {
    report.key([...path, other], `${way} is there as well; keep one of the two`);
  }
  if (writes(client, 'auth') && !writes(client, 'secret_file')) {
    report.key([...path, 'auth'], 'no effect without secret_file; remove it, or name the file of the secret');
  }
  if (writes(client, 'key_file') && !writes(client, 'cert_file')) {
    report.missing(path, 'cert_file', 'cert_file: beside key_file, or keys_file: alone');
  } else if (writes(client, 'cert_file') && !writes(client, 'key_file')) {
    report.missing(path, 'key_file', 'key_file: beside cert_file');
  }
}

function checkAsked(report: Report, path: Path, signin: DraftProvider['signin']): void {
  if (signin === undefined || report.touches(path)) return;
  if (Object.keys(signin).length === 0) report.key(path, 'nothing in it; write scopes: [openid], or remove it');
  const { scopes } = signin;
  if (scopes && !scopes.includes(undefined) && !scopes.includes('openid')) {
    report.key([...path, 'scopes'], 'a sign-in needs openid; write openid first');
  }
}

/** Checks `domains`: if there are several providers, the domain of an e-mail address selects one of them. */
function checkDomains(report: Report, draft: DraftPolicy): void {
  const providers = entriesOf(draft.providers);
  const clients = providers.filter(([, provider]) => writes(provider, 'client'));
  const pathOf = (name: string) => ['providers', name, 'signin', 'domains'];
  if (clients.length === 1 && !providers.some(([name]) => report.touches(['providers', name]))) {
    for (const [name] of clients.filter(([, { signin }]) => writes(signin ?? {}, 'domains'))) {
      report.key(pathOf(name), 'no effect: there is no other provider with a client to choose; remove it');
    }
  }
  const domains = clients.flatMap(([name, { signin }]) =>
    (signin?.domains ?? []).map((domain, index) => [name, { domain, index }] as const),
  );
  for (const [name, { index }, other] of repeated(domains, ({ domain }) => domain)) {
    if (other === name) continue;
    report.add([...pathOf(name), index], `provider ${quote(other)} has this domain; keep it at one of the two`);
  }
}

/** Checks who is asked about tokens and groups, and that a host has one provider of opaque tokens. */
export function checkIntrospection(report: Report, draft: DraftPolicy): void {
  for (const [name, provider] of entriesOf(draft.providers)) {
    if (writes(provider, 'introspection')) checkIntrospected(report, ['providers', name, 'introspection'], provider);
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

/** Only providers of a kind whose tokens may leave out groups have a groups endpoint. */
function checkGroups(report: Report, path: Path, provider: DraftProvider): void {
  checkAsking(report, path, provider);
  const { kind, issuer } = provider;
  const known = kind ?? (issuer === undefined ? undefined : kindOfIssuer(issuer));
  if (known === undefined || report.touches(path) || providerKinds[known].leftOut !== undefined) return;
  report.key(path, `no effect: a provider of the kind ${known} leaves no groups out; remove it`);
}

/** Rejects facts and headers that need all groups of a person: the gateway asks only for those that roles name. */
function checkAll(report: Report, path: Path, draft: DraftPolicy): void {
  if (report.touches(path)) return;
  const sent = headersOf(draft)
    .flatMap(({ headers }) => Object.entries(headers))
    .find(([, source]) => source === 'groups' || (typeof source === 'object' && source?.claim === 'groups'))?.[0];
  const named = entriesOf(draft.roles).flatMap(([, fact]) => namesIn(fact));
  const all =
    sent === undefined
      ? named.includes(undefined) && 'a fact with "like" reads all groups'
      : `header ${sent} sends all groups`;
  if (all) {
    report.key(path, `only the groups that roles name are asked for, and ${all}; remove one of the two`);
  } else if (new Set(named).size > MAX_ASKED_GROUPS) {
    report.key(path, `the roles name more than ${MAX_ASKED_GROUPS} groups, too many to ask for; remove it`);
  }
}

/** The groups that a fact names; undefined for a pattern. */
function namesIn(fact: DraftFact | undefined): readonly (string | undefined)[] {
  if (typeof fact !== 'object') return [];
  const inner = [...(fact.any ?? []), ...(fact.all ?? []), ...(fact.none ?? [])] as readonly (DraftFact | undefined)[];
  const own = writes(fact, 'group') ? [fact.group] : [];
  const like = fact.claim === 'groups' && writes(fact, 'like') ? [undefined] : [];
  return [...own, ...like, ...inner.flatMap(namesIn)];
}

function checkAsking(report: Report, path: Path, provider: DraftProvider): void {
  const { client } = provider;
  if (!writes(provider, 'client')) {
    const message =
      'missing key "client"; write client: { id: …, secret_file: … } beside it, which may ask the provider';
    report.key(path, message);
  } else if (client !== undefined && !writes(client, 'secret_file', 'keys_file', 'cert_file')) {
    const message =
      'a provider does not answer a client without a secret; add secret_file, keys_file or cert_file to client';
    if (!report.touches([...path.slice(0, -1), 'client'])) report.key(path, message);
  }
}

function checkIntrospected(report: Report, path: Path, provider: DraftProvider): void {
  checkAsking(report, path, provider);
  const timeout = provider.introspection?.timeout;
  if (timeout !== undefined && (seconds(timeout) < 1 || seconds(timeout) > MAX_INTROSPECTION_TIMEOUT)) {
    report.add([...path, 'timeout'], `write 1s to ${MAX_INTROSPECTION_TIMEOUT}s`);
  }
}
