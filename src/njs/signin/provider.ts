import fs from 'fs';
import { ok, type Result, refuse } from '../../base/reasons.ts';
import {
  assertionAudience,
  type ClientKey,
  readClientKey,
  shownSecrets,
  signClientAssertion,
} from '../../session/flow/client-assertion.ts';
import { type ClientProof, clientCall, secretsIn } from '../../session/flow/client-auth.ts';
import type { SigninMetadata } from '../../session/flow/provider-metadata.ts';
import type { Params } from '../../session/flow/query.ts';
import { readTokenAnswer, refusesClient, type TokenAnswer } from '../../session/flow/token-answer.ts';
import type { SigninProvider } from '../../session/signin-table.ts';
import { KeyFile } from '../keys/key-file.ts';
import { callProvider, mayBeUsed, NoAnswer, type ProviderAnswer } from '../shared/egress-call.ts';

/** Endpoints at which the gateway authenticates as an OAuth client. */
type ClientEndpoint = 'token' | 'par' | 'introspection' | 'revocation';

type Endpoints = { readonly [K in ClientEndpoint | 'userinfo']?: string };

/** The endpoints of a provider. `mtls`: endpoints for a client that shows a certificate. */
type Where = Endpoints & {
  readonly mtls: Endpoints;
  /** Whether the endpoints come from the policy itself. */
  readonly written?: true;
};

/** The part of a provider that its OAuth client needs. */
type ClientOf = Pick<SigninProvider, 'name' | 'kind' | 'issuer' | 'client' | 'privateAddresses'>;

/** A provider at which people sign in, with its discovery document. */
export interface AtProvider {
  readonly provider: SigninProvider;
  readonly metadata: SigninMetadata;
}

/** A provider that its OAuth client calls, with its endpoints. */
interface CalledAt {
  readonly provider: ClientOf;
  readonly metadata: Where;
}

/** An answer of UserInfo and its media type. */
interface Userinfo {
  readonly text: string;
  readonly type: string;
}

/** Statuses with which UserInfo rejects the token, or knows no such person (RFC 6750 section 3.1). */
const REFUSALS: readonly number[] = [401, 403, 404];

/** The types of an answer of UserInfo. The registration of the client decides whether the answer is signed. */
const USERINFO_TYPES = 'application/json, application/jwt';

/** The answer of the token endpoint to a code. `lost`: the code may be used up, and the result is not known. */
type CodeAnswer =
  | Exclude<TokenAnswer, { kind: 'broken' }>
  | { readonly kind: 'broken'; readonly error: string; readonly lost: boolean };

/** An answer, and the secrets of the request, which must not be logged. */
export type ClientAnswer = ProviderAnswer & { readonly secrets: readonly string[] };

/** Calls providers as their registered OAuth client. The credentials are read from their files for each call. */
export class ProviderClient {
  readonly #egress: string;
  readonly #without: string;
  readonly #keys = new Map<string, KeyFile<ClientKey>>();

  /** @param without what does not work if a file of keys is missing or broken, for the log */
  constructor(egress: string, without = 'people cannot sign in') {
    this.#egress = egress;
    this.#without = without;
  }

  #keyFile(path: string): KeyFile<ClientKey> {
    let file = this.#keys.get(path);
    if (file === undefined) {
      file = new KeyFile(path, readClientKey, this.#without);
      this.#keys.set(path, file);
    }
    return file;
  }

  /** Returns the client's credentials, the newest first. There are several secrets while one replaces another. */
  async #shown(
    { kind, issuer, client }: ClientOf,
    { token = issuer }: Where,
    now: number,
  ): Promise<readonly ClientProof[]> {
    const { auth } = client;
    const audience = assertionAudience(kind, issuer, token);
    switch (auth.kind) {
      case 'client_secret_basic':
      case 'client_secret_post':
      case 'client_secret_jwt': {
        let text: string;
        try {
          text = fs.readFileSync(auth.secretFile, 'utf8');
        } catch (error) {
          throw new Error(`${auth.secretFile} cannot be read (${(error as { code?: string }).code ?? 'no file'})`);
        }
        const shown = await shownSecrets(client, text, audience, now);
        if (typeof shown === 'string') throw new Error(`${auth.secretFile}: ${shown}`);
        return shown;
      }
      case 'private_key_jwt': {
        const key = await this.#keyFile(auth.keysFile).current(now);
        if (key === undefined) throw new Error(`${auth.keysFile} contains no key for signing`);
        return [{ assertion: await signClientAssertion(key, client.id, audience, now) }];
      }
      default:
        return [undefined];
    }
  }

  #endpoint({ client }: ClientOf, metadata: Where, endpoint: ClientEndpoint | 'userinfo'): string | undefined {
    const alias = client.auth.kind === 'tls_client_auth' ? metadata.mtls[endpoint] : undefined;
    return alias ?? metadata[endpoint];
  }

  /** Calls an endpoint as the client. It tries the next secret only if the provider does not accept this secret,
   * because then nothing else was examined.
   * @throws Error with one line for the log if there was no answer, or the client has no credential */
  async call({ provider, metadata }: CalledAt, endpoint: ClientEndpoint, params: Params, now: number) {
    const url = this.#endpoint(provider, metadata, endpoint);
    if (url === undefined) throw new Error(`the provider has no endpoint for ${endpoint}`);
    let answer: ProviderAnswer | undefined;
    const all = await this.#shown(provider, metadata, now);
    for (const shown of all) {
      const { body, authorization } = clientCall(provider.client, params, shown);
      const call = { url, body, authorization };
      answer = await callProvider(this.#egress, provider.name, call, metadata.written ? undefined : provider);
      if (!refusesClient(answer.status, answer.text)) break;
    }
    return { ...(answer as ProviderAnswer), secrets: secretsIn(provider.client, params, all) };
  }

  /** Calls the token endpoint. It never throws. */
  async tokens(at: AtProvider, params: Params, now: number): Promise<CodeAnswer> {
    try {
      const answered = await this.call(at, 'token', params, now);
      const answer = readTokenAnswer(answered.status, answered.text, answered.secrets);
      return answer.kind === 'broken' ? { ...answer, lost: mayBeUsed(answered) } : answer;
    } catch (error) {
      return { kind: 'broken', error: (error as Error).message, lost: error instanceof NoAnswer };
    }
  }

  /** Calls the UserInfo endpoint.
   * @returns reason `signin_failed` if the provider refuses to return the person's claims
   * @throws Error with one line for the log */
  async userinfo({ provider, metadata }: AtProvider, accessToken: string): Promise<Result<Userinfo>> {
    const url = this.#endpoint(provider, metadata, 'userinfo');
    if (url === undefined) throw new Error('the provider has no UserInfo endpoint');
    const call = { url, authorization: `Bearer ${accessToken}`, accept: USERINFO_TYPES };
    const { status, text, type } = await callProvider(this.#egress, provider.name, call, provider);
    if (status === 200) return ok({ text, type });
    const line = `the UserInfo endpoint answered ${status}`;
    if (REFUSALS.includes(status)) return refuse('signin_failed', line);
    throw new Error(line);
  }
}
