import type { Policy } from '../../../src/policy/checked/types.ts';
import { type Ca, createCa } from '../../harness/pki.ts';
import type { Connects } from './types.ts';

/** A client certificate with its key, no TLS, or TLS without one. */
export type Client = { readonly pem?: string } | 'plain';

/** Certificates of all clients, each made once. */
export class Identities {
  readonly #policy: Policy;
  readonly #ca: Ca;
  readonly #other: Promise<Ca>;
  readonly #right: ((identity: string) => Promise<string>) | undefined;
  readonly #made = new Map<string, Promise<Client>>();

  /** @param right what the right connection is where it is not the identity's: the ingress's PEM */
  constructor(policy: Policy, ca: Ca, right?: () => Promise<string>) {
    this.#policy = policy;
    this.#ca = ca;
    this.#right = right;
    this.#other = createCa('another CA');
  }

  of(connects: Connects): Promise<Client> {
    const key = JSON.stringify(connects);
    const made = this.#made.get(key) ?? this.#make(connects);
    this.#made.set(key, made);
    return made;
  }

  async #make(connects: Connects): Promise<Client> {
    switch (connects.kind) {
      case 'right':
        return this.#right ? { pem: await this.#right(connects.identity) } : this.#own(connects.identity);
      case 'identity':
        return this.#own(connects.identity);
      case 'spiffe':
        return { pem: (await this.#ca.client(connects.spiffe)).pem };
      case 'other CA':
        return { pem: (await (await this.#other).client(this.#spiffe(connects.identity))).pem };
      case 'no certificate':
        return {};
      case 'plain':
        return 'plain';
    }
  }

  async #own(identity: string): Promise<Client> {
    return { pem: (await this.#ca.client(this.#spiffe(identity))).pem };
  }

  #spiffe(identity: string): string {
    const found = this.#policy.mesh?.identities[identity];
    if (found === undefined) throw new Error(`the policy has no identity ${identity}`);
    return found.spiffe;
  }
}
