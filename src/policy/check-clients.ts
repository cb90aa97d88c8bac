import { isIssuerUrl } from './addresses.ts';
import { type DraftPolicy, type DraftProvider, entriesOf, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';

/** The keys that say how a client authenticates. */
const WAYS = ['secret_file', 'keys_file', 'cert_file'] as const;

/** Checks the clients of the providers, with which people sign in. */
export function checkClients(report: Report, draft: DraftPolicy): void {
  for (const [name, provider] of entriesOf(draft.providers)) {
    const path = ['providers', name];
    if (writes(provider, 'client')) checkClient(report, path, provider);
    if (!writes(provider, 'signin') || report.touches(path)) continue;
    if (writes(provider, 'client')) checkAsked(report, [...path, 'signin'], provider.signin);
    else report.add([...path, 'signin'], 'no effect without a client; add client: { id: … }, or remove it', 'key');
  }
  checkDomains(report, draft);
}

function checkClient(report: Report, provider: Path, { issuer, client, introspection }: DraftProvider): void {
  const path = [...provider, 'client'];
  if (issuer !== undefined && !isIssuerUrl(issuer) && introspection?.endpoint === undefined) {
    const message = `a sign-in needs the discovery document, and ${quote(issuer)} has none; remove it, or write the https: URL of the issuer`;
    report.add(path, message, 'key');
  }
  if (client === undefined || report.touches(path)) return;
  const [way, other] = WAYS.filter((key) => writes(client, key));
  if (way !== undefined && other !== undefined) {
    report.add([...path, other], `${way} is there as well; keep one of the two`, 'key');
  }
  if (writes(client, 'auth') && !writes(client, 'secret_file')) {
    report.add([...path, 'auth'], 'no effect without secret_file; remove it, or name the file of the secret', 'key');
  }
  if (writes(client, 'key_file') && !writes(client, 'cert_file')) {
    const message = 'missing key "cert_file"; write cert_file: beside key_file, or keys_file: alone';
    report.add([...path, 'cert_file'], message, 'key');
  } else if (writes(client, 'cert_file') && !writes(client, 'key_file')) {
    report.add([...path, 'key_file'], 'missing key "key_file"; write key_file: beside cert_file', 'key');
  }
}

function checkAsked(report: Report, path: Path, signin: DraftProvider['signin']): void {
  if (signin === undefined || report.touches(path)) return;
  if (Object.keys(signin).length === 0) report.add(path, 'nothing in it; write scopes: [openid], or remove it', 'key');
  const { scopes } = signin;
  if (scopes && !scopes.includes(undefined) && !scopes.includes('openid')) {
    report.add([...path, 'scopes'], 'a sign-in needs openid; write openid first', 'key');
  }
}

/** Checks `domains`: if there are several providers, the domain of an e-mail address selects one of them. */
function checkDomains(report: Report, draft: DraftPolicy): void {
  const providers = entriesOf(draft.providers);
  const clients = providers.filter(([, provider]) => writes(provider, 'client'));
  const seen = new Map<string, string>();
  for (const [name, { signin }] of clients) {
    const path = ['providers', name, 'signin', 'domains'];
    if (!writes(signin ?? {}, 'domains')) continue;
    if (clients.length === 1 && !providers.some(([it]) => report.touches(['providers', it]))) {
      report.add(path, 'no effect: there is no other provider with a client to choose; remove it', 'key');
    }
    for (const [index, domain] of (signin?.domains ?? []).entries()) {
      if (domain === undefined) continue;
      const other = seen.get(domain);
      if (other !== undefined && other !== name) {
        report.add([...path, index], `provider ${quote(other)} has this domain; keep it at one of the two`);
      }
      seen.set(domain, name);
    }
  }
}
