import { parsePolicy } from '../../policy/index.ts';
import { providerKinds } from '../../providers/index.ts';
import type { Findings } from '../findings.ts';
import type { Draft, Value } from '../new-policy.ts';
import { isClaim, isHeader } from '../text-forms.ts';
import type { Migrated } from './provider.ts';
import type { Settings } from './settings.ts';

/** A header that oauth2-proxy adds to requests, or to its own responses for nginx to copy. */
export interface Injected {
  readonly label: string;
  readonly name: string;
  /** Set if the header is in responses of oauth2-proxy. */
  readonly response: boolean;
  /** The claim of its session that the header has; absent: a secret, or a text around a claim. */
  readonly claim?: string;
}

const USER = ['user', 'email', 'groups', 'preferred_username'] as const;

const NAMES: Readonly<Record<(typeof USER)[number], string>> = {
  user: 'User',
  email: 'Email',
  groups: 'Groups',
  preferred_username: 'Preferred-Username',
};

/** The headers that flags of oauth2-proxy ask for. */
export function headersOfFlags(settings: Settings): readonly Injected[] {
  const prefers = settings.is('prefer-email-to-user');
  const claims = USER.filter((it) => !(prefers && it === 'email'));
  const passes = settings.is('pass-user-headers', true) || settings.is('pass-basic-auth', true);
  const forwarded = passes
    ? claims.map((claim) => ({
        label: '--pass-user-headers',
        name: `X-Forwarded-${NAMES[claim]}`,
        response: false,
        claim: prefers && claim === 'user' ? 'email' : claim,
      }))
    : [];
  const answered = settings.is('set-xauthrequest')
    ? USER.map((claim) => ({
        label: '--set-xauthrequest',
        name: `X-Auth-Request-${NAMES[claim]}`,
        response: true,
        claim,
      }))
    : [];
  return [...forwarded, ...answered];
}

/** Claims of oauth2-proxy's session that are tokens, or about its own cookie. */
const ITS_OWN = ['access_token', 'id_token', 'refresh_token', 'created_at', 'expires_on'];

function sourceOf(claim: string, settings: Settings, { kind }: Migrated): Value | undefined {
  if (claim === 'user') return 'subject';
  if (claim === 'email') return 'email';
  if (claim === 'groups') {
    const named = settings.text('oidc-groups-claim') ?? 'groups';
    if (kind === 'google') return undefined;
    if (named === ((providerKinds[kind] as { groups?: string }).groups ?? 'groups')) return 'groups';
    return isClaim(named) && !named.includes('${') ? { claim: named } : undefined;
  }
  return isClaim(claim) && !claim.includes('${') ? { claim } : undefined;
}

/** Whether a policy can set a header: those of HTTP and of the gateway itself are not for identities. */
export function canSet(name: string): boolean {
  if (!isHeader(name)) return false;
  const text = `version: 1\nproviders: { p: { issuer: "https://p.example", audiences: [x] } }\nservices: { s: { url: "https://s" } }\nheaders: { ${name}: subject }\nhosts: { h.example: { /*: { service: s, allow: [authenticated] } } }\n`;
  return parsePolicy(text, 'x').errors.length === 0;
}

/** Adds the headers that oauth2-proxy gives services. */
export function migrateHeaders(
  headers: readonly Injected[],
  settings: Settings,
  provider: Migrated,
  draft: Draft,
  findings: Findings,
): void {
  for (const { label, name, claim } of headers) {
    const isTaken = Object.keys(draft.headers).some((it) => it.toLowerCase() === name.toLowerCase());
    if (isTaken) continue;
    const source = claim === undefined || ITS_OWN.includes(claim) ? undefined : sourceOf(claim, settings, provider);
    if (source !== undefined && canSet(name)) {
      draft.headers[name] = source;
      findings.migrated(label, 'headers');
      continue;
    }
    const why =
      claim === undefined
        ? 'the gateway sends no fixed values and no passwords: configure the service with them, or let it verify the signed assertion (gateway.assertion)'
        : ITS_OWN.includes(claim)
          ? 'the tokens of the provider stay at the gateway: give services a signed assertion (gateway.assertion), or headers'
          : claim === 'groups'
            ? 'tokens of this provider have no groups'
            : 'no header for identities can have this name: write another one under headers';
    findings.lose(label, why);
  }
  if (Object.keys(draft.headers).length === 0) {
    // Without a section, the policy would have the default headers. One header that every caller has is enough.
    draft.headers['X-Forwarded-User'] = 'subject';
    findings.differ('headers', 'services receive X-Forwarded-User, because an empty section means the default headers');
  }
}
