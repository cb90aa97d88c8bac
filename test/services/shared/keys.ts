import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** The provider's signing keys: the first one of an algorithm signs, all are published. */
export class KeyRing {
  #keys: JWK[] = [];
  #counter = 0;

  get keys(): readonly JWK[] {
    return this.#keys;
  }

  /** Adds a key in front, so that it signs from now on. */
  async add(alg: string): Promise<string> {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `${alg.toLowerCase()}-${++this.#counter}`;
    this.#keys = [{ ...(await exportJWK(privateKey)), kid, alg, use: 'sig' }, ...this.#keys];
    return kid;
  }

  withdraw(kid: string): void {
    if (!this.#keys.some((key) => key.kid === kid)) throw new Error(`no key ${kid}`);
    this.#keys = this.#keys.filter((key) => key.kid !== kid);
  }
}
