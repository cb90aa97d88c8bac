/** Facts of the request: the client's certificate, and the network that it comes from. */
import { describe } from 'vitest';
import { createCa, gatewayCase, startEcho, startGateway, startIssuer, testStage, until } from '../harness/index.ts';

const stage = await testStage('facts');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const idp = await issuers.create('idp', { alg: 'ES256' });
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key, client_ca_file: /run/clients/ca.pem }
providers:
  idp: { issuer: ${idp.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: http://wiki:8080 }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff] }
  "*.apps.test":
    /*: { service: wiki, allow: [staff] }
`,
});
const setup = { gateway, echoes: [wiki] };
const ann = await idp.sign({ aud: 'wiki', sub: 'ann', groups: ['staff'] });
const ofMesh = async (spiffe: string) => (await stage.meshCa.client(`spiffe://example.org/${spiffe}`)).pem;
const deployer = await ofMesh('ci/deployer');
const strangers = await createCa('somebody else');

await until(async () => (await gateway.send('wiki.test', { token: ann })).status === 200, {
  what: 'the road to the wiki',
  timeoutMs: 30_000,
  help: () => gateway.box.logs.tail(),
});

const bad: [string, string][] = [
  ['of another CA', (await strangers.client('spiffe://example.org/ci/deployer')).pem],
  ['expired', (await stage.meshCa.client('spiffe://example.org/x', { notAfter: new Date(Date.now() - 60_000) })).pem],
];

describe('a certificate that does not verify is refused, whatever comes with it', () => {
  for (const [name, client] of bad) {
    gatewayCase(setup, {
      ...{ name, host: 'wiki.test', client, request: { token: ann }, status: 401, reason: 'proof_invalid' },
      log: { forbidden: [/BEGIN/] },
    });
  }
});

gatewayCase(setup, {
  name: 'a good one beside a token changes nothing, and no service sees it',
  host: 'wiki.test',
  client: deployer,
  request: { token: ann, headers: { 'SSL-Client-Cert': 'x', 'X-Forwarded-Client-Cert': 'x' } },
  status: 200,
  upstream: { headers: { 'X-Forwarded-User': 'ann' }, absent: ['SSL-Client-Cert', 'X-Forwarded-Client-Cert'] },
  log: { forbidden: [/BEGIN/] },
});
