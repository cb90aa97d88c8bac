import { foreign } from '../../base/hostile-text.ts';
import type { Client, Provider } from '../../policy/checked/types.ts';
import { readClientMetadata, readMetadata } from '../../session/flow/provider-metadata.ts';
import { PROOF_ALGORITHMS } from '../../token/proof/types.ts';
import type { Members } from '../common/provider.ts';

/** One finding about a provider. `ok` is absent if the documents do not show whether the setting is right. */
export interface Finding {
  readonly ok?: boolean;
  readonly text: string;
}

/** Returns the names in one list of a discovery document; undefined if the list is missing. */
function namesIn(members: Members, name: string): readonly string[] | undefined {
  const value = members[name];
  return Array.isArray(value) ? value.filter((it): it is string => typeof it === 'string') : undefined;
}

/** Whether a list of a discovery document contains a name.
 * @param otherwise the names that apply if the list is missing (OpenID Connect Discovery section 3); absent: unknown */
function offers(members: Members, list: string, wanted: string, otherwise?: readonly string[]): boolean | undefined {
  return (namesIn(members, list) ?? otherwise)?.includes(wanted);
}

export const good = (text: string): Finding => ({ ok: true, text });
export const bad = (text: string): Finding => ({ ok: false, text });

const unsaid = (list: string) => `its discovery document has no "${list}", so only a sign-in can show this`;

function finding(ok: boolean | undefined, yes: string, no: string, list: string): Finding {
  if (ok === undefined) return { text: `${yes}: ${unsaid(list)}` };
  return ok ? good(yes) : bad(no);
}

/** Checks whether an endpoint supports the policy's client authentication (RFC 8414 section 2). */
function clientFinding(members: Members, { auth }: Client, endpoint: 'token' | 'introspection'): Finding {
  const list = `${endpoint}_endpoint_auth_methods_supported`;
  // RFC 8414 has a default only for the token endpoint.
  const ok = offers(members, list, auth.kind, endpoint === 'token' ? ['client_secret_basic'] : undefined);
  const where = `at the ${endpoint} endpoint`;
  const algorithms = `${endpoint}_endpoint_auth_signing_alg_values_supported`;
  if (auth.kind === 'client_secret_jwt' && offers(members, algorithms, 'HS256') === false) {
    return bad(`no client_secret_jwt with HS256 ${where}: "${algorithms}" does not list it; write auth: basic`);
  }
  return finding(
    ok,
    `the client authenticates with ${auth.kind} ${where}`,
    `no ${auth.kind} ${where}: "${list}" does not list it; choose another client authentication`,
    list,
  );
}

function grantFindings(members: Members, { signin }: Provider): readonly Finding[] {
  const grants = 'grant_types_supported';
  const found: Finding[] = [];
  if (!offers(members, grants, 'authorization_code', ['authorization_code', 'implicit']))
    found.push(bad(`no authorization code grant: "${grants}" does not list it`));
  if (signin?.scopes.includes('offline_access') && offers(members, grants, 'refresh_token') === false) {
    const then = 'sessions end when they are no longer fresh';
    found.push(bad(`no refresh tokens: "${grants}" does not list refresh_token; ${then}`));
  }
  return found;
}

function pushedFindings({ signin }: Provider, par: string | undefined, parRequired: boolean): readonly Finding[] {
  const pushed = signin?.par ?? parRequired;
  if (pushed && par === undefined)
    return [bad('no "pushed_authorization_request_endpoint", but requests must be pushed (RFC 9126)')];
  if (!pushed && parRequired)
    return [bad('the provider accepts only pushed requests (RFC 9126), but the policy says par: false')];
  return par === undefined ? [] : [good(`requests are ${pushed ? '' : 'not '}pushed (RFC 9126)`)];
}

/** Checks what a sign-in requires: endpoints, grants, PKCE, client authentication, scopes, pushed requests. */
export function signinFindings(members: Members, provider: Provider): readonly Finding[] {
  const { client, signin, issuer } = provider;
  if (client === undefined || signin === undefined) return [];
  const read = readMetadata(JSON.stringify(members), issuer);
  if (!read.ok) return [bad(`sign-in: ${read.error}`)];
  const { par, parRequired } = read.metadata;
  const challenges = 'code_challenge_methods_supported';
  const scopes = namesIn(members, 'scopes_supported');
  const absent = signin.scopes.filter((scope) => scopes?.includes(scope) === false);
  const found: readonly Finding[] = [
    good('authorization and token endpoint'),
    ...(read.warnings ?? []).map((text) => ({ text })),
    ...grantFindings(members, provider),
    finding(
      offers(members, challenges, 'S256'),
      'PKCE with S256',
      `no PKCE with S256: "${challenges}" does not list it, so no sign-in will work`,
      challenges,
    ),
    clientFinding(members, client, 'token'),
    ...(absent.length === 0 ? [] : [{ text: `the scopes ${absent.join(' ')} are not in "scopes_supported"` }]),
    ...pushedFindings(provider, par, parRequired),
  ];
  return found.map(({ text, ...rest }) => ({ ...rest, text: `sign-in: ${text}` }));
}

/** Checks what introspection requires: the endpoint, and a client that may use it. */
export function introspectionFindings(
  members: Members,
  { client, introspection, issuer }: Provider,
): readonly Finding[] {
  if (introspection === undefined || client === undefined) return [];
  const read = readClientMetadata(JSON.stringify({ issuer, ...members }), issuer);
  const own = introspection.endpoint ?? (read.ok ? read.metadata.introspection : undefined);
  if (own === undefined) {
    const why = read.ok
      ? 'no "introspection_endpoint" in its discovery document; write introspection: { endpoint: … }'
      : read.error;
    return [bad(`introspection: ${why}`)];
  }
  const shows = clientFinding(members, client, 'introspection');
  return [good(`introspection: ${foreign(own)}`), { ...shows, text: `introspection: ${shows.text}` }];
}

/** Checks whether the provider supports a DPoP algorithm that the gateway accepts (RFC 9449 section 5.1). */
export function proofFindings(members: Members, needed: boolean): readonly Finding[] {
  const name = 'dpop_signing_alg_values_supported';
  const reported = namesIn(members, name);
  if (reported === undefined) return needed ? [{ text: `DPoP: ${unsaid(name)}` }] : [];
  const both = PROOF_ALGORITHMS.filter((alg) => reported.includes(alg));
  if (both.length > 0) return [good(`DPoP: proofs with ${both.join(', ')}`)];
  const text = `DPoP: it supports only proofs with ${foreign(reported.join(', '))}, the gateway only ${PROOF_ALGORITHMS.join(', ')}`;
  return [needed ? bad(text) : { text }];
}
