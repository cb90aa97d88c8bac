import type { ReasonCode } from '../../../../src/base/reasons.ts';
import type { KeyName } from '../../token/maker.ts';

/**
 * What a kind's tokens look like, and what is no token of it by a hair: each line is a change of the real one and the
 * reason that must come of it. The same lines run in Node, inside njs, and at a gateway.
 */
export interface KindTable {
  /** The provider's section of a policy, as YAML or JSON; without `jwks_uri`. */
  readonly provider: Readonly<Record<string, unknown>>;
  /** The fact by which its callers pass, as in a policy, without its provider. */
  readonly role: Readonly<Record<string, unknown>>;
  readonly header: Members;
  /** Claims at a time, seconds since the epoch. */
  readonly claims: (now: number) => Members;
  /** Default: RS256 with the key `rsa`. */
  readonly alg?: string;
  readonly key?: KeyName;
  /** Its key set: the other members of each key, by the key's name. Default: {@link key} without others. */
  readonly keys?: Readonly<Partial<Record<KeyName, Members>>>;
  /** Other tokens of the kind that pass. */
  readonly passes: readonly Line[];
  readonly misses: readonly Miss[];
}

export type Members = Readonly<Record<string, unknown>>;

/** A change of the real token; `undefined` removes a member. */
export interface Line {
  readonly name: string;
  readonly header?: Members;
  readonly claims?: Members | ((now: number) => Members);
  /** None of the real claims stays. */
  readonly instead?: true;
  readonly key?: KeyName;
  readonly alg?: string;
  /** Signs by these rules instead of the header's. */
  readonly signAs?: string;
  /** The text that is sent instead of the token. */
  readonly text?: (token: string) => string;
}

export interface Miss extends Line {
  readonly reason: ReasonCode;
  /** A part of the expected detail. */
  readonly says?: string;
}

type More = Omit<Miss, 'name' | 'reason'>;

/** One line. */
export const miss = (name: string, reason: ReasonCode, more: More): Miss => ({ name, reason, ...more });

/** A change of claims alone, with the expected detail. */
export const claims = (name: string, reason: ReasonCode, changed: Members, says?: string): Miss =>
  miss(name, reason, { claims: changed, ...(says !== undefined && { says }) });

const flip = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);

/** Tokens that are not valid for any kind. */
const ALL: readonly Miss[] = [
  claims('of another issuer', 'issuer_unknown', { iss: 'https://evil.example.com' }),
  claims('of a list of issuers', 'issuer_unknown', { iss: ['https://evil.example.com'] }),
  claims('for another service', 'audience_mismatch', { aud: 'api://pay' }, 'the token is for "api://pay"'),
  claims('for no audience', 'audience_mismatch', { aud: [] }),
  claims('for a number', 'claim_absent', { aud: 7 }),
  claims('without an audience', 'claim_absent', { aud: undefined }, 'the token has no "aud"'),
  claims('without a subject', 'claim_absent', { sub: undefined }, '"sub" is not a non-empty string'),
  claims('without an end', 'claim_absent', { exp: undefined }, 'the token has no "exp"'),
  miss('that ended', 'token_expired', { claims: (now) => ({ exp: now - 60 }) }),
  miss('that is to come', 'token_not_yet_valid', { claims: (now) => ({ nbf: now + 600 }) }),
  claims('with the "events" of a logout token', 'type_refused', { events: {} }, 'so it is a logout token'),
  claims('with the "nonce" of an ID token', 'type_refused', { nonce: 'n-0S6_WzA2Mj' }, 'so it is an ID token'),
  claims('with the "at_hash" of an ID token', 'type_refused', { at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' }),
  miss('that is an ID-JAG', 'type_refused', { header: { typ: 'oauth-id-jag+jwt' }, says: 'a grant: exchange it' }),
  miss('that is a DPoP proof', 'type_refused', { header: { typ: 'dpop+jwt' }, says: 'for the header DPoP' }),
  miss('that is an assertion of the gateway', 'type_refused', { header: { typ: 'meshgate+jwt' } }),
  miss('by a key that is not published', 'signature_invalid', { key: 'rsa3072', header: { kid: 'rsa' }, alg: 'RS256' }),
  miss('by a key of another name', 'key_unknown', { header: { kid: 'another' } }),
  miss('without a signature algorithm', 'algorithm_refused', { header: { alg: 'none' }, signAs: 'RS256' }),
  miss('by its public key as a secret', 'algorithm_refused', { alg: 'HS256' }),
  miss('with another payload under its signature', 'signature_invalid', {
    text: (token) => token.replace(/\.([^.]*)\./, (_, payload) => `.${swapped(payload)}.`),
  }),
  miss('with another signature', 'signature_invalid', { text: (token) => token.replace(/[^.]*$/, flip) }),
  miss('that is encrypted', 'token_malformed', { text: () => 'e30..AAAA.AAAA.AAAA', says: 'encrypted' }),
];

const swapped = (payload: string): string => {
  const text = Buffer.from(payload, 'base64url').toString();
  return Buffer.from(text.replace(/\d(?=[,}])/, (digit) => String((Number(digit) + 1) % 10))).toString('base64url');
};

/** The lines of every kind, except these names, for which the kind has its own lines. */
export function common(...but: readonly string[]): readonly Miss[] {
  const unknown = but.filter((name) => !ALL.some((line) => line.name === name));
  if (unknown.length > 0) throw new Error(`no line of every kind: ${unknown.join(', ')}`);
  return ALL.filter(({ name }) => !but.includes(name));
}
