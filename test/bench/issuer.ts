import { createServer } from 'node:https';
import type { Credential } from '../harness/pki.ts';
import type { Signer } from './tokens.ts';

/** An OpenID provider as far as the gateway's key job asks for it: discovery and JWKS, over TLS. */
export async function startIssuer(signer: Signer, port: number, tls: Credential): Promise<{ close(): void }> {
  const documents: Record<string, object> = {
    '/.well-known/openid-configuration': { issuer: signer.issuer, jwks_uri: `${signer.issuer}/jwks` },
    '/jwks': signer.jwks,
  };
  const server = createServer({ cert: tls.cert, key: tls.key }, (request, response) => {
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
