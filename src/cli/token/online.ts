import { ok, type Result, refuse } from '../../base/reasons.ts';
import type { Policy, Provider } from '../../policy/checked/types.ts';
import {
  assertionAudience,
  readClientKey,
  shownSecrets,
  signClientAssertion,
} from '../../session/flow/client-assertion.ts';
import { type ClientProof, clientCall } from '../../session/flow/client-auth.ts';
import { type ClientMetadata, readClientMetadata } from '../../session/flow/provider-metadata.ts';
import { refusesClient } from '../../session/flow/token-answer.ts';
import { confirmedToken, readIntrospection } from '../../token/introspection.ts';
import type { Claims } from '../../token/types.ts';
import { WrongUse } from '../common/context.ts';
import { type Loaded, reasonOf, utf8 } from '../common/load.ts';
import { askUrl, checkedOnline, discover, networkTo, type Requested } from '../common/provider.ts';
import { Offline } from '../decide/offline.ts';
import type { Incoming } from '../machine/http.ts';
import type { Runtime } from '../machine/runtime.ts';
import { introspectedReport, refusedReport, type Signature, type Taken, type TokenReport } from './described.ts';

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
async function clientSecrets(
  runtime: Runtime,
  { client, kind, issuer }: Provider,
  now: number,
  tokenEndpoint: string = issuer,
): Promise<{ readonly shown: readonly ClientProof[]; readonly certificate?: Required<Requested>['client'] }> {
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

/** Returns the endpoints that introspection needs, from the policy or else from the discovery document. */
async function endpointsOf(queried: Requested, provider: Provider): Promise<ClientMetadata> {
  const { introspection, issuer, privateAddresses } = provider;
  if (introspection?.endpoint !== undefined) return { introspection: introspection.endpoint, mtls: {} };
  const members = await discover(queried, issuer);
  if (typeof members === 'string') throw new Error(members);
  const read = readClientMetadata(JSON.stringify(members), issuer, privateAddresses);
  if (!read.ok) throw new Error(read.error);
  return read.metadata;
}

async function answerOf(runtime: Runtime, provider: Provider, text: string, caFile?: string) {
  const queried = networkTo(runtime, 'token', provider, caFile);
  const { token, introspection, mtls } = await endpointsOf(queried, provider);
  const { client } = provider;
  if (client === undefined) throw new Error('the policy has no client at this provider');
  const { shown, certificate } = await clientSecrets(runtime, provider, runtime.now(), token);
  const url = (certificate && mtls.introspection) ?? introspection;
  if (url === undefined) {
    throw new Error('its discovery document has no "introspection_endpoint"; write introspection: { endpoint: … }');
  }
  const params = [
    ['token', text],
    ['token_type_hint', 'access_token'],
  ] as const;
  let answer: Incoming | undefined;
  for (const one of shown) {
    const { body, authorization } = clientCall(client, params, one);
    answer = await askUrl(certificate ? { ...queried, client: certificate } : queried, url, body, authorization);
    if ('error' in answer) throw new Error(`${url}: no answer: ${answer.error}`);
    if (!refusesClient(answer.status, answer.body)) break;
  }
  return answer as Exclude<Incoming, { error: string }>;
}

/** Asks a provider about a token (RFC 7662) as the policy's OAuth client, and reads the client's secret from its file.
 * @param caFile of `--ca-file`
 * @returns reason `token_inactive`; or `provider_unavailable`, with a sentence that does not contain the token or the
 * secret */
async function introspectOnline(
  runtime: Runtime,
  provider: Provider,
  text: string,
  caFile?: string,
): Promise<Result<Claims>> {
  try {
    const { status, body } = await answerOf(runtime, provider, text, caFile);
    const reported = readIntrospection(status, body);
    if (reported.kind === 'broken') return refuse('provider_unavailable', reported.error);
    return reported.kind === 'active' ? ok(reported.claims) : refuse('token_inactive');
  } catch (error) {
    if ((error as Error).name === 'WrongUse') throw error;
    return refuse('provider_unavailable', (error as Error).message);
  }
}

/** Rejects a token without an issuer if there are several providers: it must not be sent to all of them. */
function checkOne({ providers }: Policy, { form }: TokenReport, { names }: Taken): void {
  const queried = names.filter((name) => providers[name]?.introspection !== undefined);
  if (form === 'jwt' || queried.length < 2) return;
  const all = queried.join(', ');
  throw new WrongUse(
    `the token does not name its provider, and ${all} are asked about such tokens: add METHOD and URL`,
  );
}

/** Returns the report on a JWT that its provider must also confirm as active. */
function confirmedReport(report: TokenReport, provider: Provider, reported: Result<Claims>, now: number): TokenReport {
  if (!reported.ok) return refusedReport(report, reported);
  const verified = report.explained?.claimed?.facts.verified;
  const until = now + (provider.introspection?.cache ?? 0);
  const held = verified && confirmedToken(verified, reported.value, provider, until);
  return held === undefined || held.ok ? { ...report, active: true } : { ...refusedReport(report, held), active: true };
}

/** Fetches the provider's keys or asks the provider about the token, as the gateway does.
 * @param report the report on the token's text
 * @param now seconds since the epoch
 * @param caFile the value of `--ca-file`
 * @returns the report, and the result for the signature if such tokens are verified with a key */
export async function queriedReport(
  runtime: Runtime,
  loaded: Loaded,
  text: string,
  report: TokenReport,
  taken: Taken,
  now: number,
  caFile?: string,
): Promise<{ readonly report: TokenReport; readonly signature?: Signature }> {
  const { policy } = loaded;
  const queried = new Offline(policy, now).knownBy(text, taken.names);
  if (queried !== undefined) {
    checkOne(policy, report, taken);
    const reported = await introspectOnline(runtime, policy.providers[queried] as Provider, text, caFile);
    return { report: introspectedReport(loaded, text, report, queried, reported, taken, now) };
  }
  if (report.form !== 'jwt') return { report };
  if (report.provider === undefined) return { report, signature: 'not checked' };
  const signer = await checkedOnline(runtime, text, policy, report.provider, caFile);
  if (!signer.ok) return { report, signature: signer };
  const signature = { key: signer.value.kid ?? signer.value.thumbprint };
  const provider = policy.providers[report.provider] as Provider;
  if (!provider.introspection?.jwts || report.refused !== undefined) return { report, signature };
  const reported = await introspectOnline(runtime, provider, text, caFile);
  return { report: confirmedReport(report, provider, reported, now), signature };
}
