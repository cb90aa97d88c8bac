import { assertionClaims } from '../../../src/assertion/claims.ts';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import { type SigningKeys, signAssertion } from '../../../src/assertion/sign.ts';
import { readSigningKeys } from '../../../src/assertion/signing-keys.ts';
import type { Assertion } from '../../../src/policy/checked/types.ts';
import { createKey, forgeToken, type SigningKey, signToken } from '../../harness/tokens.ts';
import type { Credential } from './types.ts';

/** Seconds for which one text is used: an assertion that expired a little ago must not age while a test runs. */
const USED_FOR = 5;

/** Makes the assertions of cells, as the gateway would, or wrong in one part. */
export class Assertions {
  /** JWKS with private keys, for the gateway. */
  readonly keyFile: string;
  /** JWKS of the public ones, for verifiers. */
  readonly published: string;
  readonly #keys: SigningKeys;
  readonly #stranger: SigningKey;
  readonly #made = new Map<string, { readonly text: string; readonly at: number }>();

  private constructor(keyFile: string, keys: SigningKeys, stranger: SigningKey) {
    this.keyFile = keyFile;
    this.published = keys.published;
    this.#keys = keys;
    this.#stranger = stranger;
  }

  static async create(): Promise<Assertions> {
    const keyFile = await newSigningKeys(Date.now() / 1000);
    const keys = await readSigningKeys(keyFile);
    if (typeof keys === 'string') throw new Error(keys);
    return new Assertions(keyFile, keys, await createKey('ES256'));
  }

  /**
   * The assertion of a credential.
   *
   * @param expiredFor seconds ago that an expired one expired
   */
  async of(assertion: Assertion, credential: Credential, expiredFor: number): Promise<string> {
    const key = JSON.stringify([assertion.issuer, credential, expiredFor]);
    const now = Date.now() / 1000;
    const known = this.#made.get(key);
    if (known !== undefined && now - known.at < USED_FOR) return known.text;
    const text = await this.#make(assertion, credential, now, expiredFor);
    this.#made.set(key, { text, at: now });
    return text;
  }

  async #make(assertion: Assertion, credential: Credential, now: number, expiredFor: number): Promise<string> {
    const { service, as = '', roles, flaw, agent, alone } = credential;
    const actors = [`spiffe://example.org/agents/${agent}`];
    const acting = agent !== undefined && { agent, actors, ...(alone && { alone }) };
    const caller = { provider: 'acme', subject: 'ada', roles, ...acting };
    const at = flaw === 'expired' ? now - expiredFor - assertion.lifetime : now;
    const claims = assertionClaims(assertion, { service, as }, caller, at);
    switch (flaw) {
      case 'garbage':
        return 'x';
      case 'unsigned':
        return forgeToken({ alg: 'none', typ: 'meshgate+jwt' }, claims);
      case 'unknown key':
        return signToken(this.#stranger, claims, { header: { typ: 'meshgate+jwt' } });
      case 'issuer':
        return this.#sign({ ...claims, iss: `${assertion.issuer}.test` });
      case 'altered': {
        const [header, , signature] = (await this.#sign({ ...claims, sub: 'ben' })).split('.');
        return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
      }
      default:
        return this.#sign(claims);
    }
  }

  async #sign(claims: Readonly<Record<string, unknown>>): Promise<string> {
    const made = await signAssertion(this.#keys, claims);
    if (!made.ok) throw new Error(made.detail);
    return made.value;
  }
}
