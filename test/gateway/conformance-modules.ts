/**
 * The modules of the OpenID Foundation's conformance suite for relying parties that apply to a gateway which signs people
 * in by the code flow: what their provider does, and what must come of it. Names are the suite's.
 */

/** Plan of the suite: its certification profiles, and `more`: modules outside them that apply as well. */
export type Profile =
  | 'basic'
  | 'config'
  | 'rp-initiated-logout'
  | 'back-channel-logout'
  | 'front-channel-logout'
  | 'more';

export interface ConformanceModule {
  readonly name: string;
  readonly profile: Profile;
  /** The behaviour of the provider. */
  readonly provider: string;
  /**
   * `signed in`: the person is at their page with a session. `refused`: they have no session, and the page says why.
   * `signed out`: the session no longer passes. `session stays`: the call is refused with 400, and the session still
   * passes.
   */
  readonly outcome: 'signed in' | 'refused' | 'signed out' | 'session stays';
}

const back = 'oidcc-client-test-rp-backchannel-rpinitlogout';

export const modules: readonly ConformanceModule[] = [
  { name: 'oidcc-client-test', profile: 'basic', provider: 'behaves correctly', outcome: 'signed in' },
  {
    name: 'oidcc-client-test-invalid-iss',
    profile: 'basic',
    provider: 'sends another iss in the ID token',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-missing-sub',
    profile: 'basic',
    provider: 'sends no sub in the ID token',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-invalid-aud',
    profile: 'basic',
    provider: 'sends another aud in the ID token',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-missing-iat',
    profile: 'basic',
    provider: 'sends no iat in the ID token',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-kid-absent-single-jwks',
    profile: 'basic',
    provider: 'sends no kid in the ID token, and has none in its only key',
    outcome: 'signed in',
  },
  {
    // The suite accepts both results: to refuse, or to try all keys, of which the gateway tries a few.
    name: 'oidcc-client-test-kid-absent-multiple-jwks',
    profile: 'basic',
    provider: 'sends no kid in the ID token, and has none in several keys of one kind',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-idtoken-sig-rs256',
    profile: 'basic',
    provider: 'signs the ID token with RS256',
    outcome: 'signed in',
  },
  {
    // The suite accepts both results; an unsigned token is never valid here.
    name: 'oidcc-client-test-idtoken-sig-none',
    profile: 'basic',
    provider: 'does not sign the ID token',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-invalid-sig-rs256',
    profile: 'basic',
    provider: 'sends an ID token with a bad signature',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-userinfo-invalid-sub',
    profile: 'basic',
    provider: 'sends another sub in userinfo than in the ID token',
    outcome: 'refused',
  },
  { name: 'oidcc-client-test-nonce-invalid', profile: 'basic', provider: 'sends another nonce', outcome: 'refused' },
  {
    name: 'oidcc-client-test-scope-userinfo-claims',
    profile: 'basic',
    provider: 'returns the claims of the scopes in userinfo',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-client-secret-basic',
    profile: 'basic',
    provider: 'requires client_secret_basic',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-discovery-openid-config',
    profile: 'config',
    provider: 'is found by its discovery document',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-discovery-jwks-uri-keys',
    profile: 'config',
    provider: 'publishes its keys where discovery says',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-discovery-issuer-mismatch',
    profile: 'config',
    provider: 'names another issuer in the discovery document',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-signing-key-rotation-just-before-signing',
    profile: 'config',
    provider: 'changes its key just before it signs',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-signing-key-rotation',
    profile: 'config',
    provider: 'changes its key between two sign-ins',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-rp-init-logout',
    profile: 'rp-initiated-logout',
    provider: 'redirects back with the state',
    outcome: 'signed out',
  },
  {
    name: 'oidcc-client-test-rp-init-logout-other-state',
    profile: 'rp-initiated-logout',
    provider: 'redirects back with another state',
    outcome: 'signed out',
  },
  {
    name: 'oidcc-client-test-rp-init-logout-no-state',
    profile: 'rp-initiated-logout',
    provider: 'redirects back without the state',
    outcome: 'signed out',
  },
  { name: back, profile: 'back-channel-logout', provider: 'sends a correct logout token', outcome: 'signed out' },
  {
    name: `${back}-alg-none`,
    profile: 'back-channel-logout',
    provider: 'does not sign the logout token',
    outcome: 'session stays',
  },
  {
    name: `${back}-no-event`,
    profile: 'back-channel-logout',
    provider: 'sends no events in the logout token',
    outcome: 'session stays',
  },
  {
    name: `${back}-with-nonce`,
    profile: 'back-channel-logout',
    provider: 'sends a nonce in the logout token',
    outcome: 'session stays',
  },
  {
    name: `${back}-wrong-alg`,
    profile: 'back-channel-logout',
    provider: 'signs the logout token with another algorithm than agreed',
    outcome: 'session stays',
  },
  {
    name: `${back}-wrong-aud`,
    profile: 'back-channel-logout',
    provider: 'sends another aud in the logout token',
    outcome: 'session stays',
  },
  {
    name: `${back}-wrong-event`,
    profile: 'back-channel-logout',
    provider: 'sends another event in the logout token',
    outcome: 'session stays',
  },
  {
    name: `${back}-wrong-iss`,
    profile: 'back-channel-logout',
    provider: 'sends another iss in the logout token',
    outcome: 'session stays',
  },
  {
    name: 'oidcc-client-test-rp-frontchannel-rpinitlogout',
    profile: 'front-channel-logout',
    provider: 'opens the front-channel URL with its iss and the sid',
    outcome: 'signed out',
  },
  {
    name: 'oidcc-client-test-missing-aud',
    profile: 'more',
    provider: 'sends no aud in the ID token',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-invalid-sig-es256',
    profile: 'more',
    provider: 'sends an ID token of ES256 with a bad signature',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-invalid-sig-hs256',
    profile: 'more',
    provider: 'signs the ID token with HS256',
    outcome: 'refused',
  },
  {
    name: 'oidcc-client-test-rp-frontchannel-opinitlogout',
    profile: 'more',
    provider: 'opens the front-channel URL by itself',
    outcome: 'signed out',
  },
  {
    name: 'oidcc-client-test-userinfo-signed',
    profile: 'more',
    provider: 'signs its answer of userinfo',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-userinfo-bearer-header',
    profile: 'more',
    provider: 'accepts the access token in the header',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-refresh-token',
    profile: 'more',
    provider: 'renews the tokens',
    outcome: 'signed in',
  },
  {
    name: 'oidcc-client-test-refresh-token-invalid-issuer',
    profile: 'more',
    provider: 'sends another iss in the renewed ID token',
    outcome: 'signed out',
  },
  {
    name: 'oidcc-client-test-refresh-token-invalid-aud',
    profile: 'more',
    provider: 'sends another aud in the renewed ID token',
    outcome: 'signed out',
  },
  {
    name: 'oidcc-client-test-refresh-token-invalid-sub',
    profile: 'more',
    provider: 'sends another sub in the renewed ID token',
    outcome: 'signed out',
  },
];
