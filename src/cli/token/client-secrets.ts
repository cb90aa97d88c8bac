import type { Provider } from '../../policy/checked/types.ts';
import {
  assertionAudience,
  readClientKey,
  shownSecrets,
  signClientAssertion,
} from '../../session/flow/client-assertion.ts';
import type { Shown } from '../../session/flow/client-auth.ts';
import { reasonOf, utf8 } from '../common/load.ts';
import type { Asked } from '../common/provider.ts';
import type { Runtime } from '../machine/runtime.ts';

function textOf(runtime: Runtime, file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = runtime.read(file);
  } catch (error) {
    throw new Error(`${file}: ${reasonOf(error)}; run this where the gateway's files are`);
  }
  const text = utf8(bytes);
  if (text === undefined) throw new Error(`${file}: it is not UTF-8`);
  return text;
}

/** Reads the client's credentials from the files that the policy names. Error messages do not contain any part of a
 * credential.
 * @param now seconds since the epoch
 * @param tokenEndpoint the audience of the assertion, if the provider's kind requires this URL
 * @returns secrets or assertions for requests, the newest first, and a certificate for connections. There are several
 * secrets while a new one replaces an old one.
 * @throws Error with a sentence if a file is missing or not valid */
export async function clientSecrets(
  runtime: Runtime,
  { client, kind, issuer }: Provider,
  now: number,
  tokenEndpoint: string = issuer,
): Promise<{ readonly shown: readonly Shown[]; readonly certificate?: Required<Asked>['client'] }> {
  if (client === undefined) throw new Error('the policy has no client at this provider');
  const { auth, id } = client;
  const audience = assertionAudience(kind, issuer, tokenEndpoint);
  switch (auth.kind) {
    case 'client_secret_basic':
    case 'client_secret_post':
    case 'client_secret_jwt': {
      const shown = await shownSecrets(client, textOf(runtime, auth.secretFile), audience, now);
      if (typeof shown === 'string') throw new Error(`${auth.secretFile}: ${shown}`);
      return { shown };
    }
    case 'private_key_jwt': {
      const key = await readClientKey(textOf(runtime, auth.keysFile));
      if (typeof key === 'string') throw new Error(`${auth.keysFile}: ${key}`);
      return { shown: [{ assertion: await signClientAssertion(key, id, audience, now) }] };
    }
    case 'tls_client_auth': {
      const certificate = { cert: textOf(runtime, auth.certFile), key: textOf(runtime, auth.keyFile) };
      return { shown: [undefined], certificate };
    }
    default:
      return { shown: [undefined] };
  }
}
