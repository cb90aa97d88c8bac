import { describe, expect, it } from 'vitest';
import { readMetadata } from '../../../../src/session/flow/provider-metadata.ts';

const issuer = 'https://issuer.example.com/realms/main';
const base = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
};
const read = (more: Record<string, unknown> = {}) => readMetadata(JSON.stringify({ ...base, ...more }), issuer);

describe('readMetadata', () => {
  it('returns the endpoints that are there', () => {
    expect(read()).toEqual({
      ok: true,
      metadata: {
        authorization: `${issuer}/authorize`,
        token: `${issuer}/token`,
        parRequired: false,
        namesIssuer: false,
        mtls: {},
      },
    });
    expect(
      read({
        userinfo_endpoint: 'https://graph.example.net/userinfo',
        end_session_endpoint: `${issuer}/logout`,
        pushed_authorization_request_endpoint: `${issuer}/par`,
        require_pushed_authorization_requests: true,
        authorization_response_iss_parameter_supported: true,
        mtls_endpoint_aliases: { token_endpoint: 'https://mtls.example.com/token' },
      }),
    ).toMatchObject({
      ok: true,
      metadata: {
        userinfo: 'https://graph.example.net/userinfo',
        endSession: `${issuer}/logout`,
        par: `${issuer}/par`,
        parRequired: true,
        namesIssuer: true,
        mtls: { token: 'https://mtls.example.com/token' },
      },
    });
  });

  it.each([
    'authorization_endpoint',
    'token_endpoint',
    'userinfo_endpoint',
    'end_session_endpoint',
    'pushed_authorization_request_endpoint',
  ])('accepts no other place from %s', (name) => {
    for (const uri of [
      'http://issuer.example.com/x',
      'https://127.0.0.1/x',
      'https://a@b.example/x',
      'javascript:x',
      7,
    ]) {
      expect(read({ [name]: uri })).toEqual({ ok: false, error: expect.stringContaining(`"${name}"`) });
    }
    expect(read({ mtls_endpoint_aliases: { token_endpoint: 'http://x.example/' } })).toMatchObject({ ok: false });
  });

  it.each(['http://issuer.example.com/revoke', 'https://127.0.0.1/revoke', 'https://a@b.example/x', '', 7, {}])(
    'accepts a document with an invalid revocation endpoint, and reports it: %j',
    (uri) => {
      const problem = expect.stringContaining('"revocation_endpoint"');
      const plain = read({ userinfo_endpoint: `${issuer}/userinfo` });
      const alone = read({ userinfo_endpoint: `${issuer}/userinfo`, revocation_endpoint: uri });
      expect(alone).toEqual({ ...plain, warnings: [problem] });
      const both = read({
        userinfo_endpoint: `${issuer}/userinfo`,
        revocation_endpoint: uri,
        mtls_endpoint_aliases: { revocation_endpoint: uri },
      });
      expect(both).toEqual({ ...plain, warnings: [problem, problem] });
    },
  );

  it('requires the endpoints of a sign-in, and the issuer of the policy', () => {
    expect(read({ token_endpoint: undefined })).toEqual({
      ok: false,
      error: 'the discovery document has no "token_endpoint"',
    });
    expect(read({ authorization_endpoint: undefined })).toMatchObject({ ok: false });
    expect(read({ issuer: `${issuer}/` })).toMatchObject({ ok: false });
  });
});
