import { addressProblem, discoveryMembers } from '../../token/discovery.ts';

/** What a provider's discovery document says of signing in (OpenID Connect Discovery section 3, RFC 8414 section 2). */
export interface Metadata {
  readonly authorization: string;
  readonly token: string;
  readonly userinfo?: string;
  readonly endSession?: string;
  /** RFC 7009, RFC 8414 section 2. */
  readonly revocation?: string;
  /** Pushed authorization requests (RFC 9126 section 5). */
  readonly par?: string;
  readonly parRequired: boolean;
  /** Each answer names its issuer (RFC 9207 section 3). */
  readonly namesIssuer: boolean;
  /** Where a client with a certificate asks instead (RFC 8705 section 5). */
  readonly mtls: {
    readonly token?: string;
    readonly userinfo?: string;
    readonly par?: string;
    readonly revocation?: string;
  };
}

/** `warnings`: endpoints that are left out, one line each for the log. */
export type Read<M> =
  | { readonly ok: true; readonly metadata: M; readonly warnings?: readonly string[] }
  | { readonly ok: false; readonly error: string };

/** What it says of a client that asks about tokens, or for one of its own; each absent where it says nothing. */
export interface ClientMetadata {
  readonly token?: string;
  /** RFC 7662, RFC 8414 section 2. */
  readonly introspection?: string;
  readonly mtls: { readonly token?: string; readonly introspection?: string };
}

type Members = Readonly<Record<string, unknown>>;

const required = { authorization: 'authorization_endpoint', token: 'token_endpoint' } as const;

const optional = {
  userinfo: 'userinfo_endpoint',
  endSession: 'end_session_endpoint',
  revocation: 'revocation_endpoint',
  par: 'pushed_authorization_request_endpoint',
} as const;

const aliases = {
  token: required.token,
  userinfo: optional.userinfo,
  par: optional.par,
  revocation: optional.revocation,
} as const;

/** An endpoint that no sign-in needs: a document where its address is wrong counts without it. */
const SPARED: string = optional.revocation;

/**
 * The endpoints that are there, each checked by the rule for addresses; a string says what is wrong with one.
 *
 * @param warnings where it says so of one that is left out
 */
function endpoints(
  members: Members,
  names: Readonly<Record<string, string>>,
  issuer: string,
  anywhere: boolean,
  warnings: string[] = [],
): Readonly<Record<string, string>> | string {
  const found: Record<string, string> = {};
  for (const [key, name] of Object.entries(names)) {
    const uri = members[name];
    if (uri === undefined || uri === null) continue;
    const problem = addressProblem(name, uri, issuer, anywhere);
    if (problem === undefined) found[key] = uri as string;
    else if (name === SPARED) warnings.push(`${problem}; it revokes no refresh token at a sign-out`);
    else return problem;
  }
  return found;
}

/**
 * Reads of a discovery document what a sign-in needs. Endpoints are checked by the same rule as `jwks_uri`.
 *
 * @param text the document as fetched
 * @param issuer the provider's issuer, compared exactly
 * @param anywhere whether the policy allows private addresses in it
 */
export function readMetadata(text: string, issuer: string, anywhere = false): Read<Metadata> {
  const read = discoveryMembers(text, issuer);
  if (!read.ok) return read;
  const { members } = read;
  for (const name of Object.values(required)) {
    const problem = addressProblem(name, members[name], issuer, anywhere);
    if (problem !== undefined) return { ok: false, error: problem };
  }
  const warnings: string[] = [];
  const others = endpoints(members, optional, issuer, anywhere, warnings);
  if (typeof others === 'string') return { ok: false, error: others };
  const mtls = endpoints((members.mtls_endpoint_aliases ?? {}) as Members, aliases, issuer, anywhere, warnings);
  if (typeof mtls === 'string') return { ok: false, error: mtls };
  return {
    ok: true,
    ...(warnings.length > 0 && { warnings }),
    metadata: {
      authorization: members[required.authorization] as string,
      token: members[required.token] as string,
      ...others,
      parRequired: members.require_pushed_authorization_requests === true,
      namesIssuer: members.authorization_response_iss_parameter_supported === true,
      mtls,
    },
  };
}

const ofClients = { token: required.token, introspection: 'introspection_endpoint' } as const;

/**
 * Reads of a discovery document what a client that signs nobody in needs.
 *
 * @param text the document as fetched
 * @param issuer the provider's issuer, compared exactly
 * @param anywhere whether the policy allows private addresses in it
 */
export function readClientMetadata(text: string, issuer: string, anywhere = false): Read<ClientMetadata> {
  const read = discoveryMembers(text, issuer);
  if (!read.ok) return read;
  const found = endpoints(read.members, ofClients, issuer, anywhere);
  if (typeof found === 'string') return { ok: false, error: found };
  const mtls = endpoints((read.members.mtls_endpoint_aliases ?? {}) as Members, ofClients, issuer, anywhere);
  return typeof mtls === 'string' ? { ok: false, error: mtls } : { ok: true, metadata: { ...found, mtls } };
}
