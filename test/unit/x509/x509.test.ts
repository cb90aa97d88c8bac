import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { elementAt, entire, within } from '../../../src/x509/der.ts';
import { belongs } from '../../../src/x509/key.ts';
import { type PemBlock, readPem } from '../../../src/x509/pem.ts';
import { createCa } from '../../harness/pki.ts';
import { holds } from '../../harness/property.ts';
import { svid, x509Samples } from './samples.ts';

const ca = await createCa();
const der = (pem: string) => readPem(pem)![0]!.bytes;
const bytes = (...all: number[]) => Uint8Array.from(all);

describe('samples', () => {
  for (const { name, got, wanted } of x509Samples) test(name, () => expect(got()).toEqual(wanted));
});

describe('certificates of every kind read as Node reads them', () => {
  const made = {
    'an SVID': ca.client('spiffe://example.org/a'),
    'RSA, with DNS names and an address': ca.issue({ keyType: 'rsa', dns: ['a.test', 'b.test'], ips: ['192.0.2.1'] }),
    'several URIs': ca.issue({ commonName: 'x', uris: ['spiffe://a/1', 'https://b/2'] }),
    'no names at all': ca.issue({ commonName: 'x' }),
    GeneralizedTime: ca.client('spiffe://example.org/a', { notAfter: new Date('2061-02-03T04:05:06Z') }),
    'an authority': Promise.resolve({ cert: ca.cert }),
  };
  for (const [name, making] of Object.entries(made)) {
    test(name, async () => {
      const { cert } = await making;
      const theirs = new X509Certificate(cert);
      const ours = readCertificate(der(cert))!;
      expect(new Date(ours.notBefore * 1000)).toEqual(theirs.validFromDate);
      expect(new Date(ours.notAfter * 1000)).toEqual(theirs.validToDate);
      const uris = [...(theirs.subjectAltName ?? '').matchAll(/URI:([^,]+)/g)].map(([, uri]) => uri);
      expect(ours.uris).toEqual(uris);
    });
  }
});

describe('keys', async () => {
  const ec = await ca.client('spiffe://example.org/a');
  const rsa = await ca.issue({ keyType: 'rsa', commonName: 'x' });
  const blockOf = (pem: string): PemBlock => readPem(pem)!.find(({ label }) => label.endsWith('PRIVATE KEY'))!;
  const written = (pem: string, type: 'pkcs8' | 'sec1' | 'pkcs1', more = {}) =>
    blockOf(
      createPrivateKey(pem)
        .export({ format: 'pem', type: type as 'pkcs8', ...more })
        .toString(),
    );
  const publicKeyOf = (cert: string) => readCertificate(der(cert))!.publicKey;

  test('belong to their certificate in every form, and to no other', () => {
    for (const [mine, other, forms] of [
      [ec, rsa, ['pkcs8', 'sec1']],
      [rsa, ec, ['pkcs8', 'pkcs1']],
    ] as const) {
      for (const form of forms) {
        const key = written(mine.key, form);
        expect(belongs(key, publicKeyOf(mine.cert)), form).toBe(true);
        expect(belongs(key, publicKeyOf(other.cert)), form).toBe(false);
      }
    }
  });

  test('do not belong to another certificate of the same kind', async () => {
    const another = await ca.client('spiffe://example.org/a');
    expect(belongs(blockOf(another.key), publicKeyOf(ec.cert))).toBe(false);
  });

  test('that are encrypted, or do not contain their public part, are unknown', () => {
    const locked = written(ec.key, 'pkcs8', { cipher: 'aes-256-cbc', passphrase: 'x' });
    expect(locked.label).toBe('ENCRYPTED PRIVATE KEY');
    expect(belongs(locked, publicKeyOf(ec.cert))).toBeUndefined();
    const ed = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(belongs(blockOf(ed), publicKeyOf(ec.cert))).toBeUndefined();
    expect(belongs({ label: 'PRIVATE KEY', bytes: bytes(0x30, 0) }, publicKeyOf(ec.cert))).toBeUndefined();
  });
});

describe('what is malformed is nothing', () => {
  test.each([
    ['nothing', []],
    ['a tag alone', [0x30]],
    ['an indefinite length', [0x30, 0x80, 0, 0]],
    ['a length that is too long', [0x30, 3, 5, 0]],
    ['a length that is not the shortest', [0x30, 0x81, 2, 5, 0]],
    ['a length with a leading zero', [0x30, 0x82, 0, 0x80, ...Array(128).fill(5)]],
    ['a length of four bytes', [0x30, 0x84, 0, 0, 0, 0]],
    ['a tag of several bytes', [0x3f, 0x81, 1, 0]],
    ['something behind', [0x30, 0, 0]],
  ])('%s', (_, all) => expect(entire(bytes(...all))).toBeUndefined());

  test('an element may not leave the one around it', () => {
    expect(within(entire(bytes(0x30, 3, 2, 2, 1))!)).toBeUndefined();
    expect(elementAt(bytes(0x30, 2, 5, 0, 5, 0), 2, 3)).toBeUndefined();
    expect(within(entire(bytes(0x30, 4, 5, 0, 5, 0)))?.length).toBe(2);
  });

  test.each([
    ['an open block', '-----BEGIN CERTIFICATE-----\nAAAA\n'],
    ['another end', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END PRIVATE KEY-----\n'],
    ['no base64', '-----BEGIN CERTIFICATE-----\nA*AA\n-----END CERTIFICATE-----\n'],
    ['base64 that is cut short', '-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n'],
    ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
  ])('PEM: %s', (_, text) => expect(readPem(text)).toBeUndefined());

  test('PEM: a text without blocks', () => expect(readPem('nothing here\n')).toEqual([]));

  test('a certificate that is cut short anywhere, or has a byte too many', () => {
    const good = der(svid);
    expect(readCertificate(good)).toBeDefined();
    for (let length = 0; length < good.length; length++)
      expect(readCertificate(good.subarray(0, length))).toBeUndefined();
    expect(readCertificate(bytes(...good, 0))).toBeUndefined();
  });

  test('a certificate with any bytes changed reads or does not: it never throws', () => {
    const good = der(svid);
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    holds(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bad = Uint8Array.from(good);
        for (const [at, byte] of changes) bad[at] = byte;
        const read = readCertificate(bad);
        if (read !== undefined) expect(Number.isInteger(read.notBefore) && Number.isInteger(read.notAfter)).toBe(true);
      }),
      3000,
    );
  });
});
