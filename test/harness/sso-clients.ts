import { createHash, X509Certificate } from 'node:crypto';
import { exportJWK, importX509, type JWK } from 'jose';

/** The addresses of a gateway, and the options of its clients. */
export interface ClientsOptions {
  /** Origins of the gateway, `https://wiki.example.com:8443`. */
  readonly origins: readonly string[];
  /** Id of a further client, which authenticates by its secret. */
  readonly id?: string;
  /** The provider's names in the policy, where hosts have several providers. */
  readonly names?: readonly string[];
  /** Public keys of `wiki-jwt`. */
  readonly keys?: readonly JWK[];
  /** Certificate of `wiki-self`, PEM. */
  readonly certificate?: string;
  /** Paths to which people may return after sign-out. */
  readonly afterSignOut?: readonly string[];
  /** Metadata that replaces those of every client. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The secret of the clients that have one, long enough for HS256. */
export const ssoSecret = 'wiki secret of the tests, long: +/%&';

const device = 'urn:ietf:params:oauth:grant-type:device_code';

/** A self-signed certificate as a key of its client. */
async function certified(pem: string): Promise<JWK> {
  const der = new X509Certificate(pem).raw;
  const key = await exportJWK(await importX509(pem, 'ES256'));
  const thumbprint = createHash('sha256').update(der).digest('base64url');
  return { ...key, kid: thumbprint, x5c: [der.toString('base64')] };
}

/** The clients of the provider, one for each way to authenticate. */
export async function ssoClients(options: ClientsOptions): Promise<Readonly<Record<string, unknown>>[]> {
  const { origins, afterSignOut = ['/', '/.meshgate/signout', '/.meshgate/signedout', '/.meshgate/page/signedout'] } =
    options;
  const [first = 'https://nowhere.invalid'] = origins;
  const shared = {
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: origins.flatMap((origin) => [
      `${origin}/.meshgate/callback`,
      ...(options.names ?? []).map((name) => `${origin}/.meshgate/callback/${name}`),
    ]),
    post_logout_redirect_uris: origins.flatMap((origin) => afterSignOut.map((path) => origin + path)),
    backchannel_logout_uri: `${first}/.meshgate/backchannel`,
    backchannel_logout_session_required: true,
    ...options.metadata,
  };
  const secret = { client_secret: ssoSecret };
  return [
    ...(options.id === undefined ? [] : [{ ...shared, ...secret, client_id: options.id }]),
    { ...shared, ...secret, client_id: 'wiki', token_endpoint_auth_method: 'client_secret_basic' },
    { ...shared, ...secret, client_id: 'wiki-post', token_endpoint_auth_method: 'client_secret_post' },
    { ...shared, ...secret, client_id: 'wiki-hmac', token_endpoint_auth_method: 'client_secret_jwt' },
    { ...shared, ...secret, client_id: 'wiki-signed', userinfo_signed_response_alg: 'RS256' },
    {
      ...shared,
      client_id: 'wiki-jwt',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: options.keys ?? [] },
    },
    {
      ...shared,
      client_id: 'wiki-tls',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=wiki-tls',
    },
    ...(options.certificate === undefined
      ? []
      : [
          {
            ...shared,
            client_id: 'wiki-self',
            token_endpoint_auth_method: 'self_signed_tls_client_auth',
            jwks: { keys: [await certified(options.certificate)] },
          },
        ]),
    {
      ...shared,
      ...secret,
      client_id: 'wiki-bound',
      token_endpoint_auth_method: 'client_secret_basic',
      tls_client_certificate_bound_access_tokens: true,
    },
    { ...shared, ...secret, client_id: 'wiki-par', require_pushed_authorization_requests: true },
    { ...shared, client_id: 'wiki-public', token_endpoint_auth_method: 'none' },
    {
      client_id: 'wiki-cli',
      token_endpoint_auth_method: 'none',
      grant_types: [device, 'refresh_token'],
      response_types: [],
      redirect_uris: [],
    },
  ];
}
