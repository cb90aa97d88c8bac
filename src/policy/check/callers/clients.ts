import { kindOfIssuer, providerKinds } from '../../../providers/index.ts';
import { isIssuerUrl } from '../../forms/addresses.ts';
import { MAX_ASKED_GROUPS } from '../../forms/bounds.ts';
import { type Path, quote } from '../../forms/path.ts';
import {
  type DraftFact,
  type DraftPolicy,
  type DraftProvider,
  entriesOf,
  headersOf,
  repeated,
  writes,
} from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { MAX_PARAMETERS, PARAMETER } from '../../schema/signin-parameters.ts';

/** Checks the clients of the providers, with which people sign in. */
export function checkClients(report: Report, draft: DraftPolicy): void {
  for (const [name, provider] of entriesOf(draft.providers)) {
    const path = ['providers', name];
    if (writes(provider, 'client')) checkClient(report, path, provider);
    if (writes(provider, 'client')) checkRequested(report, [...path, 'signin'], provider.signin);
  }
  checkDomains(report, draft);
}

function checkClient(report: Report, provider: Path, { issuer, introspection }: DraftProvider): void {
  const path = [...provider, 'client'];
  if (issuer !== undefined && !isIssuerUrl(issuer) && introspection?.endpoint === undefined) {
    const message = `a sign-in needs the discovery document, and ${quote(issuer)} has none; remove client, or write the https: URL of the issuer`;
    report.key(path, message);
  }
}

function checkRequested(report: Report, path: Path, signin: DraftProvider['signin']): void {
  if (signin === undefined || report.touches(path)) return;
  const { scopes, parameters } = signin;
  if (parameters !== undefined) checkParameters(report, [...path, 'parameters'], parameters);
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
      report.key(pathOf(name), 'no effect: no other provider has a client, so people have no choice; remove it');
    }
  }
  const domains = clients.flatMap(([name, { signin }]) =>
    (signin?.domains ?? []).map((domain, index) => [name, { domain, index }] as const),
  );
  for (const [name, { index }, other] of repeated(domains, ({ domain }) => domain)) {
    if (other === name) continue;
    report.add([...pathOf(name), index], `provider ${quote(other)} has this domain, too; keep it in one of the two`);
  }
}

/** Checks introspection and groups endpoints, and that a host has at most one provider of opaque tokens. */
export function checkIntrospection(report: Report, draft: DraftPolicy): void {
  for (const [name, provider] of entriesOf(draft.providers)) {
    if (writes(provider, 'introspection'))
      checkIntrospectionClient(report, ['providers', name, 'introspection'], provider);
    if (writes(provider, 'groups_endpoint')) {
      checkGroups(report, ['providers', name, 'groups_endpoint'], provider);
      checkAll(report, ['providers', name, 'groups_endpoint'], draft);
    }
  }
  for (const [name, host] of entriesOf(draft.hosts)) {
    const names = host.providers ?? Object.keys(draft.providers ?? {});
    const queried = names.filter((it) => it !== undefined && writes(draft.providers?.[it] ?? {}, 'introspection'));
    if (queried.length < 2 || report.touches(['hosts', name, 'providers'])) continue;
    const message = `tokens that are not JWTs do not name their provider, but the gateway would ask both ${queried.map((it) => quote(it ?? '')).join(' and ')}; keep one of the two on a host`;
    report.add(['hosts', name, 'providers'], message, writes(host, 'providers') ? undefined : 'key');
  }
}

/** Rejects a groups endpoint if tokens of the provider's kind never leave out groups. */
function checkGroups(report: Report, path: Path, provider: DraftProvider): void {
  checkIntrospectionClient(report, path, provider);
  const { kind, issuer } = provider;
  const known = kind ?? (issuer === undefined ? undefined : kindOfIssuer(issuer));
  if (known === undefined || report.touches(path) || providerKinds[known].leftOut !== undefined) return;
  report.key(path, `no effect: tokens of the kind ${known} always contain all groups; remove it`);
}

/** Rejects facts and headers that need all groups of a person: the gateway asks only about groups that roles name. */
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
    report.key(path, `the gateway asks only about groups that roles name, but ${all}; remove one of the two`);
  } else if (new Set(named).size > MAX_ASKED_GROUPS) {
    report.key(path, `the roles name more than ${MAX_ASKED_GROUPS} groups, too many to ask about; remove this`);
  }
}

/** Returns the groups that a fact names; a pattern gives undefined. */
function namesIn(fact: DraftFact | undefined): readonly (string | undefined)[] {
  if (typeof fact !== 'object') return [];
  const inner = [...(fact.any ?? []), ...(fact.all ?? []), ...(fact.none ?? [])] as readonly (DraftFact | undefined)[];
  const own = writes(fact, 'group') ? [fact.group] : [];
  const like = fact.claim === 'groups' && writes(fact, 'like') ? [undefined] : [];
  return [...own, ...like, ...inner.flatMap(namesIn)];
}

function checkIntrospectionClient(report: Report, path: Path, provider: DraftProvider): void {
  const { client } = provider;
  if (client === undefined || writes(client, 'secret_file', 'keys_file', 'cert_file')) return;
  const message =
    'a provider does not answer a client without a secret; add secret_file, keys_file or cert_file to client';
  if (!report.touches([...path.slice(0, -1), 'client'])) report.key(path, message);
}

const GATEWAY = 'the gateway sets it for each sign-in; remove it';
const TOKEN = 'it belongs to the token endpoint, and the browser must not see it; remove it';
const SECRET = 'it is a secret, and the browser must not see it; remove it';
const KEY = (key: string) => `write ${key} next to parameters instead`;
const REQUEST = 'it would replace the request of the gateway; remove it (par: true pushes the request to the provider)';

/** Why a policy may not set a parameter, by its name in lower case. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['response_type', 'client_id', 'redirect_uri', 'state', 'nonce'].map((name) => [name, GATEWAY] as const),
  ...['code_challenge', 'code_challenge_method', 'login_hint'].map((name) => [name, GATEWAY] as const),
  ...['code', 'code_verifier', 'grant_type', 'refresh_token', 'client_secret'].map((name) => [name, TOKEN] as const),
  ...['client_assertion', 'client_assertion_type'].map((name) => [name, TOKEN] as const),
  ...['password', 'assertion', 'token', 'access_token', 'id_token'].map((name) => [name, SECRET] as const),
  ...['request', 'request_uri', 'registration'].map((name) => [name, REQUEST] as const),
  ['scope', KEY('scopes: […]')],
  ['prompt', KEY('prompt')],
  ['max_age', KEY('max_age')],
  ['acr_values', KEY('acr_values: […]')],
  ['response_mode', 'the gateway reads the answer of the provider in the query only; remove it'],
  ['iss', 'it belongs to signed requests, which the gateway does not send; remove it'],
  ['id_token_hint', 'it is a token of one person; remove it'],
  ['dpop_jkt', 'the gateway has no DPoP key at the provider, so no code could be redeemed; remove it'],
]);

/** Checks the names of parameters. Some providers compare names without case, so the check does, too. */
export function checkParameters(report: Report, path: Path, written: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(written);
  if (names.length > MAX_PARAMETERS)
    report.key(path, `more than ${MAX_PARAMETERS} parameters; keep those that the provider needs`);
  const seen = new Set<string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    const why = REFUSED.get(lower);
    if (why !== undefined) report.key([...path, name], `no policy can set ${quote(name)}: ${why}`);
    else if (!PARAMETER.test(name)) {
      report.key([...path, name], 'not the name of a parameter; write letters, digits and . _ : -, a letter first');
    } else if (seen.has(lower)) {
      report.key([...path, name], 'another parameter has this name in another case; keep one of the two');
    }
    seen.add(lower);
  }
}
