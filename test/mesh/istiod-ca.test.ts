/** An identity without SPIRE: istiod's own CA signs it for a service account, and an ingress that trusts this CA knows it. */
import 'reflect-metadata';
import { type webcrypto, X509Certificate } from 'node:crypto';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import * as x509 from '@peculiar/x509';
import { beforeAll, expect, test } from 'vitest';
import {
  type Envoy,
  type Gateway,
  startEcho,
  startEnvoy,
  startGateway,
  startIssuer,
  testStage,
  until,
} from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { HUNG_MS } from './lab/hung.ts';
import { lacksMesh } from './lab/index.ts';
import { rootNamespace, startIstiod } from './lab/istiod.ts';
import { type Kube, startKube } from './lab/kube.ts';

const PATH = '/istio.v1.auth.IstioCertificateService/CreateCertificate';
const ec = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const PEM = '/run/mesh/gateway.pem';

/** A text as field 1 of a protobuf message. */
function field1(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  for (let left = bytes.length; ; left >>= 7) {
    length.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), bytes]);
}

/** The texts in field 1 of a protobuf message that has no other field. */
function texts(message: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < message.length; ) {
    expect(message[at++]).toBe(0x0a);
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++]!;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    found.push(message.subarray(at, at + length).toString());
    at += length;
  }
  return found;
}

/** Ignores that nothing listens yet. */
function unlessAbsent(error: ServiceError): undefined {
  if (error.code !== status.UNAVAILABLE) throw error;
}

/** istiod's CA, as a client with a service account's token sees it. */
class IstiodCa {
  readonly #client: Client;

  constructor(host: string, root: string) {
    const name = `istiod.${rootNamespace}.svc`;
    this.#client = new Client(`${host}:15012`, credentials.createSsl(Buffer.from(root)), {
      'grpc.ssl_target_name_override': name,
      'grpc.default_authority': name,
    });
  }

  /** Makes a key, and lets istiod sign the certificate: both as PEM, the certificate with its chain. */
  async issue(token: string): Promise<{ readonly certs: readonly string[]; readonly key: string }> {
    const keys = (await crypto.subtle.generateKey(ec, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'O=gateway',
      keys: keys as never,
      signingAlgorithm: ec,
    });
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const entire = (bytes: Buffer): Buffer => bytes;
      const deadline = Date.now() + HUNG_MS;
      const done = (error: ServiceError | null, message?: Buffer) =>
        error === null ? resolve(message!) : reject(error);
      this.#client.makeUnaryRequest(
        PATH,
        entire,
        entire,
        field1(request.toString('pem')),
        metadata,
        { deadline },
        done,
      );
    });
    const key = x509.PemConverter.encode(
      await crypto.subtle.exportKey('pkcs8', keys.privateKey as never),
      'PRIVATE KEY',
    );
    return { certs: texts(answer), key };
  }

  close(): void {
    this.#client.close();
  }
}

const policyFor = (issuer: string) => `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: ${issuer}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
mesh:
  kind: envoy
  trust_domain: mesh.test
  rotation: 10s
  ingress:
    address: ingress.mesh:8443
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/ingress/tls.crt, key_file: /run/ingress/tls.key, client_ca_file: /run/ingress/istio.pem, listen: 8443 }
  identities:
    default: { spiffe: "spiffe://mesh.test/ns/edge/sa/gateway", pem_file: ${PEM} }
services:
  wiki: { authority: wiki.mesh, endpoint: "wiki:8080" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff] }
`;

describeWith(lacksMesh(), 'an identity that istiod signs', async () => {
  const stage = await testStage('istiod-ca');
  let kube: Kube;
  let ca: IstiodCa;
  let root: string;
  let envoy: Envoy;
  let gateway: Gateway;
  let token: string;
  const pemOf = ({ certs, key }: Awaited<ReturnType<IstiodCa['issue']>>) => `${certs.join('')}${key}`;
  const account = async (name: string, audience = 'istio-ca') => {
    await kube.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'edge' } });
    return kube.token('edge', name, audience);
  };

  beforeAll(async () => {
    kube = await startKube(stage);
    const istiod = await startIstiod(stage, kube, { trustDomain: 'mesh.test' });
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'istio-ca-secret', namespace: rootNamespace },
    };
    // State: istiod has written its CA.
    const { data } = await until(() => kube.read(secret), { what: "istiod's CA", timeoutMs: HUNG_MS });
    root = Buffer.from((data as Record<string, string>)['ca-cert.pem']!, 'base64').toString();
    ca = new IstiodCa(istiod.box.host, root);
    const own = await account('gateway');
    // State: istiod listens for requests to its CA.
    const issued = await until(() => ca.issue(own).catch(unlessAbsent), {
      what: "istiod's CA to answer",
      timeoutMs: HUNG_MS,
      help: () => istiod.box.logs.tail(),
    });
    const [issuers] = await Promise.all([startIssuer(stage), startEcho(stage, { alias: 'wiki' })]);
    const acme = await issuers.create('acme');
    token = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['staff'] });
    const policy = policyFor(acme.url);
    envoy = await startEnvoy(stage, { policy, alias: 'ingress.mesh', files: { '/run/ingress/istio.pem': root } });
    // The gateway starts last: it keeps for a while that the name of an ingress does not resolve.
    gateway = await startGateway(stage, { policy, files: { [PEM]: pemOf(issued) } });
    return () => ca.close();
  });

  const ask = () => gateway.send('wiki.test', { path: '/page', token });

  test('is for the service account of the token, whatever the request says, with a chain and an EC key', async () => {
    const { certs } = await ca.issue(await account('gateway'));
    const leaf = new X509Certificate(certs[0]!);
    expect(leaf.subjectAltName).toBe('URI:spiffe://mesh.test/ns/edge/sa/gateway');
    expect([leaf.publicKey.asymmetricKeyType, leaf.checkIssued(new X509Certificate(root))]).toEqual(['ec', true]);
    expect(certs.at(-1)!.trim()).toBe(root.trim());
    expect((await ca.issue(await account('other'))).certs[0]).not.toContain(certs[0]!);
  });

  test('is refused for a token of another audience', async () => {
    await expect(ca.issue(await account('gateway', 'wiki'))).rejects.toThrow(/UNAUTHENTICATED/);
  });

  test('is the one with which nginx reaches an ingress that trusts istiod', async () => {
    expect((await ask()).status).toBe(200);
    // State: the ingress has written its line, which it does after the answer.
    const line = await until(() => envoy.access().at(-1), { what: "the ingress's line about the request" });
    expect(line).toMatchObject({ downstream_peer_uri_san: 'spiffe://mesh.test/ns/edge/sa/gateway' });
  });

  test('that is for another service account is refused by the ingress', async () => {
    const pem = pemOf(await ca.issue(await account('other')));
    const came = await envoy.send(pem, 'wiki.mesh', { path: '/page' }).then(
      (answer) => answer.status,
      () => 'no handshake',
    );
    expect(came).toBe('no handshake');
  });
});
