import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Credential } from '../harness/pki.ts';
import { audience } from './policy.ts';
import { claimsOf, type Signer } from './tokens.ts';

/** The only opaque token that is active. */
export const opaqueToken = `bench.${'x'.repeat(32)}.opaque.of-a-person`;

const introspected = { ...claimsOf('00000000'), active: true, aud: audience, token_type: 'Bearer' };

/** An OpenID provider as far as the gateway's key job asks for it: discovery, JWKS and introspection, over TLS. */
export async function startIssuer(signer: Signer, port: number, tls: Credential): Promise<{ close(): void }> {
  const documents: Record<string, object> = {
    '/.well-known/openid-configuration': {
      issuer: signer.issuer,
      jwks_uri: `${signer.issuer}/jwks`,
      introspection_endpoint: `${signer.issuer}/introspect`,
    },
    '/jwks': signer.jwks,
  };
  const server = createServer({ cert: tls.cert, key: tls.key }, async (request, response) => {
    if (request.method === 'POST') {
      const token = new URLSearchParams(await text(request)).get('token');
      return void response.end(JSON.stringify(token === opaqueToken ? introspected : { active: false }));
    }
    const document = documents[request.url ?? ''];
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { close: () => void server.close() };
}
