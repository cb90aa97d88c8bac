import { parsePolicy } from '../../policy/index.ts';
import { kindOfIssuer, ownersOf } from '../../providers/index.ts';
import type { Findings } from '../findings.ts';
import { comment, type Draft, type Fact, freeName, type Rule } from '../new-policy.ts';
import { isDomain, isPlainText } from '../text-forms.ts';
import type { Settings } from './settings.ts';

/** A further issuer whose tokens oauth2-proxy accepts. */
export interface ExtraIssuer {
  readonly name: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
}

function accepts(issuer: string, audience: string): boolean {
  const text = `version: 1\nproviders: { p: ${JSON.stringify({ issuer, audiences: [audience] })} }\nroles: { r: { all: [{ claim: sub, is: x }, { claim: repository, is: a/b }] } }\nservices: { s: { url: "https://s" } }\nhosts: { h.example: { /*: { service: s, allow: [r] } } }\n`;
  return !text.includes('${') && parsePolicy(text, 'x').errors.length === 0;
}

/** Reads `issuer=audience` pairs. */
export function extraIssuers(settings: Settings, main: string, findings: Findings): readonly ExtraIssuer[] {
  const declared = settings.list('extra-jwt-issuers');
  if (declared.length === 0) return [];
  const label = settings.label('extra-jwt-issuers');
  if (settings.isClosed) return [];
  if (!settings.is('skip-jwt-bearer-tokens')) {
    findings.lose(label, 'it has no effect without skip-jwt-bearer-tokens');
    return [];
  }
  if ((settings.values('oidc-audience-claim')[0] ?? 'aud') !== 'aud') {
    findings.lose(label, 'oauth2-proxy compares the audience with another claim than aud');
    return [];
  }
  const found = new Map<string, string[]>();
  for (const pair of declared) {
    const [, issuer = '', audience = ''] = /^(.*?)=(.*)$/s.exec(pair) ?? [];
    if (issuer === main || !isPlainText(audience) || !accepts(issuer, audience)) {
      const why = 'the gateway does not accept this issuer for bearer tokens, or it is that of the provider';
      findings.lose(label, `${JSON.stringify(issuer.slice(0, 120))}: ${why}`);
    } else found.set(issuer, [...(found.get(issuer) ?? []), audience]);
  }
  const names: Record<string, true> = {};
  return [...found].map(([issuer, audiences]) => {
    const kind = kindOfIssuer(issuer);
    const name = freeName(kind === 'generic' ? 'tokens' : `${kind}-tokens`, names);
    names[name] = true;
    return { name, issuer, audiences: [...new Set(audiences)] };
  });
}

/** Adds the providers of bearer tokens, and returns the rules for their callers. */
export function migrateIssuers(
  issuers: readonly ExtraIssuer[],
  settings: Settings,
  draft: Draft,
  findings: Findings,
): readonly Rule[] {
  const label = settings.label('extra-jwt-issuers');
  return issuers.flatMap(({ name, issuer, audiences }): readonly Rule[] => {
    draft.providers[name] = { issuer, audiences, subject: { prefix: `${name}-` } };
    const fact = factOf(name, issuer, settings);
    if (fact === undefined) {
      const why =
        'oauth2-proxy compares groups and addresses of these tokens with those of people: write a role for these callers';
      findings.ask(label, `${issuer}: ${why}`);
      comment(
        draft,
        `providers.${name}`,
        'FILL IN: no role names callers of this provider yet, so none of them passes.',
      );
      return [];
    }
    if (settings.list('email-domain').includes('*')) {
      const what = 'oauth2-proxy refuses a token that says email_verified: false, and the policy does not';
      findings.differ(label, `${issuer}: ${what}`, true);
    }
    draft.roles[`${name}-caller`] = fact;
    return [`${name}-caller`];
  });
}

/** Options whose groups callers with a token of another issuer need, too. */
const OF_PEOPLE = ['allowed-group', 'allowed-role', 'keycloak-group', 'gitlab-group', 'gitlab-project', 'google-group'];

/** The fact for callers with a token of such an issuer; undefined if oauth2-proxy lets none pass, or if the policy
 * cannot say which of them. */
function factOf(provider: string, issuer: string, settings: Settings): Fact | undefined {
  if (settings.isClosed || OF_PEOPLE.some((it) => settings.has(it))) return undefined;
  if (ownersOf[kindOfIssuer(issuer)] !== undefined) return undefined;
  const domains = settings.list('email-domain').map((it) => it.toLowerCase());
  if (domains.includes('*')) return { provider };
  const facts = domains.filter(isDomain).map((it): Fact => ({ claim: 'email', like: `*@${it}`, provider }));
  return facts.length > 1 ? { any: facts } : facts[0];
}
