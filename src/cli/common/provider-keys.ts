import { type Result, refuse } from '../../base/reasons.ts';
import type { Policy, Provider } from '../../policy/checked/types.ts';
import { providerKind } from '../../providers/index.ts';
import { parseHeader, splitJws } from '../../token/format.ts';
import { addressProblem } from '../../token/keys/discovery.ts';
import { type KeySet, readKeySet } from '../../token/keys/jwks.ts';
import { verifySignature } from '../../token/signature.ts';
import type { Key } from '../../token/types.ts';
import type { Runtime } from '../machine/runtime.ts';
import { flag, WrongUse } from './context.ts';
import { type Asked, askUrl, discover, type Members, providerNetwork, withPolicyCa } from './provider.ts';

/** The flag `--ca-file`, for commands that send requests to providers. */
export const caFileFlag = flag(
  'FILE',
  'CA of the providers’ certificates (default: each one’s ca_file if this machine has it, else the system’s)',
);

/** Returns what is needed to send requests to a provider. */
export const networkTo = (runtime: Runtime, command: string, provider: Provider, caFile?: string): Asked =>
  withPolicyCa(runtime, providerNetwork(runtime, `${command} --online`, caFile), provider);

/** Returns the keys that a provider publishes, or says why they are not usable. */
export async function publishedKeys(asked: Asked, provider: Provider, members: Members): Promise<KeySet> {
  const uri = provider.jwksUri ?? members.jwks_uri;
  if (provider.jwksUri === undefined) {
    const problem = addressProblem('jwks_uri', uri, provider.issuer, provider.privateAddresses);
    if (problem !== undefined) return { ok: false, error: problem };
  }
  const answer = await askUrl(asked, uri as string);
  if ('error' in answer) return { ok: false, error: `${uri}: no answer: ${answer.error}` };
  if (answer.status !== 200) return { ok: false, error: `${uri}: status ${answer.status}` };
  return readKeySet(answer.body, providerKind(provider.kind));
}

/** Verifies a token's signature with the keys that its provider publishes now, and returns the key. */
export async function checkedOnline(
  runtime: Runtime,
  text: string,
  policy: Policy,
  name: string,
  caFile?: string,
): Promise<Result<Key>> {
  const provider = policy.providers[name] as Provider;
  const jws = splitJws(text);
  const header = jws.ok ? parseHeader(jws.header) : jws;
  if (!jws.ok || !header.ok) throw new WrongUse('the token is not a JWT');
  const asked = networkTo(runtime, 'token', provider, caFile);
  const members = provider.jwksUri === undefined ? await discover(asked, provider.issuer) : {};
  if (typeof members === 'string') return refuse('provider_unavailable', members);
  const keys = await publishedKeys(asked, provider, members);
  if (!keys.ok) return refuse('provider_unavailable', keys.error);
  return verifySignature(jws, header.value, keys.keys, { imported: new Map() }, (signer) => signer);
}
