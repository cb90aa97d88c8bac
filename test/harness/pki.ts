import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** Certificate and private key as PEM text; `pem` has both, the key last, which is the form that rotates safely. */
export interface Credential {
  readonly cert: string;
  readonly key: string;
  readonly pem: string;
}

/** The content of a certificate, and its lifetime. */
export interface Subject {
  readonly commonName?: string;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in 30 days. */
  readonly notAfter?: Date;
  readonly keyType?: 'ec' | 'rsa';
  /** Default: for servers and clients; empty: no extended key usage. */
  readonly usages?: readonly x509.ExtendedKeyUsage[];
}

/** A certificate authority made for one test or one demo. */
export interface Ca {
  readonly name: string;
  /** Its own certificate, PEM. */
  readonly cert: string;
  /** A server certificate with DNS names (and addresses). */
  server(dns: string | readonly string[], more?: Subject): Promise<Credential>;
  /** A client certificate whose only name is a SPIFFE id (an X.509-SVID). */
  client(spiffe: string, more?: Subject): Promise<Credential>;
  /** Any leaf certificate. */
  issue(subject: Subject): Promise<Credential>;
}

const hour = 3600_000;
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const ec = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const signing = { name: 'ECDSA', hash: 'SHA-256' };
const { digitalSignature, keyCertSign, cRLSign, keyEncipherment } = x509.KeyUsageFlags;
const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;

/** Makes a self-signed authority (ECDSA P-256). Its key never leaves the process. */
export async function createCa(
  name = 'meshgate test CA',
  life: Pick<Subject, 'notBefore' | 'notAfter'> = {},
): Promise<Ca> {
  const keys = await crypto.subtle.generateKey(ec, true, ['sign', 'verify']);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [name] }],
    ...validity(life),
    keys,
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const issue = (subject: Subject) => leaf(root, keys, subject);
  return {
    name,
    cert: root.toString('pem') + '\n',
    issue,
    server: (dns, more = {}) => {
      const names = typeof dns === 'string' ? [dns] : dns;
      return issue({ commonName: names[0] ?? 'server', ...more, dns: names });
    },
    client: (spiffe, more = {}) => issue({ ...more, uris: [spiffe] }),
  };
}

async function leaf(
  root: x509.X509Certificate,
  ca: { readonly publicKey: webcrypto.CryptoKey; readonly privateKey: webcrypto.CryptoKey },
  subject: Subject,
): Promise<Credential> {
  const keys = await crypto.subtle.generateKey(subject.keyType === 'rsa' ? rsa : ec, true, ['sign', 'verify']);
  const { usages = [serverAuth, clientAuth] } = subject;
  const names: x509.JsonGeneralNames = [
    ...(subject.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(subject.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(subject.uris ?? []).map((value) => ({ type: 'url' as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: subject.commonName === undefined ? [] : [{ CN: [subject.commonName] }],
    issuer: root.subjectName,
    ...validity(subject),
    publicKey: keys.publicKey,
    signingKey: ca.privateKey,
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature | (subject.keyType === 'rsa' ? keyEncipherment : 0), true),
      ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension([...usages])] : []),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      // RFC 5280 4.2.1.6: critical if the subject is empty.
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names, subject.commonName === undefined)] : []),
    ],
  });
  const cert = certificate.toString('pem') + '\n';
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  const key = x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') + '\n';
  return { cert, key, pem: cert + key };
}

/** Dates in certificates have whole seconds. */
function validity(life: Pick<Subject, 'notBefore' | 'notAfter'>): { notBefore: Date; notAfter: Date } {
  const now = Math.floor(Date.now() / 1000) * 1000;
  return {
    notBefore: life.notBefore ?? new Date(now - hour),
    notAfter: life.notAfter ?? new Date(now + 30 * 24 * hour),
  };
}

function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x01;
  return bytes.toString('hex');
}
