import { Offline } from '../../../src/cli/decide/offline.ts';
import type { Fact, Policy } from '../../../src/policy/checked/types.ts';
import { createKey, type Issuer, type SigningKey } from '../../harness/index.ts';
import type { Credential } from './types.ts';

type Claims = Record<string, unknown>;

/** Adds to a claim's list. */
function push(claims: Claims, name: string, value: unknown): void {
  claims[name] = [...new Set([...((claims[name] as unknown[]) ?? []), value])];
}

/** Makes a fact true. */
function grant(fact: Fact, policy: Policy, claims: Claims): void {
  switch (fact.op) {
    case 'group':
      push(claims, 'groups', fact.value);
      return;
    case 'is':
      claims[fact.claim] = fact.value;
      return;
    case 'role':
      grant(policy.roles[fact.value]!.fact, policy, claims);
      return;
    case 'all':
      for (const part of fact.facts) grant(part, policy, claims);
      return;
    default:
      throw new Error(`a matrix's policy has no ${fact.op}`);
  }
}

/** Seconds for which a token's text is used. */
const USED_FOR = 60;

/** Makes the tokens of cells for the gateway: valid or invalid as the assertion is behind it. */
export class Tokens {
  readonly #policy: Policy;
  readonly #issuer: Issuer;
  readonly #stranger: Promise<SigningKey>;
  readonly #made = new Map<string, { readonly text: string | undefined; readonly at: number }>();

  constructor(policy: Policy, issuer: Issuer) {
    this.#policy = policy;
    this.#issuer = issuer;
    // With the same kid: an unknown one would make the gateway call the provider again and again.
    this.#stranger = createKey('ES256', { kid: issuer.key.kid });
  }

  /** @returns undefined where no token has exactly these roles */
  async of(credential: Credential): Promise<string | undefined> {
    const { roles, flaw, agent, alone } = credential;
    const key = JSON.stringify([roles, flaw, agent, alone]);
    const now = Date.now() / 1000;
    const known = this.#made.get(key);
    if (known !== undefined && now - known.at < USED_FOR) return known.text;
    const text = await this.#make(credential, Math.floor(now));
    this.#made.set(key, { text, at: now });
    return text;
  }

  /** For an agent by a token: the client that it was issued to, which is also the subject if it acts alone. */
  #acting({ agent, alone }: Credential): Claims | undefined {
    if (agent === undefined) return { sub: 'ada' };
    const match = this.#policy.agents[agent]?.match;
    if (match?.kind !== 'client') return undefined;
    return { sub: alone ? match.client : 'ada', azp: match.client };
  }

  #claims(credential: Credential): Claims | undefined {
    const { roles, agent } = credential;
    const claims = this.#acting(credential);
    if (claims === undefined) return undefined;
    for (const role of roles) {
      const found = this.#policy.roles[role];
      if (found === undefined) return undefined;
      grant(found.fact, this.#policy, claims);
    }
    const [provider] = Object.values(this.#policy.providers);
    const offline = new Offline(this.#policy, Date.now() / 1000).ofClaims(provider!.name, claims, [provider!.name]);
    const actsFor = this.#policy.agents[agent ?? '']?.actsFor;
    const held = actsFor === undefined ? roles : roles.filter((role) => actsFor.includes(role));
    if (!offline.ok || offline.value.caller.roles.join() !== held.join()) return undefined;
    return { aud: provider!.audiences[0], ...claims };
  }

  async #make(credential: Credential, now: number): Promise<string | undefined> {
    const claims = this.#claims(credential);
    if (claims === undefined) return undefined;
    switch (credential.flaw) {
      case undefined:
        return this.#issuer.sign(claims);
      case 'garbage':
        return 'x';
      case 'unsigned':
        return `${(await this.#issuer.sign(claims, { header: { alg: 'ES256' } })).split('.').slice(0, 2).join('.')}.`;
      case 'unknown key':
        return this.#issuer.sign(claims, { key: await this.#stranger });
      case 'issuer':
        return this.#issuer.sign({ ...claims, iss: `${this.#issuer.url}.test` });
      case 'audience':
        return this.#issuer.sign({ ...claims, aud: 'other' });
      case 'expired':
        return this.#issuer.sign({ ...claims, iat: now - 700, exp: now - this.#policy.gateway.clockSkew - 5 });
      case 'altered': {
        const [header, , signature] = (await this.#issuer.sign({ ...claims, sub: 'ben' })).split('.');
        const payload = { iss: this.#issuer.url, iat: now, exp: now + 600, ...claims };
        return `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`;
      }
    }
  }
}
