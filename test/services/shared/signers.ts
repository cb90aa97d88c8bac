import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';
import { altered, type Members, type Signer, type TokenAlteration } from './alterations.ts';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs tokens, valid or with a fault. */
export class Signers {
  readonly #pairs: Readonly<Record<string, Pair>>;
  readonly #secret: Uint8Array;
  /** The default signer. */
  main: 'main' | 'next' = 'main';

  private constructor(pairs: Readonly<Record<string, Pair>>, secret: string) {
    this.#pairs = pairs;
    this.#secret = new TextEncoder().encode(secret);
  }

  static async create(secret: string): Promise<Signers> {
    const names = { main: 'RS256', next: 'RS256', stranger: 'RS256', ec: 'ES256' };
    const made = Object.entries(names).map(async ([name, alg]) => [name, await generateKeyPair(alg)] as const);
    return new Signers(Object.fromEntries(await Promise.all(made)), secret);
  }

  /** The public key of a signer, with or without its name. */
  async published(name: string, kid: boolean): Promise<JWK> {
    const jwk = await exportJWK(this.#pairs[name]!.publicKey);
    return { ...jwk, use: 'sig', alg: name === 'ec' ? 'ES256' : 'RS256', ...(kid ? { kid: name } : {}) };
  }

  /** A token of these claims, with changes. `typ` is in its header. */
  async token(
    claims: Members,
    typ: string,
    { claims: changes, header = {}, signer = this.main }: TokenAlteration = {},
  ) {
    const payload = altered(claims, changes);
    const wanted = altered({ ...heading(signer, this.main), typ }, header);
    if (signer === 'none') return `${b64(wanted)}.${b64(payload)}.`;
    const name = signer === 'spoilt' ? this.main : signer === 'spoilt-ec' ? 'ec' : signer;
    const key = signer === 'secret' ? this.#secret : this.#pairs[name]!.privateKey;
    const bytes = new TextEncoder().encode(JSON.stringify(payload));
    const jws = await new CompactSign(bytes).setProtectedHeader(wanted as { alg: string }).sign(key);
    if (name === signer) return jws;
    const [head, body, signature = ''] = jws.split('.');
    const spoilt = Buffer.from(signature, 'base64url');
    spoilt[8]! ^= 0xff;
    return `${head}.${body}.${spoilt.toString('base64url')}`;
  }
}

function heading(signer: Signer, main: string): Record<string, string> {
  if (signer === 'none') return { alg: 'none' };
  if (signer === 'secret') return { alg: 'HS256' };
  if (signer === 'ec' || signer === 'spoilt-ec') return { alg: 'ES256', kid: 'ec' };
  return { alg: 'RS256', kid: signer === 'next' ? 'next' : signer === 'main' ? 'main' : main };
}
