import type { Members } from '../../token/json.ts';
import { addressProblem, discoveryMembers } from '../../token/keys/discovery.ts';

/** The parts of a discovery document that a sign-in needs (OpenID Connect Discovery section 3, RFC 8414 section 2). */
export interface SigninMetadata {
  readonly authorization: string;
  readonly token: string;
  readonly userinfo?: string;
  readonly endSession?: string;
  /** The revocation endpoint (RFC 7009, RFC 8414 section 2). */
  readonly revocation?: string;
  /** The endpoint for pushed authorization requests (RFC 9126 section 5). */
  readonly par?: string;
  readonly parRequired: boolean;
  /** Whether each response contains `iss` (RFC 9207 section 3). */
  readonly namesIssuer: boolean;
  /** Endpoints for clients that show a certificate (RFC 8705 section 5). */
  readonly mtls: { readonly [Name in keyof typeof aliases]?: string };
}

/** The result. `warnings`: the endpoints that are left out, as lines for the log. */
export type MetadataResult<M> =
  | { readonly ok: true; readonly metadata: M; readonly warnings?: readonly string[] }
  | { readonly ok: false; readonly error: string };

/** Endpoints for introspection and for client credentials; absent if the document does not contain them. */
export interface ClientMetadata {
  readonly token?: string;
  /** The introspection endpoint (RFC 7662, RFC 8414 section 2). */
  readonly introspection?: string;
  readonly mtls: { readonly token?: string; readonly introspection?: string };
}

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

/** An endpoint that no sign-in needs. If its address is wrong, only this endpoint is left out. */
const SPARED: string = optional.revocation;

/** Returns the endpoints in a document, or a sentence if one of the addresses is not accepted.
 * @param warnings receives a line for each endpoint that is left out */
function endpoints(
  members: Members,
  names: Readonly<Record<string, string>>,
  { issuer, anywhere }: { readonly issuer: string; readonly anywhere: boolean },
  warnings: string[] = [],
): Readonly<Record<string, string>> | string {
  const found: Record<string, string> = {};
  for (const [key, name] of Object.entries(names)) {
    const uri = members[name];
    if (uri === undefined || uri === null) continue;
    const problem = addressProblem(name, uri, issuer, anywhere);
    if (problem === undefined) found[key] = uri as string;
    else if (name === SPARED) warnings.push(`${problem}; a sign-out revokes no refresh token there`);
    else return problem;
  }
  return found;
}

/** Reads the parts of a discovery document that a sign-in needs. Its endpoints must pass the same check as `jwks_uri`.
 * See {@link discoveryMembers} and {@link addressProblem} for the parameters. */
export function readMetadata(text: string, issuer: string, anywhere = false): MetadataResult<SigninMetadata> {
  const read = discoveryMembers(text, issuer);
  if (!read.ok) return read;
  const { members } = read;
  for (const name of Object.values(required)) {
    const problem = addressProblem(name, members[name], issuer, anywhere);
    if (problem !== undefined) return { ok: false, error: problem };
  }
  const warnings: string[] = [];
  const others = endpoints(members, optional, { issuer, anywhere }, warnings);
  if (typeof others === 'string') return { ok: false, error: others };
  const mtls = endpoints((members.mtls_endpoint_aliases ?? {}) as Members, aliases, { issuer, anywhere }, warnings);
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

/** Reads the parts of a discovery document that an OAuth client without a sign-in needs, like {@link readMetadata}. */
export function readClientMetadata(text: string, issuer: string, anywhere = false): MetadataResult<ClientMetadata> {
  const read = discoveryMembers(text, issuer);
  if (!read.ok) return read;
  const found = endpoints(read.members, ofClients, { issuer, anywhere });
  if (typeof found === 'string') return { ok: false, error: found };
  const mtls = endpoints((read.members.mtls_endpoint_aliases ?? {}) as Members, ofClients, { issuer, anywhere });
  return typeof mtls === 'string' ? { ok: false, error: mtls } : { ok: true, metadata: { ...found, mtls } };
}
